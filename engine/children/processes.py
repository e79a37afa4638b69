"""Child processes of a run: started from one long-lived thread, read line by line, ended without a trace.

Each has its own session, so that a Ctrl-C on the terminal reaches only the engine, which then decides. The kernel
ends a child when the *thread* that started it ends, hence the one thread for all.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO

from engine.children.forks import Forked, Forks

SCRIPT = Path(__file__).with_name("program.py")

# Windows has neither sessions nor this signal: there a process ends alone.
_END_ALL: Callable[[int, int], None] = getattr(os, "killpg", os.kill)
_AT_ONCE: int = getattr(signal, "SIGKILL", signal.SIGTERM)


class Child:
    """One process; `on_line` gets what it prints, but its first line on stdout goes to `first`, if given."""

    def __init__(
        self,
        process: subprocess.Popen[str] | Forked,
        on_line: Callable[[str], None],
        first: Callable[[str], None] | None,
        on_exit: Callable[[], None],
    ) -> None:
        self._process = process
        self._on_line = on_line
        self._on_exit = on_exit
        self._status: int | None = None
        self._over = threading.Event()
        self._readers = [
            threading.Thread(target=self._read, args=(process.stdout, first), daemon=True),
            threading.Thread(target=self._read, args=(process.stderr, None), daemon=True),
        ]
        for thread in [*self._readers, threading.Thread(target=self._reap, daemon=True)]:
            thread.start()

    def _read(self, pipe: IO[str], first: Callable[[str], None] | None) -> None:
        with pipe:
            if first is not None:
                first(pipe.readline().strip())
            for line in pipe:
                self._on_line(line.rstrip("\n"))

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
        """Send SIGINT to the process alone; what it prints from now on is of no interest."""
        self._on_line = lambda _: None
        if not self._over.is_set():
            self._signal(os.kill, signal.SIGINT)

    def end(self) -> None:
        """SIGTERM to the whole session, then SIGKILL, also to what the child started and left behind."""
        if not self._over.is_set():
            self._signal(_END_ALL, signal.SIGTERM)
            self.wait(1)
        self._signal(_END_ALL, _AT_ONCE)
        self.wait()

    def _signal(self, send: Callable[[int, int], None], number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            send(self._process.pid, number)


class Processes:
    """The children of one run, all with one environment; those that wait in `forks` are taken first."""

    def __init__(self, env: Mapping[str, str], forks: Forks | None, on_line: Callable[[str], None]) -> None:
        self._env = dict(env)
        self._forks = forks
        self._on_line = on_line
        self._spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawn")
        self._children: list[Child] = []

    def start(
        self,
        what: str,
        *arguments: str,
        cwd: Path,
        first: Callable[[str], None] | None = None,
        on_exit: Callable[[], None] = lambda: None,
    ) -> Child:
        """Start the `program` or its `providers` (see `program.py`); the first line on stdout goes to `first`, empty when
        the process ended before.
        """
        command = [sys.executable, "-u", str(SCRIPT), str(os.getpid()), what, *arguments]

        def spawn() -> subprocess.Popen[str]:
            return subprocess.Popen(
                command,
                cwd=cwd,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,
            )

        forked = self._forks.take(what, command, cwd, self._env) if self._forks else None
        child = Child(forked or self._spawner.submit(spawn).result(), self._on_line, first, on_exit)
        self._children.append(child)
        return child

    def close(self) -> None:
        """End all that still run."""
        for child in self._children:
            child.end()
        self._spawner.shutdown()
