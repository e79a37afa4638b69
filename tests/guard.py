"""Ends what this process has started once this process is gone, however it went: ``guard.entrust`` and ``guard.at_end``."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

_ROOT = Path(__file__).resolve().parents[1]
_guard: subprocess.Popen[str] | None = None


def entrust(process: int) -> None:
    """Kill a process of this number, if it still is this process then."""
    with contextlib.suppress(psutil.NoSuchProcess):
        _order({"process": process, "born": psutil.Process(process).create_time()})


def at_end(command: Sequence[str], folder: Path) -> None:
    """Run a command in a folder, if that is still there then."""
    _order({"command": list(command), "folder": str(folder)})


def _order(order: dict[str, Any]) -> None:
    global _guard
    if _guard is None:
        # A session of its own: Ctrl-C is for the tests, which end what they have started in their order.
        command = [sys.executable, "-m", "tests.guard"]
        _guard = subprocess.Popen(
            command, cwd=_ROOT, stdin=subprocess.PIPE, text=True, start_new_session=True
        )
    assert _guard.stdin
    _guard.stdin.write(json.dumps(order) + "\n")
    _guard.stdin.flush()


@contextlib.contextmanager
def guarding() -> Iterator[None]:
    """Let the guard do its work at the end of this block, and wait for it."""
    global _guard
    yield
    if _guard is not None:
        _guard.communicate()
        _guard = None


def main() -> None:
    """Take orders until standard input ends, then carry each out once, the last one first."""
    for line in reversed(dict.fromkeys(sys.stdin)):
        order = json.loads(line)
        if "process" in order:
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(order["process"])
                if process.create_time() == order["born"]:
                    process.kill()
        elif Path(order["folder"]).exists():
            subprocess.run(order["command"], cwd=order["folder"], stdout=subprocess.DEVNULL, check=False)


if __name__ == "__main__":
    main()
