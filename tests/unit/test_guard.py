"""What tests have started ends with them, however they end."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
TESTS = """
import os, pathlib, subprocess, sys
from tests import guard

folder = pathlib.Path(sys.argv[1])
started = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True)
guard.entrust(started.pid)
guard.at_end([sys.executable, "-c", "open('told', 'w')"], folder)
(folder / "started.part").write_text(str(started.pid))
(folder / "started.part").rename(folder / "started")
sys.stdin.read()
os._exit(1)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, None])
def test_what_was_entrusted_ends_with_the_one_who_entrusted_it(tmp_path: Path, how: int | None) -> None:
    """Killed, terminated, or gone by itself without a word: the process is killed and the command was run."""
    command = [sys.executable, "-c", TESTS, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE) as tests:
        eventually((tmp_path / "started").exists, "what the tests start")
        started = int((tmp_path / "started").read_text())
        if how is not None:
            tests.send_signal(how)
    eventually((tmp_path / "told").exists, "the command at the end")
    eventually(lambda: not psutil.pid_exists(started), "the end of what was started")
