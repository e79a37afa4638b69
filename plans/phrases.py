"""How keys, numbers and changes are written for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Words = list[tuple[str, str]]
"""Lines: a title and a text each."""


Does = tuple[str, str]
"""What a stage does, in words that its name follows: before it is carried out, and after."""


def short(key: Any) -> str:
    """A key or digest as people compare it: its first seven digits."""
    return str(key or "").removeprefix("2-")[:7]


def changed(old: Any, new: Any) -> str:
    """`old → new`, or `new` where there was nothing else."""
    return f"{old} → {new}" if old and old != new else str(new or "")


def number(value: Any) -> str:
    """A number with at most six digits."""
    return (
        f"{value:,}" if isinstance(value, int) else f"{value:.6g}" if isinstance(value, float) else str(value)
    )


def size(count: Any) -> str:
    """So many bytes."""
    if not isinstance(count, int | float):
        return str(count)
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def mapping(value: Any) -> Mapping[str, Any]:
    """It, where it is a mapping; else an empty one."""
    return value if isinstance(value, Mapping) else {}
