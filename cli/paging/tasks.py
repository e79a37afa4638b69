"""One thing at a time that takes a while: a verb in a process of its own, or a look at the data in a thread."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from cli.errors import INTERRUPTED, one_line
from cli.project import ROOT
from clients.errors import ConfigurationError
from pages.facts import Problem, Task, TaskState

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LINES = 200
_GRACE = 20.0  # seconds in which an interrupted verb writes down what it did


class Tasks:
    """What goes on in the background; of two at once the second is refused."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._task = Task()
        self._said: deque[str] = deque(maxlen=_LINES)
        self._process: subprocess.Popen[str] | None = None

    @property
    def task(self) -> Task:
        """How it stands."""
        with self._lock:
            task = self._task
            return Task(
                task.kind, task.state, task.since, task.ended, tuple(self._said), task.cause, task.remedy
            )

    def verb(self, kind: str, arguments: Sequence[str], ended: Callable[[], None]) -> None:
        """Run a verb of `./dev`; *ended* is called where it went well. Raises Problem while another runs."""
        self._begin(kind, lambda: self._run(arguments), ended)

    def act(self, kind: str, act: Callable[[], None]) -> None:
        """Run *act*. Raises Problem while something else runs."""
        self._begin(kind, act, lambda: None)

    @property
    def running(self) -> bool:
        """Whether a verb's process lives."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End a verb as Ctrl-C does, and wait for it."""
        process = self._process
        if process is None or not self.running:
            return
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)

    def _begin(self, kind: str, act: Callable[[], None], ended: Callable[[], None]) -> None:
        with self._lock:
            if self._task.state == "running":
                raise Problem(
                    f"{self._task.kind} still runs, since {self._task.since}.", "Wait for its end.", 409
                )
            self._task = Task(kind, "running", _now())
            self._said.clear()
        threading.Thread(target=self._carry_out, args=(act, ended), name=kind, daemon=True).start()

    def _carry_out(self, act: Callable[[], None], ended: Callable[[], None]) -> None:
        begun, problem = self._task, None
        try:
            act()
            ended()
        except Exception as error:
            problem = problem_of(error)
        state: TaskState = "failed" if problem else "done"
        told = (problem.cause, problem.remedy) if problem else ("", "")
        with self._lock:
            self._task = Task(begun.kind, state, begun.since, _now(), (), *told)

    def _run(self, arguments: Sequence[str]) -> None:
        plain = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
        with subprocess.Popen(
            [sys.executable, "-m", "cli", *arguments],
            cwd=ROOT,
            env=plain,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # it hears of Ctrl-C once, from here
        ) as process:
            self._process = process
            assert process.stdout is not None
            for line in process.stdout:
                self._said.append(_COLOURS.sub("", line.rstrip("\n")))
        if process.returncode == INTERRUPTED:
            raise Problem("It was interrupted.")
        if process.returncode:
            raise Problem(*reason(list(self._said)))


def reason(said: Sequence[str]) -> tuple[str, str]:
    """The last cause that a verb has told, and its remedy."""
    told = {
        name: [line.removeprefix(f"{name}: ") for line in said if line.startswith(f"{name}: ")]
        for name in ("error", "remedy")
    }
    cause = told["error"][-1] if told["error"] else next((line for line in reversed(said) if line), "")
    return cause or "It ended without a word.", told["remedy"][-1] if told["remedy"] else ""


def problem_of(error: Exception) -> Problem:
    """What a person is told of an error."""
    if isinstance(error, Problem):
        return error
    cause = getattr(error, "cause", "") or f"{type(error).__name__}: {error}"
    status = 404 if isinstance(error, ConfigurationError) else 424
    return Problem(one_line(cause), one_line(getattr(error, "remedy", "")), status)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
