"""The clock that waits and timestamps go by, so that tests own time."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What a wait needs to know of time."""

    def now(self) -> datetime:
        """The time of day, in UTC."""

    def monotonic(self) -> float:
        """Seconds from some fixed point; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Return after *seconds*."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds from some fixed point; never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Return after *seconds*."""
        time.sleep(seconds)


class ManualClock:
    """A clock for tests: time passes only by sleeping on it."""

    def __init__(self, start: datetime | None = None) -> None:
        self._start = start or datetime(2026, 1, 1, tzinfo=UTC)
        self._seconds = 0.0
        self.sleeps: list[float] = []

    def now(self) -> datetime:
        """The start plus what was slept."""
        return datetime.fromtimestamp(self._start.timestamp() + self._seconds, UTC)

    def monotonic(self) -> float:
        """The seconds slept so far."""
        return self._seconds

    def sleep(self, seconds: float) -> None:
        """Let *seconds* pass at once."""
        self.sleeps.append(seconds)
        self._seconds += seconds
