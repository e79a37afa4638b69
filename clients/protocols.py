"""The three things a target must be able to do, whatever its wire looks like.

A target is one folder that offers these; dynamic providers know nothing else of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from clients.storage import BlobRef


class JobState(Enum):
    """Where a batch job stands."""

    NOT_STARTED = "NotStarted"
    RUNNING = "Running"
    FINISHED = "Finished"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    LOST = "Lost"

    @property
    def ended(self) -> bool:
        """Whether it will not change any more."""
        return self not in (JobState.NOT_STARTED, JobState.RUNNING)


@dataclass(frozen=True)
class JobStatus:
    """One look at a job: *results* by output name when finished, *details* the service's own error text.

    *progress* names the running module and *rows* its input rows, where the service tells.
    """

    state: JobState
    results: Mapping[str, BlobRef]
    details: str = ""
    progress: str = ""
    rows: int | None = None


class Jobs(Protocol):
    """Batch jobs of one training service."""

    def create(
        self,
        inputs: Mapping[str, BlobRef],
        outputs: Mapping[str, BlobRef],
        parameters: Mapping[str, str],
    ) -> str:
        """Submit a job without starting it; its id."""

    def start(self, job: str) -> None:
        """Start it; one that was started already is no error."""

    def status(self, job: str) -> JobStatus:
        """Look at it; state LOST where the service does not know it."""

    def cancel(self, job: str) -> None:
        """Stop and forget it; one that is gone is no error."""

    def fetch(self, result: BlobRef) -> bytes:
        """The content of a result."""


@dataclass(frozen=True)
class Binding:
    """What an endpoint serves: the updatable *resource*'s name and the *location* (``container/path``) of its model."""

    resource: str
    location: str


class Bindings(Protocol):
    """Which model one endpoint serves."""

    def read(self) -> list[Binding]:
        """What it serves now; NotFound where there is no such endpoint."""

    def write(self, resource: str, model: BlobRef) -> None:
        """Make it serve *model*."""


class Scoring(Protocol):
    """Request-response scoring of one endpoint."""

    def score(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
        """The first output's rows for *rows* of the first input; values as the service wrote them."""
