"""Submits the jobs of schedules that are due, as long as the server runs.

A job is named by its schedule and the time at which it was due, and is written down together with when the schedule is due
next: a server that is killed in between submits it once. Where one was down, or asleep, it submits one job for all times that
passed, the latest, which says how many others it stands for.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from localcloud.arm.errors import ArmError
from localcloud.azureml.assets.places import Document, Workspace
from localcloud.azureml.assets.workspace import TYPE
from localcloud.azureml.jobs.operations import create
from localcloud.azureml.jobs.request import completed
from localcloud.azureml.jobs.state import Jobs
from localcloud.azureml.schedules.times import Trigger, trigger_of

_log = logging.getLogger("localcloud.azureml.schedules")

SCHEDULES = f"{TYPE}/schedules"
# Below it stands in a document what is not shown: who made it at which address, and when it is due.
LOCAL = "local"
# A property of a job that stands for other times, too; the service has no such.
MISSED = "local-missed"
_LONGEST = 30.0  # a machine that slept has another time than a loop's timer


class Clockwork:
    """Looks after all schedules. Used from the event loop only."""

    def __init__(self, jobs: Jobs, submit: Callable[[str], None]) -> None:
        self._jobs, self._submit = jobs, submit
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End it; what is due meanwhile is submitted after the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def look(self) -> None:
        """Look again: a schedule is another now."""
        self._changed.set()

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            pause = _LONGEST
            for schedule in list(self._due_ones()):
                try:
                    self.fire(schedule, datetime.now(UTC))
                except Exception:
                    _log.exception("the schedule %s met an unexpected error", schedule["name"])
            for schedule in self._enabled():
                left = datetime.fromisoformat(schedule[LOCAL]["due"]) - datetime.now(UTC)
                pause = min(pause, max(0.0, left.total_seconds()))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), pause or 0.1)

    def _enabled(self) -> Iterator[Document]:
        rows = self._jobs.store.rows(
            "SELECT document FROM arm WHERE key LIKE ?", f"%/providers/{TYPE}/%/schedules/%".lower()
        )
        for row in rows:
            schedule = json.loads(row["document"])
            if schedule["properties"]["isEnabled"] and schedule[LOCAL]["due"]:
                yield schedule

    def _due_ones(self) -> Iterator[Document]:
        moment = datetime.now(UTC)
        return (one for one in self._enabled() if datetime.fromisoformat(one[LOCAL]["due"]) <= moment)

    def fire(self, schedule: Document, moment: datetime) -> None:
        """Submit the job of the latest time that was due by then."""
        trigger, local = trigger_of(schedule["properties"]), schedule[LOCAL]
        times, due = [], datetime.fromisoformat(local["due"])
        created = datetime.fromisoformat(local["created"])
        following: datetime | None = due
        while following is not None and following <= moment:
            times.append(following)
            following = trigger.after(following, created)
        missed = len(times) - 1
        kept = {**schedule, LOCAL: {**local, "due": following.isoformat() if following else ""}}
        job_id = ""
        with self._jobs.store.transaction():
            self._jobs.store.arm_put(schedule["id"], kept)
            try:
                job_id = submitted(self._jobs, schedule, times[-1], missed)
            except ArmError as error:
                _log.warning("the schedule %s was due, and has no job: %s", schedule["name"], error)
        if missed:
            _log.warning("the schedule %s was due %d times more: one job for all", schedule["name"], missed)
        if job_id:
            self._submit(job_id)


def submitted(jobs: Jobs, schedule: Document, due: datetime, missed: int = 0) -> str:
    """Write down the job that a schedule has for a time; its id. Raises ArmError where it can't be run, or is there."""
    found = jobs.store.arm_get(schedule["id"].rpartition("/schedules/")[0])
    assert found is not None  # a schedule goes with its workspace
    workspace = Workspace(jobs.store, jobs.cloud, found)
    name = job_name(schedule["name"], due)
    definition = {**schedule["properties"]["action"]["jobDefinition"], "displayName": name}
    if missed:
        held = definition.get("properties") or {}
        definition["properties"] = {**held, MISSED: str(missed)}
    properties = completed(workspace, name, {"properties": definition})
    by = {**schedule["systemData"], "createdAt": _written(datetime.now(UTC))}
    who = {key: by[key] for key in ("createdBy", "createdByType", "createdAt")}
    return str(create(jobs, workspace, name, properties, who, schedule[LOCAL]["base"])["id"])


def job_name(schedule: str, due: datetime) -> str:
    """How the job is called that a schedule has for a time."""
    return f"{schedule}-{due:%Y%m%dT%H%M%SZ}"


def due_first(trigger: Trigger, created: datetime) -> str:
    """When a schedule that is made now is due first; empty: never."""
    due = trigger.after(created - timedelta(microseconds=1), created)
    return due.isoformat() if due else ""


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
