"""Times as people read them, in their own zone, and as programs do, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def local(text: str) -> str:
    """An ISO 8601 time (UTC where it names no zone) to the minute, in the user's zone; what is none as it is."""
    at = _read(text)
    return f"{at.astimezone():%Y-%m-%d %H:%M}" if at else text


def local_time(at: datetime) -> str:
    """A time to the second, in the user's zone, which is named."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S} {zone(at)}"


def zone(at: datetime | None = None) -> str:
    """What the user's zone is called, at a time or now: CET, or +0330."""
    return (at or datetime.now(UTC)).astimezone().strftime("%Z")


def title(what: str) -> str:
    """The title of a column of times: ``when (CET)``."""
    return f"{what} ({zone()})"


def utc(at: datetime | str) -> str:
    """ISO 8601 in UTC to the second, with Z; a text that is no time as it is."""
    if isinstance(at, str):
        found = _read(at)
        return utc(found) if found else at
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _read(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
