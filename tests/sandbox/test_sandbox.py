"""What runs apart: it works with libraries and its own folder, and gets at nothing else."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sandbox import Answer, Call, confinement, run

confined = pytest.mark.skipif(bool(confinement()), reason=confinement() or "this machine confines")


def tried(body: str, **more: object) -> Answer:
    """What the body of a function comes to."""
    text = "def f():\n" + "".join(f"    {line}\n" for line in body.splitlines())
    return run(Call(text.encode(), "script.py", "f", **more))  # type: ignore[arg-type]


@confined
@pytest.mark.parametrize(
    "body",
    [
        "import socket; socket.socket()",
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "import socket; socket.socket(socket.AF_UNIX)",
        "import socket; socket.create_connection(('127.0.0.1', 80))",
        f"open({str(Path(__file__).resolve())!r}).read()",
        f"import os; os.listdir({str(Path(__file__).resolve().parents[2])!r})",
        "open('/etc/passwd').read()",
        "open('/proc/PID/environ').read()",
        "open('/proc/self/environ').read()",
        "import os; os.kill(PID, 0)",
        "import os; os.fork()",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.execv('/bin/true', ['true'])",
        "open('/tmp/outside', 'w')",
        "open('/usr/outside', 'w')",
        "import os; os.symlink('/etc/passwd', 'here'); open('here').read()",
        "import resource; resource.prlimit(PID, resource.RLIMIT_CPU, (1, 1))",
        "import ctypes\nif ctypes.CDLL(None).syscall(425, 1, 0) < 0: raise OSError('io_uring')",
        "import ctypes\nif ctypes.CDLL(None).unshare(0x10000000) < 0: raise OSError('unshare')",
    ],
)
def test_it_gets_at_no_network_no_file_and_no_process(body):
    """Refused by the kernel, whatever the Python is that asks."""
    answer = tried(body.replace("PID", str(os.getpid())) + "\nreturn 1")
    assert answer.value is None
    assert answer.problem.startswith(("raises PermissionError", "raises OSError")), answer


@pytest.mark.parametrize(
    "body",
    [
        "open('mine', 'w').write('x'); return len(open('mine').read())",
        "import numpy as np; return float(np.linalg.inv(np.eye(50) * 2).trace() / 25)",
        "import pandas as pd; return int(pd.DataFrame({'a': [1, 0]})['a'].sum())",
        "import sklearn.ensemble, scipy.stats; return 1",
        "import threading; t = threading.Thread(target=print); t.start(); t.join(); return 1",
        "import tempfile; return len(tempfile.mkdtemp()) > 0 and 1",
        "import datetime, zoneinfo; return datetime.datetime(2020, 7, 1, tzinfo=zoneinfo.ZoneInfo('UTC')).day",
    ],
)
def test_libraries_its_own_folder_and_threads_are_there(body):
    """What a script needs to calculate."""
    assert tried(body).value == 1, tried(body)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
def test_a_file_is_bounded_and_so_is_what_is_answered():
    """The disk is not for a script to fill."""
    answer = tried("open('large', 'wb').write(bytes(3 << 20)); return 1", file_megabytes=2)
    assert answer.value is None
    assert answer.problem


def test_an_answer_of_its_own_making_is_no_table_of_ours():
    """It may write to any descriptor; what is read is a line of JSON, or nothing."""
    answer = tried(
        "import os\nfor n in range(1, 9):\n    try: os.write(n, b'[1]')\n    except OSError: pass\nos._exit(0)"
    )
    assert answer.value is None
    assert "without an answer" in answer.problem
