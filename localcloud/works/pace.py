"""Which requests take so little time that a thread of their own would cost more."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from graph import Scorer

_MOMENT = 0.001  # seconds for which others may wait


class Pace:
    """By the work that requests have been, up to how many rows a scorer is quick with."""

    def __init__(self) -> None:
        self._quick: WeakKeyDictionary[Scorer, int] = WeakKeyDictionary()

    def is_quick(self, scorer: Scorer, rows: int) -> bool:
        """Whether so many rows are scored within a moment, as far as is known."""
        return rows <= self._quick.get(scorer, 0)

    @contextmanager
    def measured(self, scorer: Scorer, rows: int) -> Iterator[None]:
        """Have the work of the block count as that of so many rows: the time of the processor, whoever else is at work."""
        begun = time.thread_time()
        yield
        before = self._quick.get(scorer, 0)
        if time.thread_time() - begun <= _MOMENT:
            self._quick[scorer] = max(before, rows)
        elif rows <= before:
            self._quick[scorer] = rows // 2
