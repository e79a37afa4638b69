"""Dates: what text is one, and columns of them. They have no time zone.

A date is written as in ISO 8601 (`2015-10-08`, with a time `2015-10-08T14:30:05.25`) or as .NET's invariant culture has it
(`10/08/2015 14:30`, the month first; also with `-`).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Final

from graph.errors import ModuleFailure
from graph.libraries import Array, Series, np

_TIME: Final = r"(?:[T ]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6})[0-9]*)?)?(?:Z)?)?"
_ISO: Final = re.compile(rf"\s*([0-9]{{4}})[-/]([0-9]{{1,2}})[-/]([0-9]{{1,2}}){_TIME}\s*", re.ASCII)
_INVARIANT: Final = re.compile(rf"\s*([0-9]{{1,2}})[-/]([0-9]{{1,2}})[-/]([0-9]{{4}}){_TIME}\s*", re.ASCII)
UNIT: Final = "datetime64[us]"


def moment(text: str) -> Any:
    """The moment that a text writes, as numpy has it; None where it is none."""
    found = _parsed(text)
    return None if found is None else np.datetime64(found, "us")


def is_date(text: str) -> bool:
    """Whether a text writes a moment."""
    return _parsed(text) is not None


def dates(values: Series) -> Array:
    """A column as dates, a missing value as NaT. Raises 0042 naming the first that is none."""
    return values.to_numpy(dtype=UNIT) if values.dtype.kind == "M" else parsed(values.tolist(), values.name)


def parsed(cells: list[Any], name: Any) -> Array:
    """As `dates`, of a column's plain values."""
    known: dict[Any, Any] = {}
    for value in dict.fromkeys(cells):
        found = _parsed(value) if isinstance(value, str) else None
        if found is None and not (value is None or value != value):
            raise ModuleFailure(
                "0042",
                f'Not possible to convert column "{name}" to DateTime: "{str(value)[:60]}" is no date.',
            )
        known[value] = np.datetime64("NaT" if found is None else found, "us")
    missing = np.datetime64("NaT", "us")
    return np.array([missing if value != value else known[value] for value in cells], UNIT)


def _parsed(text: str) -> datetime | None:
    iso = _ISO.fullmatch(text)
    found = iso or _INVARIANT.fullmatch(text)
    if found is None:
        return None
    one, two, three, *time = found.groups()
    year, month, day = (one, two, three) if iso else (three, one, two)
    hour, minute, second, fraction = (each or "0" for each in time)
    try:
        at = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second))
    except ValueError:
        return None
    return at + timedelta(microseconds=int(fraction.ljust(6, "0")) if time[3] else 0)
