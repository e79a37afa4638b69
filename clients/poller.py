"""One poller for everything that takes time.

Quick at first, then a share of the time already waited or expected, so that an end is noticed within about a
twentieth of the whole; never without a deadline.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from clients.clock import Clock
from clients.deadlines import within
from clients.errors import DeadlineExceeded

T = TypeVar("T")
# The last look comes at the deadline: its answer may take this long.
_LAST_LOOK_SECONDS = 5.0


@dataclass(frozen=True)
class Pace:
    """How long to wait between two looks, within *shortest* … *longest* seconds.

    A *share* of the time waited so far; where the duration is *expected* (seconds), soon that share of it, so that a
    job of an hour is looked at some fifty times.
    """

    shortest: float = 0.25
    longest: float = 120.0
    share: float = 0.05
    expected: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.shortest <= self.longest or not 0 < self.share < 1:
            raise ValueError("a Pace needs 0 < shortest <= longest and a share between 0 and 1")

    def after(self, waited: float) -> float:
        """Seconds until the next look, *waited* seconds after the first one."""
        step = self.share * waited
        if self.expected is not None:
            step = max(step, min(self.share * self.expected, 0.4 * waited))
        return min(self.longest, max(self.shortest, step))


class Paced(Protocol):
    """What says when the next look is."""

    def after(self, waited: float) -> float:
        """Seconds until the next look, *waited* seconds after the first one."""


def wait(
    look: Callable[[float], T | None],
    *,
    what: str,
    deadline: float,
    clock: Clock,
    pace: Paced = Pace(),
) -> T:
    """Call *look* with the seconds waited until it answers something, and return that.

    The requests that *look* makes fit the deadline, too.
    Raises DeadlineExceeded, naming *what*, after *deadline* seconds; what *look* raises ends the wait.
    """
    started = clock.monotonic()
    while True:
        waited = clock.monotonic() - started
        with within(max(deadline - waited, _LAST_LOOK_SECONDS)):
            answer = look(waited)
        if answer is not None:
            return answer
        if waited >= deadline:
            raise DeadlineExceeded(
                f"{what} took longer than {deadline:.0f} s",
                "look at the service, then run the update again: it waits anew",
            )
        clock.sleep(min(pace.after(waited), deadline - waited))
