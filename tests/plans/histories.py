"""Histories of retrainings that are drawn: what runs took and measured, under several regimes, and the gate of the next.

``python -m tests.plans.histories`` says how right forecasts are of each regime: 300 retrainings of each.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean

from plans.forecasts import forecast

FEWEST, MOST = 5, 20
RULE = "auc >= {bound:.6f}"


@dataclass(frozen=True)
class Retraining:
    """One more run after others, the oldest first: what those took and measured, and what this one does."""

    regime: str
    seconds: list[float]
    aucs: list[float]
    took: float
    measured: float
    bound: float
    """What the gate asks of it at least."""


def retrainings(seed: int, count: int) -> Iterator[Retraining]:
    """So many of them, the regimes in turn."""
    rng = random.Random(seed)
    for number in range(count):
        regime = REGIMES[number % len(REGIMES)]
        before = rng.randrange(FEWEST, MOST + 1)
        moves = _moves(rng, regime, before + 1)
        level, spread = rng.uniform(0.6, 0.9), 10 ** rng.uniform(-3, -1.7)
        aucs = [level + spread * move for move in moves]
        typical, factor = 10 ** rng.uniform(0, 4), rng.uniform(0.02, 0.4)
        times = [typical * math.exp(factor * move) for move in _moves(rng, regime, before + 1)]
        reach = 0.5 if regime == "near the gate" else 2.5
        bound = aucs[-2] + spread * rng.uniform(-reach, reach)
        yield Retraining(regime, times[:-1], aucs[:-1], times[-1], aucs[-1], bound)


@dataclass(frozen=True)
class Told:
    """How right forecasts were."""

    within: float
    """The share of durations and metrics that lay in their intervals."""
    brier: float
    """The mean of the squares by which the gate's chance was wrong."""


def told(seed: int, count: int) -> dict[str, Told]:
    """What came of so many retrainings: of all, and by regime."""
    found: dict[str, list[tuple[bool, bool, float]]] = {}
    for one in retrainings(seed, count):
        said = forecast(one.seconds, [{"auc": auc} for auc in one.aucs], [RULE.format(bound=one.bound)])
        assert said.seconds
        assert said.chance is not None
        pairs = ((said.seconds, one.took), (said.metrics["auc"], one.measured))
        took, measured = (each.low <= came <= each.high for each, came in pairs)
        for regime in ("all", one.regime):
            wrong = (said.chance - (one.measured >= one.bound)) ** 2
            found.setdefault(regime, []).append((took, measured, wrong))
    return {
        regime: Told(
            fmean(each for took, measured, _ in rows for each in (took, measured)),
            fmean(row[2] for row in rows),
        )
        for regime, rows in found.items()
    }


def _moves(rng: random.Random, regime: str, count: int) -> list[float]:
    """What runs differ by, in units of their spread."""
    match regime:
        case "trending":
            slope = rng.choice((-1, 1)) * rng.uniform(0.1, 0.6)
            return [slope * at + rng.gauss(0, 1) for at in range(count)]
        case "heavy tails":  # Student's t of three degrees
            return [rng.gauss(0, 1) / math.sqrt(rng.gammavariate(1.5, 2) / 3) for _ in range(count)]
        case "drifting":
            level, found = 0.0, []
            for _ in range(count):
                level += rng.gauss(0, 0.7)
                found.append(level + rng.gauss(0, 0.5))
            return found
        case _:
            return [rng.gauss(0, 1) for _ in range(count)]


REGIMES = ("stable", "trending", "heavy tails", "drifting", "near the gate")


if __name__ == "__main__":
    for name, figures in told(seed=7, count=1500).items():
        print(f"{name}: {figures.within:.1%} in their intervals, Brier {figures.brier:.3f}")
