"""Nothing that only some systems have is needed to set up, to read a stack, or to run the embedded engine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# A Python as Windows has it, as far as this can be had here: what a system of its own imports is imported before.
WINDOWS = """
import os, signal, subprocess, sys, tempfile, types
import asyncio, concurrent.futures, multiprocessing, platform, psutil, rich.console, rich.live, typer, grpc
for name in ("fcntl", "termios", "tty", "pty", "resource", "pwd", "grp", "posix_ipc"):
    sys.modules[name] = None
for name in ("fork", "killpg", "setsid", "getuid", "geteuid", "getpgid", "uname"):
    delattr(os, name)
for name in ("SIGKILL", "SIGHUP", "SIGALRM"):
    delattr(signal, name)
locks = set()
def locking(file, mode, count):
    at = os.fstat(file).st_ino, os.lseek(file, 0, os.SEEK_CUR)
    if at in locks:
        raise PermissionError(13, "Permission denied")
    locks.add(at)
sys.modules["msvcrt"] = types.SimpleNamespace(locking=locking, LK_NBLCK=2)
"""


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", WINDOWS + code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_room_but_the_local_cloud_is_imported() -> None:
    """Each module of what a developer's machine runs."""
    told = python("""
import importlib, pkgutil
count = 0
for room in ("cli", "backend", "engine", "plans", "reports", "clients", "sandbox", "tables", "tasks", "authoring"):
    package = importlib.import_module(room)
    for module in pkgutil.walk_packages(package.__path__, f"{room}."):
        if not module.name.endswith("__main__") and module.name != "engine.children.program":
            importlib.import_module(module.name)
            count += 1
print(count)
""")
    assert int(told) > 150


def test_a_watch_is_alone_and_a_child_ends(tmp_path: Path) -> None:
    """By the other system's lock, and without process groups."""
    told = python(f"""
from pathlib import Path
from cli.watching.records import Records
from cli.errors import CliError
from engine.children.processes import Child
folder = Path({str(tmp_path)!r}, "dev")
with Records(folder).alone():
    try:
        with Records(folder).alone():
            print("two at once")
    except CliError as error:
        print(error.cause)
process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(99)"], stdout=-1, stderr=-1, text=True)
child = Child(process, print, None, lambda: None)
child.end()
print("ended", process.returncode)
""")
    first, second = told.splitlines()
    assert first.startswith("the stack dev is watched already, by process ")
    assert first.rpartition(" ")[2].isdigit()
    assert second == "ended -15"


@pytest.mark.parametrize("system", ["Windows_NT", ""])
def test_the_script_finds_each_systems_python(tmp_path: Path, system: str) -> None:
    """Where that system's environments have it."""
    own = "Scripts/python.exe" if system else "bin/python"
    found = tmp_path / ".venv" / own
    found.parent.mkdir(parents=True)
    found.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.11.0 || echo "$0" "$@"\n')
    found.chmod(0o755)
    for name in ("dev", "requirements.lock", "requirements-uv.lock"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "dev").chmod(0o755)
    sums = subprocess.run(
        ["cksum", "requirements.lock", "requirements-uv.lock"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout  # fmt: skip
    (tmp_path / ".venv" / "made-from").write_text(f"{sums}Python 3.11.0\n{(tmp_path / '.venv').resolve()}\n")
    done = subprocess.run(
        ["./dev", "stack", "ls"], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={"PATH": "/usr/bin:/bin", "OS": system},
    )  # fmt: skip
    assert done.stdout == f".venv/{own} -m cli stack ls\n"
