"""Schedules of the local cloud's Azure ML v2: when they are due, and that what is due is a job, once."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from localcloud.arm.errors import ArmError
from localcloud.azureml.schedules.times import trigger_of
from tests.cloud.azureml.aml import Aml
from tests.cloud.azureml.sdk import drive
from tests.studio.running import ARM_TOKEN, Azurite, Running
from tests.waiting import eventually

CRON = {
    "triggerType": "Cron",
    "expression": "0 3 * * *",
    "timeZone": "UTC",
    "startTime": "2024-01-01T00:00:00",
}

BEARER = {"Authorization": f"Bearer {ARM_TOKEN}"}


@pytest.fixture
def own(azurite: Azurite, tmp_path: Path) -> Iterator[Aml]:
    """A local cloud of this test's own, to be killed."""
    running = Running(tmp_path, azurite)
    running.start()
    yield Aml(running, "amlg", "mlown").create()
    if running.process is not None:
        running.stop()
    running.close()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def due(trigger: dict[str, Any], after: str, times: int = 3) -> list[str]:
    """The next times at which a trigger is due, in UTC."""
    read, moment, found = trigger_of({"trigger": trigger}), at(after), []
    for _ in range(times):
        following = read.after(moment, at("2026-01-01T00:00:30"))
        if following is None:
            break
        found.append(f"{following:%Y-%m-%d %H:%M:%S}")
        moment = following
    return found


def cron(expression: str, zone: str = "UTC", **more: Any) -> dict[str, Any]:
    return {**CRON, "expression": expression, "timeZone": zone, **more}


def every(frequency: str, interval: int = 1, zone: str = "UTC", **more: Any) -> dict[str, Any]:
    started = {"triggerType": "Recurrence", "startTime": "2024-01-01T00:00:00", "timeZone": zone}
    return {**started, "frequency": frequency, "interval": interval, **more}


@pytest.mark.parametrize(
    ("trigger", "after", "times"),
    [
        (cron("0 3 * * *"), "2026-05-01T03:00", ["2026-05-02 03:00:00", "2026-05-03 03:00:00"]),
        (cron("30 2 * * SUN", "W. Europe Standard Time"), "2026-03-23T00:00", ["2026-03-29 01:00:00"]),
        (cron("30 2 * * *", "W. Europe Standard Time"), "2026-10-24T01:00", ["2026-10-25 00:30:00"]),
        (cron("0 3 13 6 *"), "2026-05-01T04:00", ["2026-05-02 03:00:00"]),
        (cron("0 3 * * *", startTime="2027-01-01T00:00:00"), "2026-05-01T00:00", ["2027-01-01 03:00:00"]),
        (cron("0 3 * * *", endTime="2026-05-02 04:00:00"), "2026-05-01T04:00", ["2026-05-02 03:00:00"]),
        (
            cron("0 3 * * *", startTime=None),
            "2025-01-01T00:00",
            ["2026-01-01 00:00:30", "2026-01-01 03:00:00"],
        ),
        (every("Minute", 15), "2026-05-01T00:07", ["2026-05-01 00:15:00", "2026-05-01 00:30:00"]),
        (every("Hour", 5), "2026-05-01T00:00", ["2026-05-01 01:00:00", "2026-05-01 06:00:00"]),
        (
            every("Day", 2, "W. Europe Standard Time", startTime="2026-03-27T02:30:00"),
            "2026-03-28T00:00",
            ["2026-03-29 01:30:00", "2026-03-31 00:30:00"],
        ),
        (
            every("Week", 2, schedule={"hours": [4, 10], "minutes": [0, 30], "weekDays": ["Monday"]}),
            "2026-05-05T00:00",
            ["2026-05-18 04:00:00", "2026-05-18 04:30:00", "2026-05-18 10:00:00"],
        ),
        (
            every("Month", 1, schedule={"hours": [3], "minutes": [0], "monthDays": [31]}),
            "2026-01-31T03:00",
            ["2026-03-31 03:00:00", "2026-05-31 03:00:00"],
        ),
        (every("Day", startTime=None), "2025-01-01T00:00", ["2026-01-01 00:00:30", "2026-01-02 00:00:30"]),
    ],
)
def test_a_trigger_is_due_as_its_calendar_says(trigger: dict[str, Any], after: str, times: list[str]) -> None:
    """Zones with their clock changes, starts and ends; days and months of a cron expression are passed over."""
    assert due(trigger, after)[: len(times)] == times
    if "endTime" in trigger:
        assert due(trigger, after) == times


@pytest.mark.parametrize(
    ("trigger", "said"),
    [
        ({}, "Cron or Recurrence"),
        (cron("0 3 * *"), "five fields"),
        (cron("61 3 * * *"), "no cron expression"),
        (cron("0 3 * * *", "Europe/Berlin"), "no time zone"),
        (cron("0 3 * * *", endTime="2023-01-01"), "after its start"),
        (cron("0 3 * * *", startTime="soon"), "no time such as"),
        (every("Year"), "frequency"),
        (every("Day", 0), "interval"),
        (every("Day", schedule={"hours": [24]}), "hours"),
        (every("Week", schedule={"weekDays": ["Someday"]}), "weekDays"),
    ],
)
def test_what_is_no_trigger_is_refused(trigger: dict[str, Any], said: str) -> None:
    """With its reason, before it is kept."""
    with pytest.raises(ArmError, match=said):
        trigger_of({"trigger": trigger})


def put(aml: Aml, name: str, trigger: dict[str, Any], **more: Any) -> httpx.Response:
    """A schedule that says a word."""
    job = {"jobType": "Command", "command": "echo due", "environmentId": aml.environment, "tags": {"a": "b"}}
    action = {"actionType": "CreateJob", "jobDefinition": job}
    return aml.ws("PUT", f"schedules/{name}", {"properties": {"trigger": trigger, "action": action, **more}})


def jobs_of(aml: Aml, name: str) -> list[dict[str, Any]]:
    """The jobs that a schedule has submitted, the first first."""
    found = aml.ws("GET", "jobs", tag="a").json()["value"]
    return [one for one in reversed(found) if one["name"].startswith(f"{name}-2")]


def test_a_schedule_is_created_shown_disabled_and_deleted(aml: Aml) -> None:
    """By operations that go on, with states as the service has them; lists show the enabled ones."""
    made = put(aml, "nightly", CRON, displayName="Nightly", tags={"t": "1"})
    assert made.status_code == 201
    assert made.json()["properties"]["provisioningState"] == "Creating"
    aml.cloud.http.get(made.headers["Azure-AsyncOperation"], headers=BEARER).raise_for_status()
    shown = eventually(lambda: _settled(aml, "nightly"), "its creation")
    assert shown["properties"]["isEnabled"] is True
    assert (shown["properties"]["displayName"], shown["properties"]["tags"]) == ("Nightly", {"t": "1"})
    assert "local" not in shown
    assert "nightly" in listed(aml)
    changed = put(aml, "nightly", CRON, isEnabled=False)
    assert changed.status_code == 200
    assert changed.json()["properties"]["provisioningState"] == "Updating"
    assert "nightly" not in listed(aml)
    assert "nightly" in listed(aml, listViewType="DisabledOnly")
    assert "nightly" in listed(aml, listViewType="All")
    assert aml.ws("DELETE", "schedules/nightly").status_code == 202
    assert aml.ws("GET", "schedules/nightly").status_code == 404
    assert aml.ws("DELETE", "schedules/nightly").status_code == 204


def _settled(aml: Aml, name: str) -> dict[str, Any] | None:
    shown: dict[str, Any] = aml.ws("GET", f"schedules/{name}").raise_for_status().json()
    return shown if shown["properties"]["provisioningState"] == "Succeeded" else None


def listed(aml: Aml, **query: str) -> list[str]:
    return [one["name"] for one in aml.ws("GET", "schedules", **query).json()["value"]]


def test_a_schedule_that_cannot_be_one_is_refused(aml: Aml) -> None:
    """Its job is checked as any job is, and nothing is kept."""
    assert "no time zone" in put(aml, "bad", {**CRON, "timeZone": "Mars"}).json()["error"]["message"]
    assert "CreateJob" in put(aml, "bad", CRON, action={"actionType": "CreateMonitor"}).text
    gone = {"jobType": "Command", "command": "x", "environmentId": f"{aml.path}/environments/no/versions/1"}
    refused = put(aml, "bad", CRON, action={"actionType": "CreateJob", "jobDefinition": gone})
    assert refused.status_code == 404
    assert put(aml, "not.a.name", CRON).status_code == 400
    assert put(aml, "bad", CRON, isEnabled="perhaps").status_code == 400
    assert aml.ws("GET", "schedules", listViewType="Some").status_code == 400
    assert aml.ws("GET", "schedules/bad").status_code == 404
    assert aml.ws("POST", "schedules/bad/trigger", {}).status_code == 404


def test_what_is_due_is_a_job_that_runs_and_is_named_by_its_time(aml: Aml) -> None:
    """Without a start time the first is due at once; the next job is not before the next time; a trigger adds one."""
    assert put(aml, "atonce", {**CRON, "startTime": None}).status_code == 201
    (job,) = eventually(lambda: jobs_of(aml, "atonce"), "the first job")
    assert job["properties"]["displayName"] == job["name"]
    datetime.strptime(job["name"], "atonce-%Y%m%dT%H%M%SZ")
    assert aml.wait(job["name"])["status"] == "Completed"
    asked = aml.ws("POST", "schedules/atonce/trigger", {"scheduleTime": "2026-01-02T03:04:05+00:00"})
    assert asked.json() == {"scheduleActionType": "CreateJob", "submissionId": "atonce-20260102T030405Z"}
    assert aml.wait("atonce-20260102T030405Z")["status"] == "Completed"
    again = aml.ws("POST", "schedules/atonce/trigger", {"scheduleTime": "2026-01-02T03:04:05+00:00"})
    assert again.status_code == 409
    assert put(aml, "atonce", {**CRON, "startTime": None}, isEnabled=False).status_code == 200
    assert aml.ws("POST", "schedules/atonce/trigger", {}).status_code == 400
    assert len(jobs_of(aml, "atonce")) == 2


def test_what_was_due_while_the_server_was_down_is_one_job_that_says_so(own: Aml) -> None:
    """After kill -9 as well as in order, and no time has two jobs."""
    store = own.cloud.directory
    assert put(own, "often", every("Minute")).status_code == 201
    own.cloud.stop(signal.SIGKILL)
    turned = _turn_back(store, minutes=5)
    own.cloud.start()
    (job,) = eventually(lambda: jobs_of(own, "often"), "the job of what was missed")
    assert int(job["properties"]["properties"]["local-missed"]) in (5, 6)
    assert job["name"] > f"often-{turned:%Y%m%dT%H%M%SZ}"
    own.cloud.stop(signal.SIGKILL)
    own.cloud.start()
    assert own.wait(job["name"])["status"] == "Completed"
    names = [one["name"] for one in jobs_of(own, "often")]
    assert len(set(names)) == len(names)


def _turn_back(directory: Path, minutes: int) -> datetime:
    """Have the schedule be due so many minutes ago, in a store whose server is down."""
    (file,) = directory.rglob("*.db")
    with sqlite3.connect(file) as store:
        rows = store.execute("SELECT key, document FROM arm WHERE key LIKE '%/schedules/often'")
        ((key, text),) = rows.fetchall()
        document = json.loads(text)
        due = datetime.fromisoformat(document["local"]["due"]) - timedelta(minutes=minutes + 1)
        document["local"]["due"] = due.isoformat()
        store.execute("UPDATE arm SET document=? WHERE key=?", (json.dumps(document), key))
    store.close()
    return due


def test_the_sdk_drives_schedules(aml: Aml, tmp_path: Path) -> None:
    """MLClient, unchanged: created, listed, got, disabled, enabled, triggered, deleted; cron and recurrence.

    It sends command jobs with its private features only; the service's own interface has no such rule.
    """
    said = drive(
        aml,
        """
        from azure.ai.ml.constants import TimeZone
        from azure.ai.ml.entities import CronTrigger, JobSchedule, RecurrencePattern, RecurrenceTrigger
        import datetime
        job = command(command="echo due", environment="plain@latest", experiment_name="marks", tags={"a": "b"})
        quick = {"polling_interval": 1}
        def schedule(name, trigger):
            made = JobSchedule(name=name, trigger=trigger, create_job=job, tags={"by": "sdk"})
            return ml.schedules.begin_create_or_update(made, **quick).result(60)
        start = datetime.datetime(2024, 1, 1, 0, 0)
        one = schedule("sdk-cron", CronTrigger(
            expression="0 3 * * 1", start_time=start, time_zone=TimeZone.W_EUROPE_STANDARD_TIME))
        two = schedule("sdk-weeks", RecurrenceTrigger(
            frequency="week", interval=2, start_time="2024-01-01T00:00:00",
            schedule=RecurrencePattern(hours=[4], minutes=[0, 30], week_days=["monday"])))
        listed = sorted(found.name for found in ml.schedules.list())
        off = ml.schedules.begin_disable("sdk-cron", **quick).result(60)
        left = sorted(found.name for found in ml.schedules.list())
        on = ml.schedules.begin_enable("sdk-cron", **quick).result(60)
        asked = ml.schedules.trigger("sdk-weeks")
        got = ml.schedules.get("sdk-weeks")
        for name in ("sdk-cron", "sdk-weeks"):
            ml.schedules.begin_delete(name, **quick).wait(60)
        say(
            states=[one.provisioning_state, two.provisioning_state], enabled=[one.is_enabled, off.is_enabled, on.is_enabled],
            listed=listed, left=left, job=asked.job_name, frequency=got.trigger.frequency, tags=got.tags,
            hours=got.trigger.schedule.hours, zone=str(one.trigger.time_zone), command=got.create_job.command,
            ran=ml.jobs.get(asked.job_name).display_name,
            gone=[found.name for found in ml.schedules.list(list_view_type="All") if found.name.startswith("sdk-")],
        )
        """,
        tmp_path,
        AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED="true",
    )
    assert said["states"] == ["Succeeded", "Succeeded"]
    assert said["enabled"] == [True, False, True]
    assert {"sdk-cron", "sdk-weeks"} <= set(said["listed"])  # type: ignore[call-overload]
    assert "sdk-cron" not in said["left"]  # type: ignore[operator]
    assert (said["frequency"], said["hours"], said["zone"]) == ("week", [4], "W. Europe Standard Time")
    assert (said["tags"], said["command"]) == ({"by": "sdk"}, "echo due")
    assert str(said["job"]).startswith("sdk-weeks-2")
    assert said["ran"] == said["job"]
    assert said["gone"] == []
