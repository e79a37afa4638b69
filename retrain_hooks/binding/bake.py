"""Baking: a model that was bound is watched for a while, and each rule of its ring must hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from clients.clock import Clock
from clients.poller import Pace, wait
from retrain_hooks.binding.bake_rules import Observation
from retrain_hooks.binding.inputs import RingInputs
from retrain_hooks.serving.probe import Look, shift

# So many looks before a rule is judged, and before a bake ends: one failed probe of two is not a rate.
ENOUGH = 10
_LOOKS = 60


def watch(look: Callable[[float], bool | None], what: str, seconds: float, clock: Clock) -> None:
    """Call *look*, with the seconds waited, evenly until it says that the *seconds* of a bake are over."""
    step = min(15.0, max(0.05, seconds / _LOOKS))
    deadline = 2 * seconds + 60 + ENOUGH * step
    wait(look, what=what, deadline=deadline, clock=clock, pace=Pace(shortest=step, longest=step))


@dataclass
class Tally:
    """What was seen of one endpoint of *ring* while the model at *address* baked; *old_scores* are its predecessor's."""

    ring: RingInputs
    endpoint: str
    address: str
    old_scores: Sequence[float] = ()
    _looks: int = 0
    _errors: int = 0
    _seconds: list[float] = field(default_factory=list)
    _scores: tuple[float, ...] = ()

    def add(self, look: Look) -> None:
        """Count one more probe; one that asked nothing, for want of rows, is none."""
        if not look.answers and not look.error:
            return
        self._looks += 1
        if look.error:
            self._errors += 1
            return
        self._seconds.append(look.seconds)
        self._scores = look.scores

    def observation(self) -> Observation:
        """All that was seen so far, as rules judge it."""
        return Observation(
            ring=self.ring.title,
            endpoint=self.endpoint,
            address=self.address,
            looks=self._looks,
            errors=self._errors / self._looks if self._looks else math.nan,
            p95=1000 * _percentile(self._seconds, 0.95),
            shift=shift(self._scores, self.old_scores),
            scores=self._scores,
            old_scores=tuple(self.old_scores),
        )

    def broken(self, *, ended: bool) -> str:
        """Which rules do not hold, in words; judged at the end, and before it once enough was seen."""
        if not ended and self._looks < ENOUGH:
            return ""
        seen = self.observation()
        return "; ".join(reason for rule in self.ring.bake_rules if (reason := rule.judge(seen)))


def _percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that *share* of the values do not exceed; NaN where there is none."""
    ordered = sorted(values)
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else math.nan
