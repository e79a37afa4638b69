"""Stops what an interrupted or orphaned update would still do.

Pulumi interrupts the *program*, not its providers, and a provider outlives an engine that was killed. So the program
leaves a mark, a file named after the engine's address, and the provider looks for it, and whether the engine still
answers, before each call that changes anything and at each look at a job.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import FrameType

from clients.errors import UpdateCancelled

_WATCH_SECONDS = 1.0


def _mark(engine: str) -> Path:
    """The file that says that the run of *engine* (host:port) is cancelled; in a folder of this user's own."""
    folder = Path(tempfile.gettempdir()) / f"retraining-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / engine.replace(":", "-").replace("/", "-")


def _option(name: str) -> str:
    """The value of ``--name`` on this process's command line, as its language host wrote it."""
    arguments = sys.orig_argv
    for position, argument in enumerate(arguments):
        if argument == name and position + 1 < len(arguments):
            return arguments[position + 1]
        if argument.startswith(name + "="):
            return argument.partition("=")[2]
    return ""


def stop_on_interrupt() -> None:
    """In a program: end quietly on SIGINT, and tell the providers where the update (not a preview) is interrupted."""
    engine = _option("--engine")
    preview = _option("--dry_run") == "true"
    if engine:
        _mark(engine).unlink(missing_ok=True)

    def interrupted(_signal: int, _frame: FrameType | None) -> None:
        if engine and not preview:
            _mark(engine).touch()
        os._exit(130)

    signal.signal(signal.SIGINT, interrupted)


class EngineGuard:
    """In a provider: stops it once its engine at *address* (host:port) was interrupted or is gone."""

    def __init__(self, address: str) -> None:
        self._address = address

    def check(self) -> None:
        """Raise UpdateCancelled where the update was cancelled or its engine is gone."""
        if self._address and _mark(self._address).exists():
            raise UpdateCancelled(
                "the update was cancelled; a job that was started goes on",
                "run ./dev up again: it attaches to the job",
            )
        if self._address and not _answers(self._address):
            raise UpdateCancelled("the engine of this update is gone", "run ./dev up again")

    def watch(self) -> None:
        """End this process soon after its engine, so that none is left behind."""

        def loop() -> None:
            while _answers(self._address):
                time.sleep(_WATCH_SECONDS)
            _mark(self._address).unlink(missing_ok=True)
            os._exit(0)

        if self._address:
            threading.Thread(target=loop, name="engine-watch", daemon=True).start()


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=2.0):
            return True
    except OSError:
        return False
