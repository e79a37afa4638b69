"""When a schedule of Azure ML v2 has left a mark: the job that the service submits, at times which it keeps itself.

The job does nothing: that it is there, under its schedule's name and time, is the mark. What is trained is for the preview to
say, by run keys. A program declares the schedule from the same entry (`components/retrain_schedule.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tzlocal.windows_tz import tz_win

from clients.azureml.schedules import Mark, find_schedule
from clients.azureml.workspace import API_VERSION
from clients.errors import ConfigurationError, NotFound
from clients.names import likeliest
from retrain_hooks.host.inputs import Duration, Inputs, prop
from retrain_hooks.triggers import cron as calendar
from retrain_hooks.triggers.trigger import Decision, Scene

NAME = "schedule"
# Without a start the service submits a job as soon as the schedule is made. A Monday, and the first of a month.
_LONG_AGO = "2024-01-01T00:00:00"
_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LONGER = ("day", "week", "month")


def _expression(cron: str) -> None:
    calendar.judge_expression(cron)
    _minute, _hour, day, month, weekday = cron.split()
    if (day, month) != ("*", "*"):
        raise ConfigurationError(
            f"{cron!r} names a day of the month or a month, which Azure ML passes over",
            "write frequency: month, with its days, hours and minutes",
        )
    if not re.fullmatch(r"[0-6A-Za-z*,/-]+", weekday):
        raise ConfigurationError(
            f"{cron!r} has a weekday that Azure ML does not know",
            "name them by 0 (Sunday) to 6, or SUN to SAT",
        )


def _zone(zone: str) -> None:
    if zone not in tz_win:
        near = likeliest(zone, tz_win, 0.5) or "Europe/Berlin"
        raise ConfigurationError(
            f"Azure ML has no time zone {zone!r}", f"write an IANA name that it has, such as {near}"
        )


def _moment(text: str) -> None:
    try:
        local = datetime.fromisoformat(text).tzinfo is None
    except ValueError:
        local = False
    if text and not local:
        raise ConfigurationError(
            f"{text!r} is no time of that zone", "write it without an offset: 2026-01-31T03:00:00"
        )


def _called(name: str) -> None:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,39}", name):
        raise ConfigurationError(
            f"{name!r} is no name of a schedule", "use letters, digits and dashes, 40 at most, a letter first"
        )


@dataclass(frozen=True)
class Settings(Inputs):
    """A schedule of the workspace: its times, by cron or by a recurrence, or one that is there."""

    cron: str = prop("minute, hour, *, *, weekday", default="", judge=_expression)
    zone: str = prop("the IANA time zone that all its times are of", default="UTC", judge=_zone)
    frequency: str = prop(
        "instead of cron: the unit of a recurrence", default="", choices=("minute", "hour", *_LONGER)
    )
    interval: int = prop("every so many of them", default=1, least=1)
    hours: tuple[int, ...] = prop("of a day, week or month: at these hours", default=(), least=0, most=23)
    minutes: tuple[int, ...] = prop("of those hours: at these minutes", default=(), least=0, most=59)
    week_days: tuple[str, ...] = prop("of a week: on these days", default=(), choices=_WEEK)
    month_days: tuple[int, ...] = prop("of a month: on these days", default=(), least=1, most=31)
    start: str = prop("not before this time; a recurrence counts from it", default=_LONG_AGO, judge=_moment)
    end: str = prop("not after this time", default="", judge=_moment)
    enabled: bool = prop("whether it submits jobs", default=True)
    existing: str = prop("a schedule that is there already, by its name: read, never changed", default="")
    name: str = prop("what it is called in the stack", default=NAME, judge=_called)
    every: Duration = prop("how often its jobs are listed", default=Duration(60), least=1)

    def validate(self) -> None:
        """Refuse times that say too much or too little. Raises ConfigurationError."""
        if bool(self.cron) + bool(self.frequency) + bool(self.existing) != 1:
            raise ConfigurationError(
                "a schedule has one of cron, frequency and existing",
                'write one of them: schedule: "0 3 * * SUN" is Sundays at three',
            )
        if self.end and datetime.fromisoformat(self.end) <= datetime.fromisoformat(self.start):
            raise ConfigurationError(
                f"end: {self.end} is not after the start, {self.start}", "write a later one, or leave it out"
            )
        for name, given, fits in (
            ("hours and minutes", self.hours or self.minutes, self.frequency in _LONGER),
            ("weekDays", self.week_days, self.frequency == "week"),
            ("monthDays", self.month_days, self.frequency == "month"),
        ):
            if given and not fits:
                of = f"a recurrence by {self.frequency}" if self.frequency else "this schedule"
                raise ConfigurationError(f"{name}: {of} has none", "leave them out, or change frequency")
        if bool(self.hours) != bool(self.minutes):
            raise ConfigurationError(
                "hours and minutes are given together or not at all", "write both: hours: [3], minutes: [0]"
            )

    def trigger(self) -> dict[str, Any]:
        """As azure-native takes it."""
        times = {"startTime": self.start, "timeZone": tz_win[self.zone]}
        times |= {"endTime": self.end} if self.end else {}
        if self.cron:
            return {"triggerType": "Cron", "expression": self.cron, **times}
        found = {"frequency": self.frequency.capitalize(), "interval": self.interval}
        pattern: dict[str, Any] = {"hours": list(self.hours), "minutes": list(self.minutes)}
        pattern |= {"weekDays": list(self.week_days)} if self.week_days else {}
        pattern |= {"monthDays": list(self.month_days)} if self.month_days else {}
        return {"triggerType": "Recurrence", **found, "schedule": pattern, **times}


@dataclass(frozen=True)
class Facts:
    """The *marks* of a schedule, the first first, the time of the *last* that was seen before, and whether it is *enabled*."""

    marks: tuple[Mark, ...]
    last: datetime | None = None
    enabled: bool = True


def look(settings: Settings, scene: Scene) -> Facts:
    """Read the schedule, and list its jobs. Raises ConfigurationError where the stack has none, NotFound where it is gone."""
    schedule = (scene.outputs.get("schedules") or {}).get(settings.name)
    if not schedule:
        raise ConfigurationError(
            f"the stack has no schedule {settings.name!r} yet", "run ./dev up: it makes the schedule"
        )
    arm = scene.context.resource_manager(scene.target, API_VERSION)
    found = find_schedule(arm, str(schedule), tagged=not settings.existing)
    if found is None:
        raise NotFound(
            f"the schedule {str(schedule).rpartition('/')[2]!r} is gone", "run ./dev refresh, then ./dev up"
        )
    last = scene.kept.get("last")
    return Facts(found.marks, datetime.fromisoformat(last) if last else None, found.enabled)


def decide(settings: Settings, facts: Facts, now: datetime) -> Decision:
    """Fire once, however many marks there are that were not seen before."""
    again = now + timedelta(seconds=settings.every)
    new = [mark for mark in facts.marks if facts.last is None or mark.at > facts.last]
    last = new[-1].at if new else facts.last
    keep = {"last": last.isoformat()} if last else {}
    if not new:
        off = "" if facts.enabled else "; it is disabled in the workspace"
        return Decision(False, f"the schedule {settings.name} has left no new mark{off}", again, keep=keep)
    more = f", and {len(new) - 1} times since: one run for all" if len(new) > 1 else ""
    reason = f"the schedule {settings.name} was due at {new[0].at:%Y-%m-%d %H:%M} UTC{more}"
    return Decision(True, reason, again, new[-1].job, keep)
