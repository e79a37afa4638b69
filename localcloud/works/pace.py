"""Which requests take so little time that a thread of their own would cost more."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from graph import Scorer

_MOMENT = 0.001  # seconds for which others may wait
_DOUBTS = 3  # what is cold or collected first takes longer once, or twice


class _Known:
    """Up to how many bytes of a request a scorer was quick with, and how often in a row it was not since."""

    __slots__ = ("quick", "slow")

    def __init__(self) -> None:
        self.quick = 0
        self.slow = 0


class Pace:
    """By how long requests have taken, how large those are that are answered within a moment."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Scorer, _Known] = WeakKeyDictionary()

    def is_quick(self, scorer: Scorer, size: int) -> bool:
        """Whether a request of so many bytes is answered within a moment, as far as is known."""
        known = self._known.get(scorer)
        return known is not None and size <= known.quick

    @contextmanager
    def measured(self, scorer: Scorer, size: int) -> Iterator[None]:
        """Have the work of the block count as that of a request of so many bytes: the processor's time, whoever else is at work."""
        begun = time.thread_time()
        yield
        known = self._known.setdefault(scorer, _Known())
        if time.thread_time() - begun <= _MOMENT:
            known.quick, known.slow = max(known.quick, size), 0
        elif size <= known.quick:
            known.slow += 1
            if known.slow == _DOUBTS:
                known.quick, known.slow = size // 2, 0
