"""The process around a job's command: ``python -m localcloud.azureml.jobs.supervisor FOLDER``, the order on standard input.

It outlives the server, so that a killed one finds the job again: what there is to know is in the folder. `began` is
there once the order was read, `command` names the process, which leads its session, `log` is the output, `end.json`
says how it ended; `cancel` asks for its end. It ends
all that the command started, at the limit of time or memory, too; and where the folder is gone or nobody has looked
after it (`watched`) for long.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import psutil

BEGAN, COMMAND, LOG, END, CANCEL, WATCHED = "began", "command", "log", "end.json", "cancel", "watched"
EXITED, TIMEOUT, MEMORY, CANCELLED, UNWATCHED, NOT_BEGUN, LOST = (
    "exited",
    "timeout",
    "memory",
    "cancelled",
    "unwatched",
    "not begun",
    "lost",
)
_LOOK_SECONDS = 0.2
_MEMORY_LOOKS = 3  # to look at all processes is work
_GRACE_SECONDS = 3.0
_UNWATCHED_SECONDS = 600.0
_PART = 64 * 1024
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class End:
    """How a command ended: `why` is one of the words above, `code` its exit status (negative: a signal)."""

    why: str
    code: int | None = None
    detail: str = ""


def read_end(folder: Path) -> End | None:
    """How the command of a folder ended, if it has."""
    try:
        return End(**json.loads((folder / END).read_text()))
    except FileNotFoundError:
        return None


def end_left_over(folder: Path) -> None:
    """End what a supervisor that was killed has left behind."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        session = int((folder / COMMAND).read_text())
        began = (folder / COMMAND).stat().st_mtime
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, ProcessLookupError, PermissionError):
                if os.getsid(process.pid) == session and process.create_time() > began - _GRACE_SECONDS:
                    process.kill()


def main() -> None:
    """Run one command."""
    folder = Path(sys.argv[1])
    order = sys.stdin.read()
    if not order:
        return  # the server ended before it gave one
    (folder / BEGAN).touch()
    (folder / WATCHED).touch()
    with contextlib.suppress(OSError, AttributeError):
        # Whatever the command leaves behind becomes a child of this process, to be ended with it.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    end = _run(folder, json.loads(order))
    part = folder / f"{END}.part"
    with contextlib.suppress(FileNotFoundError):  # the folder was deleted
        part.write_text(json.dumps(asdict(end)))
        part.replace(folder / END)


def _run(folder: Path, order: Mapping[str, Any]) -> End:
    try:
        process = subprocess.Popen(
            order["command"],
            cwd=order["cwd"],
            env=order["environment"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return End(NOT_BEGUN, detail=str(error))
    (folder / COMMAND).write_text(str(process.pid))
    assert process.stdout is not None
    copying = threading.Thread(
        target=_copy, args=(process.stdout, folder / LOG, order["longestLog"]), daemon=True
    )
    copying.start()
    why, detail = _wait(process, folder, order)
    _end_all(process)
    copying.join(_GRACE_SECONDS)
    return End(why, process.returncode, detail)


def _copy(source: IO[bytes], log: Path, longest: int) -> None:
    """Write the output to the log as it comes, up to a length; what comes after is read and dropped."""
    left = longest
    with log.open("ab", buffering=0) as target:
        while part := os.read(source.fileno(), _PART):
            if left <= 0:
                continue
            try:
                target.write(part[:left])
                left -= len(part)
                if left <= 0:
                    target.write(
                        f"\n[the output is longer than {longest} bytes; the rest is not kept]\n".encode()
                    )
            except OSError:  # no room: the command must not wait for that
                left = 0


def _wait(process: subprocess.Popen[bytes], folder: Path, order: Mapping[str, Any]) -> tuple[str, str]:
    """Wait for the end of the command, or for a reason to end it."""
    began = looked_after = time.monotonic()
    last, looks = 0.0, 0
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_LOOK_SECONDS)
            return EXITED, ""
        if (folder / CANCEL).exists():
            return CANCELLED, ""
        if order["timeout"] is not None and time.monotonic() - began > order["timeout"]:
            return TIMEOUT, ""
        looks += 1
        if looks % _MEMORY_LOOKS == 0 and (used := _memory()) > order["memory"]:
            return MEMORY, f"{used // 2**20} MiB"
        try:
            watched = (folder / WATCHED).stat().st_mtime
        except FileNotFoundError:
            return UNWATCHED, ""
        if watched != last:
            last, looked_after = watched, time.monotonic()
        if time.monotonic() - looked_after > _UNWATCHED_SECONDS:
            return UNWATCHED, ""


def _memory() -> int:
    """The memory of all that the command started, in bytes."""
    total = 0
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            total += child.memory_info().rss
    return total


def _end_all(process: subprocess.Popen[bytes]) -> None:
    """End the command and all that it started: asked first, killed after a moment."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    while children := psutil.Process().children(recursive=True):
        for child in children:
            with contextlib.suppress(psutil.Error):
                child.kill()
        psutil.wait_procs(children, _GRACE_SECONDS)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


if __name__ == "__main__":
    main()
