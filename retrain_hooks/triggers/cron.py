"""At times of a calendar: five fields as Debian's cron reads them, in a time zone.

Where clocks go forward, what is due in the hour that is missing is due as soon as it is over; where they go back, what is
due in the hour that comes twice is due the first time only. What is due every hour or minute (a `*` in the first or second
field) follows real time. Source: crontab(5) and cron(8) of Debian, as `cronsim` 2.8 does it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

from clients.errors import ConfigurationError
from clients.names import likeliest
from retrain_hooks.host.inputs import Inputs, prop
from retrain_hooks.triggers.trigger import Decision, Scene

NAME = "cron"
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)
_COUNTED = 100  # so many missed times are counted


def judge_expression(cron: str) -> None:
    """Refuse what is no cron expression, or never comes. Raises ConfigurationError."""
    from cronsim import CronSim, CronSimError

    if len(cron.split()) != 5:
        raise ConfigurationError(
            f"{cron!r} has not five fields",
            "write minute, hour, day, month, weekday: 0 3 * * * is every day at three",
        )
    try:
        next(CronSim(cron, _SOME_DAY))
    except StopIteration:
        raise ConfigurationError(f"{cron!r} never comes", "name a day that some month has") from None
    except CronSimError as error:
        never = str(error) == "Bad day-of-month" and _well_formed(cron)
        raise ConfigurationError(
            f"{cron!r} never comes" if never else f"{cron!r} can't be read: {error}",
            "name a day that some month has"
            if never
            else "correct that field: 0 3 * * MON is Mondays at three",
        ) from None


def _well_formed(cron: str) -> bool:
    """Whether its day of the month is one of some month."""
    from cronsim import CronSim, CronSimError

    minute, hour, day, _month, weekday = cron.split()
    try:
        CronSim(f"{minute} {hour} {day} * {weekday}", _SOME_DAY)
    except CronSimError:
        return False
    return True


def _zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        near = likeliest(zone, available_timezones(), 0.5) or "Europe/Berlin"
        raise ConfigurationError(
            f"there is no time zone {zone!r}", f"write an IANA name, such as {near}"
        ) from None


@dataclass(frozen=True)
class Settings(Inputs):
    """Times of a calendar."""

    cron: str = prop("minute, hour, day, month, weekday", judge=judge_expression)
    zone: str = prop("the IANA time zone that they are of", default="UTC", judge=_zone)


@dataclass(frozen=True)
class Facts:
    """Until when all that was due has been seen; the time of the first look at first."""

    since: datetime


def look(settings: Settings, scene: Scene) -> Facts:
    """Nothing is read: when it was looked at last is what is to be known."""
    since = scene.kept.get("since")
    return Facts(min(datetime.fromisoformat(since), scene.now) if since else scene.now)


def decide(settings: Settings, facts: Facts, now: datetime) -> Decision:
    """Fire once, however often it was due since it was last looked at."""
    due = [at for at in islice(times(settings, facts.since), _COUNTED + 1) if at <= now]
    following = next(times(settings, now))
    keep = {"since": now.isoformat()}
    if not due:
        return Decision(False, f"it is due next at {_shown(settings, following)}", following, keep=keep)
    more = f"more than {_COUNTED}" if len(due) > _COUNTED else str(len(due) - 1)
    missed = f", and {more} times since: one run for all" if len(due) > 1 else ""
    reason = f"cron {settings.cron} was due at {_shown(settings, due[0])}{missed}"
    return Decision(True, reason, following, due[0].isoformat(), keep)


def times(settings: Settings, after: datetime) -> Iterator[datetime]:
    """When it is due *after* a moment, in UTC, in order."""
    from cronsim import CronSim

    last = after
    for local in CronSim(settings.cron, after.astimezone(ZoneInfo(settings.zone))):
        # In the hour that comes twice it goes on from the first.
        if (at := local.astimezone(UTC)) > last:
            yield (last := at)


def _shown(settings: Settings, at: datetime) -> str:
    return f"{at.astimezone(ZoneInfo(settings.zone)):%Y-%m-%d %H:%M %Z}"
