"""What the columns of a table are called."""

from __future__ import annotations

from collections.abc import Sequence

from tables.forms import TableError


class RepeatedColumn(TableError):
    """Two columns have one name."""


def named(first: Sequence[str], name: str, line: int) -> tuple[str, ...]:
    """The columns that the *first* row names, which begins in *line*. Raises RepeatedColumn."""
    seen: set[str] = set()
    for column in first:
        if column in seen:
            raise RepeatedColumn(
                name, line, f"names two columns {column!r}", "Give each column a name of its own."
            )
        seen.add(column)
    return tuple(column or f"Unnamed: {at}" for at, column in enumerate(first))


def numbered(first: Sequence[str]) -> tuple[str, ...]:
    """The columns of a table without a header, by its *first* row."""
    return tuple(f"Col{number}" for number in range(1, len(first) + 1))
