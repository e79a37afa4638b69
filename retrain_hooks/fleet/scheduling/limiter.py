"""How many members are worked on at once: as many as the service stands.

Additive increase, multiplicative decrease (Chiu and Jain, 1989; as TCP does it): at first each answer lets in one more. An
answer that asks for patience (429, 503) halves it, and so do GETs, which are alike, that take several times as long as they
did at their best. From then on each member that ends well lets in a little more: one for each round of all.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_FIRST = 4.0
_SLOW = 4.0  # times as long as answers took at their best
_SMOOTH = 0.05
_NOTHING_SECONDS = 0.25  # of which nobody takes notice
_WARM_UP = 20  # answers before a latency says anything


class Limiter:
    """Lets in as many as the service stands, *most* at the most. *now* is a clock in seconds."""

    def __init__(self, most: int, now: Callable[[], float]) -> None:
        self._most, self._now = float(most), now
        self._limit = min(_FIRST, self._most)
        self._inside = 0
        self._free = threading.Condition()
        self._cut_at = -1.0
        self._answers = 0
        self._mean = self._best = 0.0

    @property
    def limit(self) -> int:
        """How many may be inside now."""
        return max(1, int(self._limit))

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Wait until one more may be inside, and be it."""
        with self._free:
            self._free.wait_for(lambda: self._inside < self.limit)
            self._inside += 1
        try:
            yield
        finally:
            with self._free:
                self._inside -= 1
                self._free.notify_all()

    def went_well(self) -> None:
        """A member ended: a little more."""
        with self._free:
            self._more(1.0 / self._limit)

    def answered(self, method: str, status: int, seconds: float) -> None:
        """A service answered a request with this HTTP status after so many seconds."""
        with self._free:
            if status in (429, 503):
                self._cut()
            elif method == "GET" and self._slower(seconds) and self._limit > _FIRST:
                self._cut()
                self._mean = self._best
            elif self._cut_at < 0 and status < 400:
                self._more(1.0)

    def _more(self, step: float) -> None:
        """Let in a little more."""
        before = self.limit
        self._limit = min(self._most, self._limit + step)
        if self.limit > before:
            self._free.notify_all()

    def _slower(self, seconds: float) -> bool:
        """Whether answers take much longer by now than they did at their best."""
        self._answers += 1
        self._mean = seconds if self._answers == 1 else self._mean + _SMOOTH * (seconds - self._mean)
        if self._answers >= _WARM_UP:
            self._best = min(self._best or self._mean, self._mean)
        return self._best > 0 and self._mean > _SLOW * self._best + _NOTHING_SECONDS

    def _cut(self) -> None:
        """Half as many; once for all answers of a round, which say the same."""
        now = self._now()
        if self._cut_at < 0 or now - self._cut_at >= 1.0:
            self._cut_at = now
            self._limit = max(1.0, self._limit / 2)
