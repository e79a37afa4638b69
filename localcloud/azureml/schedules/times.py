"""When a schedule is due: a cron expression or a recurrence, in a time zone by its Windows name, from a start to an end.

Days of the month and months of a cron expression are passed over, as the service does. Without a start the first time is
that of its creation. A recurrence of minutes or hours follows real time; what is due in an hour that clocks leave out is due
as that hour ends, and in the hour that comes twice the first time only.
Source: https://learn.microsoft.com/azure/machine-learning/reference-yaml-schedule
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from dateutil import rrule
from tzlocal.windows_tz import win_tz

from localcloud.arm.operation import section, text
from localcloud.azureml.assets.places import Document
from localcloud.azureml.assets.workspace import refused

_CRON, _RECURRENCE = "Cron", "Recurrence"
_REAL = {"Minute": timedelta(minutes=1), "Hour": timedelta(hours=1)}
_CALENDAR = {
    "Day": (rrule.DAILY, timedelta(days=1)),
    "Week": (rrule.WEEKLY, timedelta(weeks=1)),
    "Month": (rrule.MONTHLY, None),
}
_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NUMBERS = {"hours": range(24), "minutes": range(60), "monthDays": range(1, 32)}
_FORMS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d")


@dataclass(frozen=True)
class Trigger:
    """A trigger that was read; *start* and *end* are local times of the *zone*."""

    zone: ZoneInfo
    start: datetime | None
    end: datetime | None
    cron: str = ""
    frequency: str = ""
    interval: int = 1
    pattern: tuple[tuple[str, tuple[int, ...]], ...] = ()

    def after(self, moment: datetime, created: datetime) -> datetime | None:
        """When it is due next after a *moment*, of a schedule that was *created* then; None where it never is again."""
        began = self._utc(self.start) if self.start else created
        since = max(moment, began - timedelta(microseconds=1))
        if self.start is None and moment < created:
            return created
        due = next((at for at in self._times(since, began) if at > since), None)
        return None if due is None or (self.end and due > self._utc(self.end)) else due

    def _times(self, since: datetime, began: datetime) -> Iterator[datetime]:
        if self.cron:
            yield from (local.astimezone(UTC) for local in CronSim(self.cron, since.astimezone(self.zone)))
        elif step := _REAL.get(self.frequency):
            every = step * self.interval
            passed = max(0, (since - began) // every)
            yield from (began + every * (passed + number) for number in range(3))
        else:
            rule = self._rule(since.astimezone(self.zone), began.astimezone(self.zone))
            yield from (self._utc(local) for local in rule)

    def _rule(self, since: datetime, began: datetime) -> rrule.rrule:
        kind, step = _CALENDAR[self.frequency]
        first = began.replace(tzinfo=None, microsecond=0)
        if step is not None:  # not from the beginning of all time
            every = step * self.interval
            first += every * max(0, (since.replace(tzinfo=None) - first) // every - 1)
        seconds = {"bysecond": 0} if self.pattern else {}
        return rrule.rrule(kind, dtstart=first, interval=self.interval, **seconds, **dict(self.pattern))

    def _utc(self, local: datetime) -> datetime:
        return local.replace(tzinfo=self.zone, fold=0).astimezone(UTC)


def trigger_of(properties: Document) -> Trigger:
    """The trigger of a schedule's properties. Raises ArmError for what is none."""
    given = section(properties, "trigger")
    kind = str(given.get("triggerType") or "").capitalize()
    zone = text(given, "timeZone", "trigger.timeZone") or "UTC"
    if zone not in win_tz:
        raise refused(f"'{zone}' is no time zone: use a Windows name such as 'UTC'.", "trigger.timeZone")
    start, end = (_moment(given, name) for name in ("startTime", "endTime"))
    if start and end and end <= start:
        raise refused("The end time of a schedule is after its start time.", "trigger.endTime")
    where = ZoneInfo(win_tz[zone]), start, end
    if kind == _CRON:
        return Trigger(*where, cron=_cron(text(given, "expression", "trigger.expression") or ""))
    if kind != _RECURRENCE:
        raise refused(f"A trigger is of type {_CRON} or {_RECURRENCE}, not '{kind}'.", "trigger.triggerType")
    frequency, interval = str(given.get("frequency") or "").capitalize(), given.get("interval")
    if frequency not in (*_REAL, *_CALENDAR):
        message = f"A frequency is one of {', '.join((*_REAL, *_CALENDAR))}, not '{frequency}'."
        raise refused(message, "trigger.frequency")
    if not isinstance(interval, int) or isinstance(interval, bool) or interval < 1:
        raise refused("An interval is a whole number from 1 on.", "trigger.interval")
    pattern = _pattern(section(given, "schedule")) if frequency in _CALENDAR else ()
    return Trigger(*where, frequency=frequency, interval=interval, pattern=pattern)


def _cron(expression: str) -> str:
    fields = expression.split()
    if len(fields) != 5:
        raise refused(f"'{expression}' has not the five fields of a cron expression.", "trigger.expression")
    heeded = " ".join((*fields[:2], "*", "*", fields[4]))
    try:
        CronSim(heeded, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise refused(f"'{expression}' is no cron expression: {error}.", "trigger.expression") from None
    return heeded


def _moment(given: Document, name: str) -> datetime | None:
    value = text(given, name, f"trigger.{name}")
    for form in _FORMS if value else ():
        try:
            return datetime.strptime(str(value), form)  # it is of the trigger's zone
        except ValueError:
            continue
    if value:
        raise refused(f"'{value}' is no time such as 2026-01-31T03:00:00.", f"trigger.{name}")
    return None


def _pattern(schedule: dict[str, Any]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """When in its day, week or month, as a rule takes it; what is not said is as the start has it."""
    found: dict[str, tuple[int, ...]] = {}
    rules = {"hours": "byhour", "minutes": "byminute", "monthDays": "bymonthday"}
    for name, allowed in _NUMBERS.items():
        values = schedule.get(name) or []
        if not isinstance(values, list) or any(value not in allowed for value in values):
            message = f"{name} are numbers from {allowed[0]} to {allowed[-1]}."
            raise refused(message, f"trigger.schedule.{name}")
        if values:
            found[rules[name]] = tuple(values)
    given = schedule.get("weekDays") or []
    days = [str(day).capitalize() for day in given] if isinstance(given, list) else [""]
    if any(day not in _WEEK for day in days):
        raise refused(f"weekDays are {', '.join(_WEEK)}.", "trigger.schedule.weekDays")
    if days:
        found["byweekday"] = tuple(_WEEK.index(day) for day in days)
    return tuple(found.items())
