"""Stops what an interrupted or orphaned update would still do.

Pulumi interrupts the *program*, not its providers, and a provider outlives an engine that was killed. So the program
leaves a mark, a file named after the engine's address, and the provider looks for it, and whether the engine still
answers, before each call that changes anything and at each look at a job.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

from clients.clock import SystemClock
from clients.errors import EngineGone, UpdateCancelled

_WATCH_SECONDS = 1.0
# A sleep is cut into pieces of this length, so that a cancelled update ends it.
_NAP_SECONDS = 0.5
# A provider that is still in the middle of a call so long after the mark is ended: the user waits for it.
_GRACE_SECONDS = 4.0
_OLD_SECONDS = 7 * 24 * 3600.0


def _mark(engine: str) -> Path:
    """The file that says that the run of *engine* (host:port) is cancelled; in a folder of this user's own."""
    folder = Path(tempfile.gettempdir()) / f"retraining-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / engine.replace(":", "-").replace("/", "-")


def _made(mark: Path) -> int | None:
    """When *mark* was made, in nanoseconds; None where there is none."""
    try:
        return mark.stat().st_mtime_ns
    except OSError:
        return None


def _option(name: str) -> str:
    """What this process's command line says of *name*: ``--name VALUE`` from the CLI's language host, or the member
    of a JSON object from the embedded engine.
    """
    arguments = sys.orig_argv
    for position, argument in enumerate(arguments):
        if argument == f"--{name}" and position + 1 < len(arguments):
            return arguments[position + 1]
        if argument.startswith(f"--{name}="):
            return argument.partition("=")[2]
        with suppress(ValueError, TypeError, KeyError):
            return str(json.loads(argument)[name])
    return ""


def _forget_old_marks(own: Path) -> None:
    """Remove a mark that an earlier run left at the same address, and those of runs that can't go on any more."""
    for mark in own.parent.iterdir():
        with suppress(OSError):
            if mark == own or time.time() - mark.stat().st_mtime > _OLD_SECONDS:
                mark.unlink()


def stop_on_interrupt() -> None:
    """In a program: end quietly on SIGINT, and tell the providers where the update (not a preview) is interrupted."""
    engine = _option("engine")
    preview = _option("dry_run").lower() == "true"
    if engine:
        _forget_old_marks(_mark(engine))

    def interrupted(_signal: int, _frame: FrameType | None) -> None:
        if engine and not preview:
            _mark(engine).touch()
        os._exit(130)

    signal.signal(signal.SIGINT, interrupted)


class EngineGuard:
    """In a provider: stops it once its engine at *address* (host:port) was interrupted or is gone."""

    def __init__(self, address: str) -> None:
        self._address = address
        # Ports are used again, and no program begins a refresh or a destroy: what is there now is an earlier run's.
        self._mark_before = _made(_mark(address)) if address else None

    def check(self) -> None:
        """Raise UpdateCancelled where the update was cancelled or its engine is gone."""
        if self._address and self._cancelled():
            raise UpdateCancelled("the update was cancelled", "run ./dev up again: it goes on from here")
        if self._address and not _answers(self._address):
            raise EngineGone("the engine of this update is gone", "run ./dev up again: it goes on from here")

    def watch(self) -> None:
        """End this process soon after its engine, so that none is left behind, or where it overstays a cancelled update."""
        if not self._address:
            return

        def loop() -> None:
            marked = 0.0
            while marked < _GRACE_SECONDS and _answers(self._address):
                time.sleep(_WATCH_SECONDS)
                marked = marked + _WATCH_SECONDS if self._cancelled() else 0.0
            if marked >= _GRACE_SECONDS:
                print(
                    "the update was cancelled while a service did not answer\n"
                    "remedy: run ./dev up again: it goes on from what is recorded",
                    file=sys.stderr,
                    flush=True,
                )
            _mark(self._address).unlink(missing_ok=True)
            os._exit(0)

        threading.Thread(target=loop, name="engine-watch", daemon=True).start()

    def _cancelled(self) -> bool:
        return _made(_mark(self._address)) not in (None, self._mark_before)


class CancellableClock(SystemClock):
    """In a provider: a sleep ends, with UpdateCancelled, where *guard* says so."""

    def __init__(self, guard: EngineGuard) -> None:
        self._guard = guard

    def sleep(self, seconds: float) -> None:
        """Return after *seconds*. Raises UpdateCancelled."""
        end = self.monotonic() + seconds
        while (left := end - self.monotonic()) > 0:
            super().sleep(min(left, _NAP_SECONDS))
            self._guard.check()


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=2.0):
            return True
    except OSError as error:
        return error.errno in (
            errno.EMFILE,
            errno.ENFILE,
        )  # this process has no socket left: that says nothing of it
