"""What runs jobs for the runner: a pool of processes of this machine, or a Dask cluster.

The books stay with the runner. An executor is given an order and answers with what came of it, once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from localcloud.works.batch.jobs import JobProgress

PROCESSES = "processes"

Order = Mapping[str, Any]
Results = dict[str, Any]
OnProgress = Callable[[JobProgress], None]


class NotBegun(Exception):
    """The job was not begun, by no fault of its own: it is to be given again."""


class Slot(Protocol):
    """Room for one job."""

    async def run(self, order: Order, on_progress: OnProgress) -> Results:
        """Run a job; hash and size of each output. A cancelled call ends the job.

        Raises `JobFailure`, and `NotBegun`. The room is free afterwards.
        """

    def give_back(self) -> None:
        """Free the room without a job."""


class Executor(Protocol):
    """Where jobs run."""

    async def check(self) -> None:
        """Whether jobs can run there. Raises `StartError`."""

    def start(self) -> None:
        """Begin to take jobs."""

    async def stop(self) -> None:
        """End what runs."""

    async def room(self) -> Slot:
        """Wait until a further job could run."""
