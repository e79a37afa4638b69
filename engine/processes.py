"""Child processes of a run: started from one long-lived thread, read line by line, ended without a trace.

Each has its own session, so that a Ctrl-C on the terminal reaches only the engine, which then decides. The kernel
ends a child when the *thread* that started it ends, hence the one thread for all.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO


class Child:
    """One process; `on_line(stream, text)` gets what it prints, `stream` being stdout or stderr."""

    def __init__(
        self,
        process: subprocess.Popen[str],
        on_line: Callable[[str, str], None],
        first: Callable[[str], None] | None,
    ) -> None:
        self.process = process
        self._on_line = on_line
        self._readers = [
            threading.Thread(target=self._read, args=(process.stdout, "stdout", first), daemon=True),
            threading.Thread(target=self._read, args=(process.stderr, "stderr", None), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, pipe: IO[str], stream: str, first: Callable[[str], None] | None) -> None:
        with pipe:
            if first is not None:
                first(pipe.readline().strip())
            for line in pipe:
                self._on_line(stream, line.rstrip("\n"))

    def wait(self, timeout: float | None = None) -> int | None:
        """The exit status, after everything printed has been read; None when it runs on."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        for reader in self._readers:
            reader.join(1)
        return status

    def interrupt(self) -> None:
        """Send SIGINT to the process alone."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)

    def end(self, grace: float = 1.0) -> None:
        """SIGTERM to the whole session, then SIGKILL."""
        if self.process.poll() is None:
            self._signal(signal.SIGTERM)
            if self.wait(grace) is None:
                self._signal(signal.SIGKILL)
                self.process.wait()
        # What the child itself started and left behind is in its session.
        self._signal(signal.SIGKILL)
        for reader in self._readers:
            reader.join(1)

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, PermissionError):
            return


class Processes:
    """The children of one run."""

    def __init__(self) -> None:
        self._spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawn")
        self._children: list[Child] = []

    def start(
        self,
        command: list[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        on_line: Callable[[str, str], None],
        first: Callable[[str], None] | None = None,
    ) -> Child:
        """Start a process; its first line on stdout goes to `first` (empty when it ended before)."""

        def spawn() -> subprocess.Popen[str]:
            return subprocess.Popen(
                command,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,
            )

        child = Child(self._spawner.submit(spawn).result(), on_line, first)
        self._children.append(child)
        return child

    def close(self) -> None:
        """End all that still run."""
        for child in self._children:
            child.end()
        self._spawner.shutdown()
