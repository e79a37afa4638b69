"""Schedules of Azure ML v2 as a trigger: marks are seen once, and what the service is told is what a stack says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clients.arm.resource_manager import ResourceManager
from clients.azureml.schedules import TAG, Mark
from clients.clock import ManualClock
from retrain_hooks.triggers import schedule
from retrain_hooks.triggers.declared import declared
from retrain_hooks.triggers.trigger import Scene
from tests.healing import Told
from tests.triggers.simulated import context
from tests.unit.fakes import MemoryContainer
from tests.unit.test_transport import Service, transport

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
NIGHTLY = f"{WORKSPACE}/schedules/nightly"
SETTINGS = schedule.Settings(cron="0 3 * * *", name="nightly")
ENABLED: Any = (200, {"id": NIGHTLY, "properties": {"isEnabled": True}})
GONE: Any = (404, {"error": {"code": "UserError", "message": "Not found"}})


def job(shown: str, name: str = "", tag: str = "nightly") -> dict[str, Any]:
    """A job as the service lists it."""
    return {
        "name": name or shown,
        "systemData": {"createdAt": "2026-11-26T04:00:00Z"},
        "properties": {"displayName": shown, "tags": {TAG: tag} if tag else {}},
    }


def scene(*answers: Any, kept: dict[str, Any] | None = None, **outputs: Any) -> tuple[Scene, Service]:
    service = Service(*answers)
    made = context(MemoryContainer("data"))
    made.resource_manager = lambda _target, version: ResourceManager(  # type: ignore[method-assign]
        transport(service), version, ManualClock()
    )
    told = outputs or {"schedules": {"nightly": NIGHTLY}}
    return Scene(made, "t", {}, kept or {}, NOON, lambda: told), service


def test_the_jobs_of_a_schedule_are_its_marks() -> None:
    """By the time in their name; of one that was called otherwise, by when it was made. Others' jobs are none."""
    jobs = [
        job("nightly-20261127T030000Z", "blue_sky"),
        job("nightly-20261126T030000Z"),
        job("renamed", "later"),
        job("weekly-20261127T030000Z", tag="weekly"),
    ]
    seen, service = scene(ENABLED, (200, {"value": jobs}))
    found = schedule.look(SETTINGS, seen)
    assert [mark.job for mark in found.marks] == ["nightly-20261126T030000Z", "later", "blue_sky"]
    assert found.marks[-1].at == datetime(2026, 11, 27, 3, tzinfo=UTC)
    assert f"tag={TAG}" in str(service.requests[-1].url)
    assert [request.method for request in service.requests] == ["GET", "GET"]


def test_an_adopted_schedule_has_untagged_jobs() -> None:
    """All jobs are listed for it, and those with its name and a time are its marks."""
    jobs = [
        job("theirs-20261127T030000Z", tag=""),
        job("theirs-more", tag=""),
        job("nightly-20261127T030000Z"),
    ]
    seen, service = scene(
        ENABLED, (200, {"value": jobs}), schedules={"nightly": f"{WORKSPACE}/schedules/theirs"}
    )
    found = schedule.look(schedule.Settings(existing="theirs", name="nightly"), seen)
    assert [mark.job for mark in found.marks] == ["theirs-20261127T030000Z"]
    assert "tag=" not in str(service.requests[-1].url)


def test_a_mark_fires_once_and_many_fire_once() -> None:
    """What is kept is the time of the last; its name is the cause, so that the same mark asks for the same run."""
    marks = tuple(
        Mark(NOON - timedelta(days=days), f"nightly-{days}") for days in (3, 2, 1)
    )  # the first first
    first = schedule.decide(SETTINGS, schedule.Facts(marks), NOON)
    assert (first.fire, first.cause) == (True, "nightly-1")
    assert "2026-11-24 12:00 UTC, and 2 times since: one run for all" in first.reason
    last = datetime.fromisoformat(str(first.keep["last"]))
    assert not schedule.decide(SETTINGS, schedule.Facts(marks, last), NOON).fire
    more = (*marks, Mark(NOON, "nightly-0"))
    again = schedule.decide(SETTINGS, schedule.Facts(more, last), NOON)
    assert (again.fire, again.cause) == (True, "nightly-0")
    assert again.next_look == NOON + timedelta(minutes=1)


def test_a_schedule_without_marks_says_whether_it_is_disabled() -> None:
    """A look that finds none keeps what was kept."""
    quiet = schedule.decide(SETTINGS, schedule.Facts((), None, enabled=False), NOON)
    assert (quiet.fire, dict(quiet.keep)) == (False, {})
    assert quiet.reason.endswith("no new mark; it is disabled in the workspace")


def test_its_memory_goes_by_its_name() -> None:
    """Another time of it asks for no run of a mark that was seen."""
    (before,), (after,) = (declared([{"schedule": cron}]) for cron in ("0 3 * * *", "0 4 * * *"))
    assert before.name == after.name == "schedule schedule"


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("0 3 * * SUN", {"triggerType": "Cron", "expression": "0 3 * * SUN"}),
        (
            {"frequency": "week", "interval": 2, "hours": [3], "minutes": [0, 30], "weekDays": ["Monday"]},
            {
                "triggerType": "Recurrence",
                "frequency": "Week",
                "interval": 2,
                "schedule": {"hours": [3], "minutes": [0, 30], "weekDays": ["Monday"]},
            },
        ),
    ],
)
def test_the_service_is_told_what_the_stack_says(says: Any, told: dict[str, Any]) -> None:
    """With the zone by the name that Azure has for it, and a start that is over: else a job came at once."""
    (found,) = declared([{"schedule": says, "zone": "Europe/Berlin", "end": "2027-01-01"}])
    assert isinstance(found.settings, schedule.Settings)
    whole = {
        "startTime": "2024-01-01T00:00:00",
        "endTime": "2027-01-01",
        "timeZone": "W. Europe Standard Time",
    }
    assert found.settings.trigger() == told | whole


@pytest.mark.heals("run ./dev up: it makes the schedule")
def test_a_schedule_that_is_not_there_yet(remedy: Told) -> None:
    """Once the stack's outputs have it, it is read."""
    remedy.fails(lambda: schedule.look(SETTINGS, scene(modelAddress="m")[0]))
    assert schedule.look(SETTINGS, scene(ENABLED, (200, {"value": []}))[0]).marks == ()


@pytest.mark.heals("run ./dev refresh, then ./dev up", at="retrain_hooks/triggers/schedule.py")
def test_a_schedule_that_somebody_deleted(remedy: Told) -> None:
    """A refresh finds that it is gone, and the update makes it again."""
    remedy.fails(lambda: schedule.look(SETTINGS, scene(GONE)[0]))
    assert schedule.look(SETTINGS, scene(ENABLED, (200, {"value": []}))[0]).enabled
