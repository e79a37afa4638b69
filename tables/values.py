"""What the text of a value says: a number, or that it is missing."""

from __future__ import annotations

import math
import re
from typing import Final

MISSING: Final = ("", "NA", "NaN", "nan")
"""How a missing value is written."""

_BLANKS: Final = r"[ \t-\r]*+"
_NUMBER: Final = re.compile(
    rf"{_BLANKS}([+-]?+)(?:([0-9]++)(\.?[0-9]*+(?:[eE][+-]?[0-9]++)?)|\.[0-9]++(?:[eE][+-]?[0-9]++)?"
    rf"|inf(?:inity)?){_BLANKS}",
    re.ASCII | re.IGNORECASE,
)
_LONG: Final = 300  # with fewer digits a whole number is in the range of Double


class OutOfRange(ValueError):
    """A number that no Double holds."""


def number(text: str) -> int | float:
    """The number that *text* writes: an integer of digits alone, exactly; else the nearest Double.

    A sign, digits, a point and an exponent in ASCII, or `inf` or `Infinity` in letters of any case; blanks around it don't
    count. Nothing else is a number: no `1_000`, `1,5`, `0x1F`, `NaN`. Raises ValueError, OutOfRange where it is a number
    whose nearest Double is infinite.
    """
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a number")
    if found[2] and not found[3] and len(found[2]) < _LONG:
        return int(text)
    value = float(text)
    if math.isinf(value) and "n" not in text.lower():
        raise OutOfRange(f"{text.strip()[:40]!r} is beyond the range of Double")
    return value


def real(text: str) -> float:
    """The same as a Double. Raises as `number` does."""
    number(text)
    return float(text)
