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

from engine.forks import Forked, Forks


class Child:
    """One process; `on_line(stream, text)` gets what it prints, `stream` being stdout or stderr."""

    def __init__(
        self,
        process: subprocess.Popen[str] | Forked,
        on_line: Callable[[str, str], None],
        first: Callable[[str], None] | None,
        on_exit: Callable[[], None],
    ) -> None:
        self.pid = process.pid
        self._process = process
        self._on_line = on_line
        self._on_exit = on_exit
        self._status: int | None = None
        self._over = threading.Event()
        self._readers = [
            threading.Thread(target=self._read, args=(process.stdout, "stdout", first), daemon=True),
            threading.Thread(target=self._read, args=(process.stderr, "stderr", None), daemon=True),
        ]
        for thread in [*self._readers, threading.Thread(target=self._reap, daemon=True)]:
            thread.start()

    def _read(self, pipe: IO[str], stream: str, first: Callable[[str], None] | None) -> None:
        with pipe:
            if first is not None:
                first(pipe.readline().strip())
            for line in pipe:
                self._on_line(stream, line.rstrip("\n"))

    def _reap(self) -> None:
        self._status = self._process.wait()
        self._over.set()
        self._on_exit()

    def wait(self, timeout: float | None = None) -> int | None:
        """The exit status, after everything printed has been read; None when it runs on."""
        if not self._over.wait(timeout):
            return None
        for reader in self._readers:
            reader.join(1)
        return self._status

    def interrupt(self) -> None:
        """Send SIGINT to the process alone."""
        if not self._over.is_set():
            self._signal(os.kill, signal.SIGINT)

    def end(self, grace: float = 1.0) -> None:
        """SIGTERM to the whole session, then SIGKILL."""
        if not self._over.is_set():
            self._signal(os.killpg, signal.SIGTERM)
            if self.wait(grace) is None:
                self._signal(os.killpg, signal.SIGKILL)
                self._over.wait()
        # What the child itself started and left behind is in its session.
        self._signal(os.killpg, signal.SIGKILL)
        for reader in self._readers:
            reader.join(1)

    def _signal(self, send: Callable[[int, int], None], number: int) -> None:
        try:
            send(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return


class Processes:
    """The children of one run; those that wait in `forks` are taken first."""

    def __init__(self, forks: Forks | None = None) -> None:
        self._spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawn")
        self._forks = forks
        self._children: list[Child] = []

    def start(
        self,
        command: list[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        on_line: Callable[[str, str], None],
        first: Callable[[str], None] | None = None,
        on_exit: Callable[[], None] = lambda: None,
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

        forked = self._forks.take(command, cwd, env) if self._forks else None
        child = Child(forked or self._spawner.submit(spawn).result(), on_line, first, on_exit)
        self._children.append(child)
        return child

    def close(self) -> None:
        """End all that still run."""
        for child in self._children:
            child.end()
        self._spawner.shutdown()
