"""Schedules of a workspace, as somebody reads them: whether one goes on, and the jobs that it has submitted.

The service calls such a job by the schedule and the time at which it was due, `nightly-20260131T030000Z`.
Source: https://learn.microsoft.com/azure/machine-learning/how-to-schedule-pipeline-job
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from clients.arm.resource_manager import Json, ResourceManager
from clients.azureml.workspace import tags_of
from clients.http.answers import part, text

# The tag of the jobs of a schedule that a program declares: the schedule's name.
TAG = "retrain-schedule"
_TIMED = re.compile(r"(.+)-(\d{8}T\d{6})Z")


@dataclass(frozen=True, order=True)
class Mark:
    """A schedule was due *at* a time, which the *job* of that name says."""

    at: datetime
    job: str


@dataclass(frozen=True)
class Schedule:
    """Whether a schedule is *enabled*, and its *marks*, the first first."""

    enabled: bool
    marks: tuple[Mark, ...]


def find_schedule(arm: ResourceManager, schedule: str, *, tagged: bool) -> Schedule | None:
    """The schedule with this id; None where it is gone. Jobs of one that a program declared are *tagged*."""
    found = arm.find(schedule)
    if found is None:
        return None
    workspace, _, name = schedule.partition("/schedules/")
    jobs = arm.list(f"{workspace}/jobs", listViewType="All", **({"tag": TAG} if tagged else {}))
    marks = sorted(mark for job in jobs for mark in _marks(job, name))
    return Schedule(part(found, "properties").get("isEnabled") is not False, tuple(marks))


def _marks(job: Json, schedule: str) -> Iterator[Mark]:
    name, shown = text(job, "name"), text(job, "properties", "displayName")
    timed = _TIMED.fullmatch(shown) or _TIMED.fullmatch(name)
    if timed is not None and timed[1] == schedule:
        yield Mark(datetime.strptime(timed[2], "%Y%m%dT%H%M%S").replace(tzinfo=UTC), name)
    elif tags_of(job).get(TAG) == schedule:
        yield Mark(datetime.fromisoformat(text(job, "systemData", "createdAt")), name)
