"""What a plan cannot know, told from what came before: how long, how good, whether the gate lets it through.

An interval holds nine of ten runs, if the next goes on as those before went: a prediction interval of Student's t over at least
`FEWEST` runs, of durations over their logarithms. Its middle is told in one of three ways: as the mean of all, on their line, or by
exponential smoothing, which follows what wanders; that one is taken which would have told each run best by those before it. A chance
is that of the same distribution; of several rules the least. Quantiles: Abramowitz and Stegun, Handbook of Mathematical Functions,
26.7.5 and 26.7.8.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import NormalDist, fmean, linear_regression, stdev
from typing import Any, Final

FEWEST: Final = 5
NINE_OF_TEN: Final = 0.9
_NORMAL: Final = NormalDist()
_SHARES: Final = (0.3, 0.5, 0.7, 0.9)
_FIRST: Final = 3  # values that a way is tried after
_CHOSEN: Final = 1.05  # wider, since the way was chosen by the values that its spread is told by
Way = Callable[[Sequence[float]], tuple[float, float, int]]
_RULE: Final = re.compile(r"(\w+)\s*(>=|>|<=|<)\s*(champion)?\s*([+-]?\s*[\d.]+)?")


@dataclass(frozen=True)
class Interval:
    """What nine of ten runs lie within, the middle of it, and how many *runs* that rests on."""

    low: float
    middle: float
    high: float
    runs: int


@dataclass(frozen=True)
class Forecast:
    """What is expected of a run: its *seconds*, its *metrics*, and the *chance* that the gate lets it through; None and
    empty where too little is known.
    """

    seconds: Interval | None
    metrics: Mapping[str, Interval]
    chance: float | None
    runs: int

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Forecast:
        """From JSON."""
        seconds = Interval(**data["seconds"]) if data["seconds"] else None
        metrics = {name: Interval(**each) for name, each in data["metrics"].items()}
        return cls(seconds, metrics, data["chance"], data["runs"])


def interval(values: Sequence[float], *, positive: bool = False) -> Interval | None:
    """The prediction interval of the next value; None where there are too few. *positive* ones spread by factors."""
    told = [math.log(value) if positive else value for value in values if not positive or value > 0]
    if len(told) < FEWEST:
        return None
    middle, spread, freedom = _next(told)
    reach = quantile(0.5 + NINE_OF_TEN / 2, freedom) * spread
    ends = [middle - reach, middle, middle + reach]
    low, mid, high = map(math.exp, ends) if positive else ends
    return Interval(low, mid, high, len(told))


def chance(values: Sequence[float], op: str, bound: float) -> float | None:
    """How probable it is that the next value holds against a bound; None where there are too few."""
    if len(values) < FEWEST:
        return None
    middle, spread, freedom = _next(values)
    if not spread:
        return float(middle >= bound if op.startswith(">") else middle <= bound)
    below = distribution((bound - middle) / spread, freedom)
    return 1 - below if op.startswith(">") else below


def forecast(
    seconds: Sequence[float],
    metrics: Sequence[Mapping[str, Any]],
    rules: Sequence[str] = (),
    champion: Mapping[str, Any] | None = None,
) -> Forecast:
    """What to expect after runs that took so many *seconds* and measured these *metrics*, the oldest first.

    *rules* are the gate's, held against the *champion*'s metrics where they name it.
    """
    names = dict.fromkeys(name for each in metrics for name in each)
    told = {name: _values(metrics, name) for name in names}
    intervals = {name: found for name, values in told.items() if (found := interval(values))}
    chances = [_chance(rule, told, champion or {}) for rule in rules]
    known = [each for each in chances if each is not None]
    whole = min(known) if known and len(known) == len(chances) else None
    return Forecast(interval(seconds, positive=True), intervals, whole, len(metrics))


def quantile(share: float, freedom: int) -> float:
    """The value below which so large a share of Student's t lies."""
    z = _NORMAL.inv_cdf(share)
    g = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    more: float = sum(term / freedom ** (power + 1) for power, term in enumerate(g))
    return z + more


def distribution(value: float, freedom: int) -> float:
    """The share of Student's t that lies below a value."""
    scaled = value * (1 - 1 / (4 * freedom)) / math.sqrt(1 + value**2 / (2 * freedom))
    return _NORMAL.cdf(scaled)


def _next(values: Sequence[float]) -> tuple[float, float, int]:
    """Middle, spread and degrees of freedom of the value after these, by the way that would have told those best."""
    ways: list[Way] = [_level, _line, *(partial(_smoothed, share) for share in _SHARES)]
    middle, spread, freedom = min(ways, key=lambda way: _missed(way, values))(values)
    return middle, spread * _CHOSEN, freedom


def _missed(way: Way, values: Sequence[float]) -> float:
    """By how much a way would have missed each value, told by those before it: the sum of squares."""
    return sum((values[at] - way(values[:at])[0]) ** 2 for at in range(_FIRST, len(values)))


def _level(values: Sequence[float]) -> tuple[float, float, int]:
    """The next is like all before."""
    return fmean(values), stdev(values) * math.sqrt(1 + 1 / len(values)), len(values) - 1


def _line(values: Sequence[float]) -> tuple[float, float, int]:
    """The next goes on as all went up or down."""
    count, places = len(values), range(len(values))
    slope, start = linear_regression(places, values)
    missed = sum((value - start - slope * at) ** 2 for at, value in enumerate(values))
    wide = 1 + 1 / count + (count - fmean(places)) ** 2 / sum((at - fmean(places)) ** 2 for at in places)
    return start + slope * count, math.sqrt(missed / (count - 2) * wide), count - 2


def _smoothed(share: float, values: Sequence[float]) -> tuple[float, float, int]:
    """The next is like the last ones: of each, so large a share of what it was missed by is gone along with."""
    middle, missed = values[0], 0.0
    for value in values[1:]:
        missed += (value - middle) ** 2
        middle += share * (value - middle)
    count = len(values)
    return middle, math.sqrt(missed / (count - 1) * (1 + 1 / count)), count - 2


def _values(metrics: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    found = (each.get(name) for each in metrics)
    return [float(value) for value in found if isinstance(value, int | float) and math.isfinite(value)]


def _chance(rule: str, told: Mapping[str, Sequence[float]], champion: Mapping[str, Any]) -> float | None:
    found = _RULE.fullmatch(rule.strip())
    if found is None:
        return None
    name, op, other, number = found.groups()
    bound = float((number or "0").replace(" ", ""))
    if other:
        if not champion:
            return 1.0
        if not isinstance(champion.get(name), int | float):
            return None
        bound += float(champion[name])
    return chance(told.get(name, ()), op, bound)
