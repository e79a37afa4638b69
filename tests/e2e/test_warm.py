"""A command of a warm process is what `./dev` starts: nothing that a program can ask for is another."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import warm
from tests.e2e.checkout import SOURCE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="commands are forked on Linux only")

SEEN = """
import atexit, json, os, signal, sys, threading
from cli.told import told

print(json.dumps({
    "arguments": sys.argv, "original": sys.orig_argv, "path": sys.path, "folder": os.getcwd(),
    "prefix": [sys.prefix, sys.exec_prefix], "executable": sys.executable, "room": told.__file__, "main": __name__,
    "environment": {k: v for k, v in os.environ.items() if k not in ("_", "OLDPWD", "SHLVL")},
    "input": sys.stdin.read(), "files": sorted(int(f) for f in os.listdir("/proc/self/fd") if int(f) < 100),
    "streams": [[s.encoding, s.errors, s.line_buffering, s.write_through] for s in (sys.stdin, sys.stdout, sys.stderr)],
    "signals": [str(signal.getsignal(n)) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGCHLD)],
    "tasks": len(os.listdir("/proc/self/task")), "session": os.getsid(0), "group": os.getpgrp(),
    "strangers": sorted(m for m in sys.modules if m.partition(".")[0] in ("clients", "engine", "tests", "retrain_hooks")),
}))
print("to stderr", file=sys.stderr)
atexit.register(print, "at the end", end="")
threading.Timer(0.05, print, ["in a thread"]).start()
if sys.argv[1:] == ["fail"]:
    raise RuntimeError("as it is")
if sys.argv[1:] == ["die"]:
    os.kill(os.getpid(), signal.SIGKILL)
sys.exit("a word" if sys.argv[1:] == ["word"] else int(sys.argv[1]))
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout whose command line tells what it sees."""
    for name in ("dev", "requirements.lock", "requirements-uv.lock"):
        shutil.copy2(SOURCE / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(SOURCE / ".venv")
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli/__init__.py").touch()
    (tmp_path / "cli/told.py").write_text("def told(): ...\ntold.__file__ = __file__\n")
    (tmp_path / "cli/__main__.py").write_text(SEEN)
    return tmp_path


def parts(status: int, out: str, err: str) -> tuple[int, Any, list[str], list[str]]:
    """Status, what was seen, what was said after it, and the errors without a traceback's frames: those begin elsewhere."""
    first, *others = out.splitlines() or ["{}"]
    return status, json.loads(first), others, [line for line in err.splitlines() if not line.startswith("  ")]


@pytest.mark.parametrize("how", ["0", "3", "word", "fail", "die"])
def test_it_sees_and_tells_what_a_command_of_the_script_does(root: Path, how: str) -> None:
    """Arguments, path, environment, folder, streams, signals, threads; and so it ends."""
    environment = {**os.environ, "PYTHONUTF8": "1", "TOLD": "ä"}
    started = subprocess.run(
        ["./dev", how],
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    told = parts(*warm.run(root, [how], environment, 60))
    assert told == parts(started.returncode, started.stdout, started.stderr)


@pytest.mark.parametrize(
    ("files", "status", "told"),
    [
        ({"__init__.py": "word = 'edited'"}, 0, "edited"),
        ({"__init__.py": "word = missing"}, 1, "NameError: name 'missing' is not defined"),
        (
            {"__init__.py": None},
            1,
            "ImportError: cannot import name 'word' from 'components' (unknown location)",
        ),
        ({"__init__.py": "from .late import word", "late.py": "word = 'added'"}, 0, "added"),
    ],
    ids=["edited", "broken", "removed", "added"],
)
def test_a_command_has_the_rooms_as_they_are_when_it_starts(
    root: Path, files: dict[str, str | None], status: int, told: str
) -> None:
    """They are imported once, before it; what is written between two commands is what the second one has."""
    tell = (
        "import sys\nbefore = 'components' in sys.modules\nfrom components import word\nprint(word, before)\n"
    )
    (root / "cli/__main__.py").write_text(tell)
    room = root / "components"
    room.mkdir()
    (room / "__init__.py").write_text("word = 'a'\n")
    for _ in range(2):
        assert warm.run(root, [], os.environ, 60) == (0, "a True\n", "")
    for name, text in files.items():
        (room / name).write_text(text) if text else (room / name).unlink()
    done = warm.run(root, [], os.environ, 60)
    assert (
        done == (0, f"{told} True\n", "") if status == 0 else (done[0], done[2].splitlines()[-1]) == (1, told)
    )


def test_one_that_takes_too_long_is_ended(root: Path) -> None:
    """As one that was started would be."""
    (root / "cli/__main__.py").write_text("import time\ntime.sleep(600)\n")
    with pytest.raises(subprocess.TimeoutExpired):
        warm.run(root, [], os.environ, 0.2)
