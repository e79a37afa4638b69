"""When new data is distributed otherwise than what the model that is served was trained from.

The measure is the population stability index of each column (0.1 is a small shift, 0.25 a large one), or the statistic of
the two-sample Kolmogorov-Smirnov test (scipy's), between 0 and 1, for columns of numbers.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from clients.errors import ConfigurationError
from clients.storage import Blob, Container, beginning
from retrain_hooks.data.datasets import matching, resolve_dataset
from retrain_hooks.host.inputs import Duration, Inputs, prop
from retrain_hooks.registry.run_key import digest
from retrain_hooks.triggers.trigger import Decision, Scene
from tables import TableError, number, parts

NAME = "drift"
_BYTES = 16 * 2**20  # so much is read of each side
_BUCKETS = 10
_VALUES = 50  # of a column of texts the rarer ones are one
_LEAST_SHARE = 1e-4  # of an empty bucket
_LEAST_ROWS = 100

Column = Sequence[str | None]


@dataclass(frozen=True)
class Settings(Inputs):
    """A limit, and the data that it is held against."""

    psi: float | None = prop("the largest population stability index of a column", default=None, least=0)
    ks: float | None = prop(
        "the largest Kolmogorov-Smirnov statistic of a column", default=None, least=0, most=1
    )
    path: str = prop("the data that is compared, where it is not the latest data version", default="")
    columns: tuple[str, ...] = prop(
        "which columns, where it is not those that the model asks for", default=()
    )
    every: Duration = prop("how often that is read", default=Duration(3600), least=1)

    def validate(self) -> None:
        """Refuse no limit, and two. Raises ConfigurationError."""
        if (self.psi is None) == (self.ks is None):
            raise ConfigurationError("drift needs one limit", "write psi: 0.2, or ks: 0.1")


@dataclass(frozen=True)
class Facts:
    """How far each column is shifted; *problem* is why nothing can be told. *cause* identifies the two sets of data."""

    shifts: Mapping[str, float] = field(default_factory=dict)
    problem: str = ""
    cause: str = ""


def look(settings: Settings, scene: Scene) -> Facts:
    """Read both sides, the first 16 MiB of each. Raises RetrainError."""
    run = scene.served()
    if run is None or not run.data.get("etags"):
        return Facts(problem="which data the model was trained from is not on record")
    trained_on = scene.context.data(scene.target, run.data["container"])
    etags: Mapping[str, str] = run.data["etags"]
    there = {name: trained_on.stat(name) for name in etags}
    if changed := [name for name, blob in there.items() if blob is None or blob.etag != etags[name]]:
        return Facts(problem=f"{changed[0]}, from which the model was trained, is not what it was")
    container = scene.context.data(scene.target)
    blobs = _compared(settings, scene, container)
    now = {blob.name: blob.etag for blob in blobs}
    if now == etags:
        return Facts(problem="the latest data is what the model was trained from")
    before, after = _columns(trained_on, list(etags)), _columns(container, list(now))
    asked = settings.columns or (run.learnt.columns if run.learnt else ()) or before
    return compare(settings, {name: before.get(name, ()) for name in asked}, after, digest([etags, now]))


def decide(settings: Settings, facts: Facts, now: datetime) -> Decision:
    """Fire where a column is shifted by more than the limit."""
    again = now + timedelta(seconds=settings.every)
    if facts.problem:
        return Decision(False, facts.problem, again)
    called, limit = ("PSI", settings.psi) if settings.psi is not None else ("KS", settings.ks)
    worst = sorted(facts.shifts.items(), key=lambda one: -one[1])
    over = [f"{name} {shift:.3g}" for name, shift in worst if limit is not None and shift > limit]
    if over:
        reason = f"the data has drifted: {called} of {', '.join(over[:3])}; the limit is {limit:g}"
        return Decision(True, reason, again, facts.cause)
    most = f": {worst[0][0]} {worst[0][1]:.3g}" if worst else ""
    return Decision(False, f"no column has a {called} over {limit:g}{most}", again)


def compare(
    settings: Settings, before: Mapping[str, Column], after: Mapping[str, Column], cause: str = ""
) -> Facts:
    """How far the columns of *before* are shifted in *after*, both by name."""
    if missing := [name for name in before if name not in after]:
        return Facts(problem=f"the data has no column {missing[0]!r}, which the model was trained from")
    fewest = min((len(column) for name in before for column in (before[name], after[name])), default=0)
    if fewest < _LEAST_ROWS:
        return Facts(problem=f"{fewest} rows are too few to compare, {_LEAST_ROWS} are wanted")
    measure = psi if settings.psi is not None else ks
    shifts = {name: measure(before[name], after[name]) for name in before}
    return Facts({name: shift for name, shift in shifts.items() if shift is not None}, cause=cause)


def psi(before: Column, after: Column) -> float:
    """The population stability index: over the deciles of *before* where that has many numbers, else over its values."""
    numbers = _numbers(before)
    if numbers is not None and len(set(numbers)) > 2 * _BUCKETS:
        ordered = sorted(numbers)
        edges = [ordered[len(ordered) * at // _BUCKETS] for at in range(1, _BUCKETS)]
        shares = [_shares(_bucket(value, edges) for value in column) for column in (before, after)]
    else:
        known = {value for value, _count in Counter(before).most_common(_VALUES)}
        shares = [_shares(value if value in known else "…" for value in column) for column in (before, after)]
    expected, actual = shares
    return sum(
        (actual[bucket] - expected[bucket]) * math.log(actual[bucket] / expected[bucket])
        for bucket in expected.keys() | actual.keys()
    )


def ks(before: Column, after: Column) -> float | None:
    """The Kolmogorov-Smirnov statistic; None for what is no column of numbers."""
    from scipy.stats import ks_2samp

    one, other = _numbers(before), _numbers(after)
    return float(ks_2samp(one, other).statistic) if one and other else None


def _numbers(column: Column) -> list[float] | None:
    """Its values without the missing ones; None where one is no number, or there is none."""
    try:
        return [float(number(value)) for value in column if value is not None] or None
    except ValueError:
        return None


def _bucket(value: str | None, edges: Sequence[float]) -> int | str | None:
    try:
        return None if value is None else bisect_right(edges, float(number(value)))
    except ValueError:
        return "no number"


def _shares(buckets: Iterable[object]) -> defaultdict[object, float]:
    counts = Counter(buckets)
    whole = counts.total()
    found: defaultdict[object, float] = defaultdict(lambda: _LEAST_SHARE)
    found.update({bucket: max(count / whole, _LEAST_SHARE) for bucket, count in counts.items()})
    return found


def _compared(settings: Settings, scene: Scene, container: Container) -> Sequence[Blob]:
    if settings.path:
        return matching(container, settings.path)
    return resolve_dataset(container, str(scene.config.get("dataPath") or ""), "latest").blobs


def _columns(container: Container, names: Sequence[str]) -> Mapping[str, Column]:
    """The columns of the tables *names*, of as many bytes as are read, each table's share alike."""
    found: defaultdict[str, list[str | None]] = defaultdict(list)
    wanted = parts(names)
    share = _BYTES // max(len(wanted), 1)
    for name in wanted:
        try:
            for _line, row in beginning(container, name, share).records():
                for column, value in row.items():
                    found[column].append(value)
        except TableError as error:
            raise ConfigurationError(error.cause, error.remedy) from None
    return found
