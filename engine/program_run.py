"""The program as a child process of the engine."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.events import Diagnostic
from engine.processes import Child, Processes

if TYPE_CHECKING:
    from engine.steps import Executor

TOLD = 32  # the program has said what is wrong


class ProgramRun:
    """Starts the program, hears what it prints, knows how it ended."""

    def __init__(
        self,
        program: Path,
        python: str,
        processes: Processes,
        env: Mapping[str, str],
        settings: Mapping[str, Any],
    ) -> None:
        self._program = program
        self._python = python
        self._processes = processes
        self._env = env
        self._settings = settings
        self._child: Child | None = None
        self._executor: Executor | None = None
        self._interrupted = False

    def start(self, executor: Executor, wake: threading.Event) -> None:
        """Start it; `wake` is set when it ends."""
        self._executor = executor
        script = Path(__file__).with_name("program.py")
        self._child = self._processes.start(
            [
                self._python,
                "-u",
                str(script),
                str(os.getpid()),
                json.dumps(self._settings),
                str(self._program),
            ],
            cwd=self._program,
            env=self._env,
            on_line=self._printed,
            on_exit=wake.set,
        )

    def _printed(self, stream: str, text: str) -> None:
        if self._executor is not None and not self._interrupted:
            self._executor.diagnose(Diagnostic("info", text))

    def check_exit(self) -> None:
        """Report a program that ended badly and hasn't said why."""
        status = self.wait(5)
        if self._executor is None or status in (None, 0):
            return
        self._executor.failures.extend(self._executor.logged)
        if status in (1, TOLD) and self._executor.failures:
            return
        how = f"was killed by signal {-status}" if status and status < 0 else f"exited with status {status}"
        self._executor.diagnose(Diagnostic("error", f"the program {how}\nremedy: see what it printed"))

    def interrupt(self) -> None:
        """SIGINT, once."""
        self._interrupted = True
        if self._child is not None:
            self._child.interrupt()

    def wait(self, timeout: float) -> int | None:
        """The exit status, or None while it runs on."""
        return self._child.wait(timeout) if self._child else None
