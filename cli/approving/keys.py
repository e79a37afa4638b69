"""Run keys as people give them: the first digits are enough."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cli.errors import CliError

SHORTEST = 4
DIGITS = 12
_MOST_NAMED = 5
_DIGITS = re.compile(r"[0-9a-f]{1,64}")


def the_one(given: str, known: Mapping[str, str], what: str) -> str:
    """The key of *known* that starts with *given*; *known* has what is said of each, *what* names them all.

    Raises:
        CliError: it is none of them or several, is no key, or is too short to be meant.
    """
    prefix = given.strip().lower()
    if _DIGITS.fullmatch(prefix) and len(prefix) < SHORTEST:
        raise CliError(
            f"{given} is too short to name a run",
            f"give {SHORTEST} digits or more: {_named(known)}",
            exit_code=2,
        )
    found = [key for key in known if key.startswith(prefix)] if prefix else []
    if not found:
        cause = f"{given} is none of the {what}" if _DIGITS.fullmatch(prefix) else f"{given!r} is no run key"
        raise CliError(cause, f"give one of these: {_named(known) or 'there are none yet'}", exit_code=2)
    if len(found) > 1:
        few = _named({key: known[key] for key in found}, enough_digits(found))
        raise CliError(
            f"{given} is the start of {len(found)} {what}", f"give more digits: {few}", exit_code=2
        )
    return found[0]


def enough_digits(keys: list[str], least: int = DIGITS) -> int:
    """How many digits tell *keys* apart."""
    return next((count for count in range(least, 64) if len({key[:count] for key in keys}) == len(keys)), 64)


def _named(known: Mapping[str, str], digits: int = DIGITS) -> str:
    shown = [f"{key[:digits]} ({said})" if said else key[:digits] for key, said in known.items()]
    more = [f"{len(shown) - _MOST_NAMED} more in ./dev runs"] if len(shown) > _MOST_NAMED else []
    return ", ".join(shown[:_MOST_NAMED] + more)
