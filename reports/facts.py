"""What a report tells, as plain values: whoever gathers them knows the services, the page knows none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class RunFacts:
    """A training run: its *key*, what it was trained from, when (UTC, ISO 8601), for how many *seconds*, what it measured,
    and the endpoints that serve it.
    """

    key: str
    experiment: str
    data_version: str
    data_digest: str
    state: str
    when: str
    seconds: float | None
    metrics: Mapping[str, float]
    bound: Sequence[str] = ()
    error: str = ""


@dataclass(frozen=True)
class Judged:
    """A verdict: of which *rules*, each with whether it passed; an empty *champion* had none to beat."""

    candidate: str
    champion: str
    outcome: str
    when: str
    rules: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Bound:
    """An *endpoint* that got the model of the run *key* by an update that ended *when*."""

    when: str
    endpoint: str
    key: str


@dataclass(frozen=True)
class Scores:
    """What models said of the same rows: *outcomes* (`tasks.Outcome`) by run key, and whose rows these are."""

    rows: str
    task: str
    outcomes: Mapping[str, Any]
    metrics: Mapping[str, Mapping[str, float]]
    importance: Sequence[tuple[str, float]] = ()
    problem: str = ""


@dataclass(frozen=True)
class Member:
    """A fleet's member: its *endpoint*, its *state*, the *key* of its run, and why it has not what it is to have."""

    name: str
    endpoint: str
    state: str
    key: str
    error: str = ""


@dataclass(frozen=True)
class Column:
    """A column of the data: its *kind*, what its values are like (*values*), the share of its cells that is missing, and its population stability index against
    the data that the model which serves was trained from; None where that is not told.
    """

    name: str
    kind: str
    missing: float
    values: str = ""
    shift: float | None = None


@dataclass(frozen=True)
class Report:
    """All of it. *limits* are the gate's: by metric, the numbers that rules hold it against."""

    stack: str
    made: str
    endpoint: str
    serving: str
    runs: Sequence[RunFacts]
    verdicts: Sequence[Judged]
    bindings: Sequence[Bound]
    rules: Sequence[str]
    limits: Mapping[str, Sequence[float]] = field(default_factory=dict)
    scores: Scores | None = None
    columns: Sequence[Column] = ()
    columns_of: str = ""
    rate_per_hour: float | None = None
    compared: Sequence[str] = ()
    """The keys of the runs that are compared, the one that serves first."""
    members: Sequence[Member] = ()
    """Of a fleet, in place of one endpoint."""
    notes: Sequence[str] = ()
    """What is not told, and why."""
