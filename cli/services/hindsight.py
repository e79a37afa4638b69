"""What forecasts said of past runs, each by the runs before it, beside what came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plans.forecasts import Interval, forecast
from tasks import measured_as

if TYPE_CHECKING:
    from retrain_hooks.registry.ledger import Run

_WINDOW = 20  # runs that a forecast rests on at most


@dataclass(frozen=True)
class Hindsight:
    """A run: what was said of its duration and of its headline metric, and of its chance; what came."""

    key: str
    seconds: Interval | None
    took: float | None
    metric: str
    expected: Interval | None
    measured: float | None
    chance: float | None
    passed: bool | None


def hindsight(runs: Iterable[Run], verdicts: Iterable[Mapping[str, Any]]) -> list[Hindsight]:
    """Of each finished run, the oldest first. *verdicts* as they are recorded: the last on each run tells its rules."""
    judged = {
        str(each["candidate"]["key"]): each for each in sorted(verdicts, key=lambda one: str(one["judgedAt"]))
    }
    before: dict[str, list[Run]] = {}
    found = []
    for run in runs:
        if run.state not in ("finished", "retired") or run.adopted:
            continue
        past = before.setdefault(run.experiment, [])
        found.append(
            _looked_back(run, past[-_WINDOW:], judged.get(run.key), {each.key: each for each in past})
        )
        past.append(run)
    return found


def _looked_back(
    run: Run, past: Sequence[Run], verdict: Mapping[str, Any] | None, known: Mapping[str, Run]
) -> Hindsight:
    rules = [str(rule) for rule in verdict["gate"].get("rules", [])] if verdict else []
    champion = known.get(str((verdict["champion"] or {}).get("key", ""))) if verdict else None
    told = forecast(
        [each.seconds for each in past if each.seconds is not None],
        [each.metrics for each in past],
        rules,
        champion.metrics if champion else None,
    )
    task = measured_as(set(run.metrics))
    name = task.headline if task else ""
    value = run.metrics.get(name)
    return Hindsight(
        run.key,
        told.seconds,
        run.seconds,
        name,
        told.metrics.get(name),
        value if isinstance(value, int | float) else None,
        told.chance if rules else None,
        verdict["outcome"] == "passed" if verdict else None,
    )


def covered(pairs: Iterable[tuple[Interval | None, float | None]]) -> tuple[int, int]:
    """Of how many intervals what came lies within, and how many there are."""
    told = [(said.low <= came <= said.high) for said, came in pairs if said is not None and came is not None]
    return sum(told), len(told)


def brier(found: Iterable[Hindsight]) -> tuple[float, int] | None:
    """The mean square of what chances were wrong by, and how many there are; None where there is none."""
    told = [
        (one.chance - one.passed) ** 2 for one in found if one.chance is not None and one.passed is not None
    ]
    return (sum(told) / len(told), len(told)) if told else None
