"""What pages tell, as plain values, and who is asked for them: pages know no service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Part = Literal["runs", "jobs", "plan", "drift", "score", "journal"]
TaskState = Literal["none", "running", "done", "failed"]


class Problem(Exception):
    """What a person is told instead of an answer: a line of *cause*, and one of *remedy* where there is any."""

    def __init__(self, cause: str, remedy: str = "", status: int = 422) -> None:
        super().__init__(cause)
        self.cause, self.remedy, self.status = cause, remedy, status


@dataclass(frozen=True)
class Endpoint:
    """An endpoint: its *id* in forms, what it *serves* (a model or run, as people know it), what is *said* of that, and
    whether it *scores* rows.
    """

    id: str
    name: str
    url: str = ""
    serves: str = ""
    run: str = ""
    data_version: str = ""
    said: str = ""
    scores: bool = True


@dataclass(frozen=True)
class Run:
    """A training run on record; *value* is what its headline *metric* came to."""

    key: str
    experiment: str
    state: str
    data_version: str = ""
    when: str = ""
    seconds: float | None = None
    metric: str = ""
    value: float | None = None
    bound: Sequence[str] = ()
    error: str = ""


@dataclass(frozen=True)
class RunDetail:
    """All that is on record of a run: *facts* and *metrics* in words, and the gate's *verdicts* with a line a rule."""

    run: Run
    facts: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    verdicts: Sequence[tuple[str, Sequence[str]]] = ()


@dataclass(frozen=True)
class Job:
    """A job of a service. *share* of it is done (0 to 1), None where nobody knows; *doing* is what it is at."""

    id: str
    name: str
    state: str
    over: bool
    since: str = ""
    doing: str = ""
    share: float | None = None
    error: str = ""


@dataclass(frozen=True)
class Call:
    """A call that the local cloud answered."""

    id: int
    at: str
    method: str
    path: str
    status: int
    effect: str
    service: str
    fault: str = ""


@dataclass(frozen=True)
class Task:
    """What goes on in the background: a preview, an update, a look at data. *said* are the lines that it wrote last."""

    kind: str = ""
    state: TaskState = "none"
    since: str = ""
    ended: str = ""
    said: Sequence[str] = ()
    cause: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Stage:
    """A stage of a plan in words: its *title*, and lines of a title and a text each."""

    title: str
    words: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Plan:
    """A plan that can be approved by its *key*: in one line, and stage by stage; *others* are the steps besides."""

    key: str
    headline: str
    stages: Sequence[Stage] = ()
    others: Sequence[tuple[str, str]] = ()
    changes: bool = True


@dataclass(frozen=True)
class Candidate:
    """The run with *key*, which waits for a person, in *words*: *planned* and not trained yet, or past its gate and not served.

    One that is *approved* waits for the next update.
    """

    key: str
    data_version: str = ""
    words: Sequence[str] = ()
    planned: bool = False
    approved: bool = False


@dataclass(frozen=True)
class Planning:
    """The plan as it stands: what makes one or carries one out, the plan that was made, and what waits to be approved."""

    task: Task = Task()
    plan: Plan | None = None
    waits: Sequence[Candidate] = ()
    may_approve: bool = False


@dataclass(frozen=True)
class Shift:
    """How far a column of the data has moved, by the measure that is told; *over* the limit."""

    column: str
    value: float
    over: bool


@dataclass(frozen=True)
class Drift:
    """The data held against what the model that serves was trained from: *told* in words, and by column."""

    task: Task = Task()
    told: str = ""
    measure: str = ""
    shifts: Sequence[Shift] = ()


@dataclass(frozen=True)
class Overview:
    """What serves; *notes* say what is not told, and why. *at* is when it was looked up (UTC, ISO 8601)."""

    endpoints: Sequence[Endpoint]
    at: str = ""
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Runs:
    """Some of the runs, the newest first, of *total*."""

    runs: Sequence[Run]
    total: int
    offset: int = 0
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Jobs:
    """The jobs that run, and those that ended last."""

    jobs: Sequence[Job]
    notes: Sequence[str] = ()


class Source(Protocol):
    """Whoever knows. Each answer may raise Problem; of a *part* that it does not have nothing is asked."""

    @property
    def title(self) -> str:
        """What the pages are about: ``Stack dev``."""

    @property
    def parts(self) -> Sequence[Part]:
        """What it can tell."""

    async def overview(self) -> Overview:
        """The endpoints, and what they serve."""

    async def runs(self, offset: int, limit: int) -> Runs:
        """At most *limit* runs."""

    async def run(self, key: str) -> RunDetail:
        """The run whose key begins so."""

    async def jobs(self) -> Jobs:
        """Jobs, the live ones first."""

    async def planning(self) -> Planning:
        """The plan as it stands."""

    async def make_plan(self) -> None:
        """Begin a preview."""

    async def carry_out(self, key: str) -> None:
        """Begin an update that does what the plan with this *key* says, and nothing else."""

    async def approve(self, key: str) -> None:
        """Approve the candidate with this run key."""

    async def drift(self) -> Drift:
        """What was found out about the data."""

    async def look_for_drift(self) -> None:
        """Begin to read the data."""

    async def columns(self, endpoint: str) -> Mapping[str, str]:
        """The columns of a row that an endpoint scores, with a value each to begin with; none where nobody knows them."""

    async def score(self, endpoint: str, row: Mapping[str, Any]) -> Mapping[str, str]:
        """What the endpoint with this id answers to a row."""

    async def journal(self, limit: int) -> Sequence[Call]:
        """The last calls, the newest first."""


class LiveOnly:
    """What a `Source` is without runs, plans and drift: of these it is never asked."""

    async def runs(self, offset: int, limit: int) -> Runs:
        """Nothing."""
        raise _UNKNOWN

    async def run(self, key: str) -> RunDetail:
        """Nothing."""
        raise _UNKNOWN

    async def planning(self) -> Planning:
        """Nothing."""
        raise _UNKNOWN

    async def make_plan(self) -> None:
        """Nothing."""
        raise _UNKNOWN

    async def carry_out(self, key: str) -> None:
        """Nothing."""
        raise _UNKNOWN

    async def approve(self, key: str) -> None:
        """Nothing."""
        raise _UNKNOWN

    async def drift(self) -> Drift:
        """Nothing."""
        raise _UNKNOWN

    async def look_for_drift(self) -> None:
        """Nothing."""
        raise _UNKNOWN


_UNKNOWN = Problem("There is no such page.", "Go to the first page.", 404)
