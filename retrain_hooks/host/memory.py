"""What one run has asked already: a question is asked once, unless something of ours may have changed its answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from clients.clock import Clock

T = TypeVar("T")
Question = tuple[Any, ...]

# A run may take hours, and others change things, too: an older answer says nothing of now.
FRESH_SECONDS = 30.0
_ANSWER = object()


@dataclass
class _Answer:
    lock: threading.Lock = field(default_factory=threading.Lock)
    at: float = 0.0
    known: bool = False
    value: Any = None


class Memory:
    """The answers of one process, for FRESH_SECONDS; shared by its threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        # By the parts of the questions, one below the other, so that forgetting one takes no look at all others.
        self._answers: dict[Any, Any] = {}

    def once(self, question: Question, ask: Callable[[], T]) -> T:
        """The answer to *question*, *ask*ed where it isn't known any more. What *ask* raises is not kept."""
        with self._lock:
            here = self._answers
            for part in question:
                here = here.setdefault(part, {})
            answer = here.setdefault(_ANSWER, _Answer())
        with answer.lock:
            if not answer.known or self._clock.monotonic() - answer.at > FRESH_SECONDS:
                at = self._clock.monotonic()
                answer.value, answer.at, answer.known = ask(), at, True
            value: T = answer.value
            return value

    def forget(self, *question: Any) -> None:
        """Ask again all that begins with *question*: something of ours has changed, or is about to."""
        with self._lock:
            if not question:
                self._answers.clear()
                return
            here = self._answers
            for part in question[:-1]:
                here = here.get(part, {})
            here.pop(question[-1], None)
