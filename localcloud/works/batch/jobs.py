"""Jobs as the local cloud keeps them, and the order in which they run.

A job records its graph, its models and its checked request when it is submitted, so that it can be run again from
that record after the server was killed. `QUEUED` is ours: the wire says NotStarted until a worker has the job. So is
`STALLED`, a fault on request: the wire says Running, and no worker has the job.

Of jobs that ended, and of jobs that nobody started, the last `MOST` of each are kept: the others are forgotten, as if
they had been deleted. What is queued or runs always stays.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict
from uuid import uuid4

from localcloud.facilities.store import Store, now
from localcloud.works.services import Resource, dump_resources, load_resources

NOT_STARTED = "NotStarted"
QUEUED = "Queued"
RUNNING = "Running"
STALLED = "Stalled"
FAILED = "Failed"
FINISHED = "Finished"

MOST = 1000
# Each with the column by which its jobs are old.
_BOUNDED = (((FINISHED, FAILED), "finished"), ((NOT_STARTED, NOT_STARTED), "created"))


@dataclass(frozen=True)
class JobRequest:
    """A checked request: blob references by port name as they were sent, and the values of all parameters."""

    inputs: dict[str, dict[str, Any]] = field(repr=False)
    outputs: dict[str, dict[str, Any]] = field(repr=False)
    parameters: dict[str, str]


class JobProgress(TypedDict):
    """Where a running job is; a local extension of the status."""

    Module: str
    Rows: int
    Done: int
    Total: int


@dataclass(frozen=True)
class Job:
    """One batch job."""

    id: str
    endpoint_id: str
    state: str
    package: str
    resources: tuple[Resource, ...]
    request: JobRequest
    details: str | None


@dataclass(frozen=True)
class Run:
    """What became of a job, and when."""

    id: str
    state: str
    details: str | None
    created: str
    finished: str | None


class Jobs:
    """Reads and writes jobs."""

    def __init__(self, store: Store, most: int = MOST) -> None:
        self._store = store
        self._most = most

    def create(
        self, endpoint_id: str, package: str, resources: Sequence[Resource], request: JobRequest
    ) -> str:
        """Record a job that does not run yet; its id."""
        job_id = uuid4().hex
        self._store.insert(
            "jobs",
            id=job_id,
            endpoint_id=endpoint_id,
            state=NOT_STARTED,
            package=package,
            resources=dump_resources(resources),
            request=json.dumps(vars(request)),
            created=now(),
        )
        self._forget_old()
        return job_id

    def _forget_old(self) -> None:
        for states, column in _BOUNDED:
            self._store.change(
                "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE state IN (?, ?)"  # noqa: S608 - no input
                f" ORDER BY {column} DESC, rowid DESC LIMIT -1 OFFSET ?)",
                *states,
                self._most,
            )

    def get(self, endpoint_id: str, job_id: str) -> Job | None:
        """A job of an endpoint."""
        return self._one("SELECT * FROM jobs WHERE endpoint_id=? AND id=?", endpoint_id, job_id)

    def last(self, experiment_id: str, state: str) -> Job | None:
        """The newest job in a state, of the web service that an experiment was published as."""
        return self._one(
            "SELECT j.* FROM jobs j JOIN endpoints e ON e.id=j.endpoint_id JOIN services s ON s.id=e.service_id"
            " WHERE s.experiment_id=? AND j.state=? ORDER BY j.rowid DESC LIMIT 1",
            experiment_id,
            state,
        )

    def runs(self, workspace_id: str) -> dict[str, Run]:
        """The newest job that was started, by the experiment that its web service was published from."""
        rows = self._store.rows(
            "SELECT s.experiment_id, max(j.rowid), j.id, j.state, j.details, j.created, j.finished FROM jobs j"
            " JOIN endpoints e ON e.id=j.endpoint_id JOIN services s ON s.id=e.service_id"
            " WHERE s.workspace_id=? AND j.state!=? GROUP BY s.experiment_id",
            workspace_id,
            NOT_STARTED,
        )
        return {
            row["experiment_id"]: Run(
                row["id"], row["state"], row["details"], row["created"], row["finished"]
            )
            for row in rows
        }

    def newest(self, limit: int) -> list[tuple[str, Run]]:
        """The jobs that are queued or run, then those that ended last: each with the name of its web service."""
        rows = self._store.rows(
            "SELECT s.name, j.id, j.state, j.details, j.created, j.finished FROM jobs j"
            " JOIN endpoints e ON e.id=j.endpoint_id JOIN services s ON s.id=e.service_id"
            " WHERE j.state!=? ORDER BY j.finished IS NOT NULL, j.finished DESC, j.rowid LIMIT ?",
            NOT_STARTED,
            limit,
        )
        return [
            (row["name"], Run(row["id"], row["state"], row["details"], row["created"], row["finished"]))
            for row in rows
        ]

    def exists(self, job_id: str) -> bool:
        """Whether the job is still known: it goes with its endpoint, its service and its workspace too."""
        return self._store.row("SELECT 1 FROM jobs WHERE id=?", job_id) is not None

    def start(self, job_id: str) -> bool:
        """Put a job that was never started at the end of the queue; False for any other."""
        changed = self._store.change(
            "UPDATE jobs SET state=?, position=(SELECT coalesce(max(position), 0) + 1 FROM jobs)"
            " WHERE id=? AND state=?",
            QUEUED,
            job_id,
            NOT_STARTED,
        )
        return changed > 0

    def take(self) -> Job | None:
        """Take the job that waits longest and mark it as running."""
        with self._store.transaction():
            job = self._one("SELECT * FROM jobs WHERE state=? ORDER BY position LIMIT 1", QUEUED)
            if job is not None:
                self._store.change("UPDATE jobs SET state=? WHERE id=?", RUNNING, job.id)
            return job

    def put_back(self, job_id: str) -> None:
        """Queue a job again, where it stood, that no worker has begun."""
        self._store.change("UPDATE jobs SET state=? WHERE id=? AND state=?", QUEUED, job_id, RUNNING)

    def finish(self, job_id: str, results: dict[str, Any]) -> None:
        """Record success, with hash and size of each output."""
        self._end(job_id, FINISHED, json.dumps(results), None)

    def fail(self, job_id: str, details: str) -> None:
        """Record failure with its one line."""
        self._end(job_id, FAILED, None, details)

    def recover(self) -> int:
        """Queue again, in their order, the jobs that ran or stalled when the server ended; how many."""
        return self._store.change("UPDATE jobs SET state=? WHERE state IN (?, ?)", QUEUED, RUNNING, STALLED)

    def stall(self, job_id: str) -> None:
        """Keep a queued job from being taken."""
        self._store.change("UPDATE jobs SET state=? WHERE id=? AND state=?", STALLED, job_id, QUEUED)

    def release(self, job_id: str | None = None) -> None:
        """Queue a stalled job again where it stood, or all of them."""
        self._store.change(
            "UPDATE jobs SET state=? WHERE state=? AND id=coalesce(?, id)", QUEUED, STALLED, job_id
        )

    def delete(self, job_id: str) -> None:
        """Forget a job."""
        self._store.change("DELETE FROM jobs WHERE id=?", job_id)

    def models(self) -> set[str]:
        """The hashes of all models that jobs still need."""
        rows = self._store.rows(
            "SELECT resources FROM jobs WHERE state IN (?, ?, ?, ?)", NOT_STARTED, QUEUED, RUNNING, STALLED
        )
        return {resource.sha256 for row in rows for resource in load_resources(row["resources"])}

    def _end(self, job_id: str, state: str, results: str | None, details: str | None) -> None:
        self._store.change(
            "UPDATE jobs SET state=?, results=?, details=?, finished=? WHERE id=? AND state=?",
            state,
            results,
            details,
            now(),
            job_id,
            RUNNING,
        )

    def _one(self, sql: str, *arguments: object) -> Job | None:
        row = self._store.row(sql, *arguments)
        if row is None:
            return None
        return Job(
            id=row["id"],
            endpoint_id=row["endpoint_id"],
            state=row["state"],
            package=row["package"],
            resources=load_resources(row["resources"]),
            request=JobRequest(**json.loads(row["request"])),
            details=row["details"],
        )
