"""What is expected of a stage, in words."""

from __future__ import annotations

from collections.abc import Callable

from plans.forecasts import FEWEST, Forecast, Interval
from plans.phrases import Words, number
from plans.stage import Stage
from tasks import measured_as

_SHOWN = 2  # metrics whose range is told: the task's first
_MINUTE, _HOUR = 60.0, 3600.0


def expected(stage: Stage, forecast: Forecast | None) -> Words:
    """Of a training how long it takes, what that costs and what it measures; of a gate its chance."""
    if forecast is None:
        return []
    if stage.kind == "Promotion":
        if forecast.chance is None:
            return [("passes", f"not known: {_few(forecast.runs)}")]
        return [("passes", f"probably in {forecast.chance:.0%} of such cases, by {_runs(forecast.runs)}")]
    if forecast.seconds is None:
        return [("takes", f"not known: {_few(forecast.runs)}")]
    return [
        ("takes", _range(forecast.seconds, _duration) + _price(stage, forecast.seconds)),
        *((name, _range(each, number)) for name, each in _first(forecast).items()),
    ]


def _first(forecast: Forecast) -> dict[str, Interval]:
    task = measured_as(set(forecast.metrics))
    names = [one.name for one in task.metrics] if task else sorted(forecast.metrics)
    return {
        name: forecast.metrics[name] for name in [each for each in names if each in forecast.metrics][:_SHOWN]
    }


def _price(stage: Stage, seconds: Interval) -> str:
    rate = stage.facts.get("ratePerHour")
    if not isinstance(rate, int | float):
        return ""
    low, high = (each / _HOUR * rate for each in (seconds.low, seconds.high))
    return f"; {low:.2f} to {high:.2f} at {rate:g} an hour"


def _range(each: Interval, said: Callable[[float], str]) -> str:
    told = [said(value) for value in (each.middle, each.low, each.high)]
    return f"about {told[0]}; {told[1]} to {told[2]} in nine of ten cases, by {_runs(each.runs)}"


def _duration(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    return f"{seconds / _MINUTE:.1f} min" if seconds < _HOUR else f"{seconds / _HOUR:.1f} h"


def _few(runs: int) -> str:
    return f"{_runs(runs)} on record, {FEWEST} are wanted"


def _runs(count: int) -> str:
    return f"{count} run" + "s" * (count != 1)
