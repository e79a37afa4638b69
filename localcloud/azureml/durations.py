"""Durations as Resource Manager writes them: ISO 8601, such as `PT1M30S`."""

from __future__ import annotations

import re

_FORM = re.compile(r"P(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


def seconds(duration: str) -> float:
    """Its length. Raises ValueError for what is none."""
    found = _FORM.fullmatch(duration)
    if found is None or not any(found.groups()):
        raise ValueError(f"'{duration}' is not a duration such as PT30S")
    days, hours, minutes, rest = (float(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest
