"""Names that others gave, in a message: few of many, and of each as much as fits into a line."""

from __future__ import annotations

import heapq
from collections.abc import Collection

_NAMED = 5
_SHOWN = 60


def nearest(wanted: str, there: Collection[str]) -> str:
    """What there is instead of a name that is missing: the names most like it, and how many there are."""
    if len(there) <= _NAMED:
        return f"there is: {', '.join(map(shown, sorted(there))) or 'none'}"
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(b=wanted[:_SHOWN], autojunk=False)

    def likeness(name: str) -> tuple[float, str]:
        matcher.set_seq1(name[:_SHOWN])
        return matcher.ratio(), name

    names = heapq.nlargest(_NAMED, there, key=likeness)
    return f"the nearest of {len(there):,} that there are: {', '.join(map(shown, sorted(names)))}"


def likeliest(wanted: str, names: Collection[str], cutoff: float = 0.0) -> str | None:
    """The one of *names* that *wanted* most likely means, in whatever case; None where none is as like as *cutoff* (0 to 1)."""
    from difflib import get_close_matches

    by_case = {each.casefold(): each for each in sorted(names)}
    found = get_close_matches(wanted.casefold(), by_case, n=1, cutoff=cutoff)
    return by_case[found[0]] if found else None


def listed(names: Collection[str]) -> str:
    """The first few of *names*, and how many more there are."""
    first = ", ".join(map(shown, sorted(names)[:_NAMED]))
    return first + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")


def shown(text: str) -> str:
    """A text that somebody else wrote, as much of it as fits into a line."""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 20]}…{text[-19:]}"
