"""One table split by a column: for each value its rows, under the table's header.

A slice is written in one way, whatever the way in which the table was: comma-separated values in UTF-8, line ends of one
character, quotes only where a value needs them. So the same rows are the same bytes, and the same data.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

from clients.errors import ConfigurationError
from clients.names import listed, shown
from tables import MISSING, Stream, TableError, stream
from tables.joining import other_columns

MOST = 100_000
_MD5 = re.compile(r"[A-Za-z0-9+/]{22}==")
_NEEDS_QUOTES = re.compile(r'["\r\n]')

# Name and content, in pieces, of each part of a table.
Files = Iterable[tuple[str, Iterable[bytes]]]


@dataclass(frozen=True)
class Slice:
    """The part of a table with one value: how many *rows*, and as text how many *bytes* with which *md5* (base64)."""

    rows: int
    md5: str
    bytes: int

    def __post_init__(self) -> None:
        if not _MD5.fullmatch(self.md5):
            raise ValueError(f"{self.md5!r} is no MD5 in base64")


@dataclass(frozen=True)
class Split:
    """The slices of a table by value, in the order in which the values come; *without* rows have no value."""

    slices: Mapping[str, Slice]
    without: int
    version: int = 1


class Rows:
    """The rows of one table in several *files*, in their order, each with its value in *column*; they can be read once.

    Raises ConfigurationError for what is no table, has no such column, or has other columns than the first file.
    """

    def __init__(self, files: Files, column: str) -> None:
        self.column = column
        self.without = 0
        self._parts = self._written(files)
        with _refusals():
            self._first = next(self._parts, None)
        self.header = as_line(self._first.columns) if self._first else b""

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        """The value and the text of each row that has a value; those without are counted."""
        if self._first is None:
            return
        at = self._first.columns.index(self.column)
        with _refusals():
            for part in chain([self._first], self._parts):
                for _line, cells in part.rows:
                    if cells[at] in MISSING:
                        self.without += 1
                    else:
                        yield cells[at], as_line(cells)

    def _written(self, files: Files) -> Iterator[Stream]:
        """The files in which something is written."""
        first: Stream | None = None
        for name, chunks in files:
            part = stream(chunks, name)
            if not part.columns:
                continue
            if first is None and self.column not in part.columns:
                raise ConfigurationError(
                    f"{name} has no column {shown(self.column)!r}; it has: {listed(part.columns)}",
                    "name the column of the table whose values are the members",
                )
            first = first or part
            if part.columns != first.columns:
                raise other_columns(name, part.columns, first.name, first.columns)
            yield part


def split(rows: Rows, also: Callable[[str, bytes], None] | None = None) -> Split:
    """What the slices of a table are, in one pass in which no row is held; *also* gets each row as it comes.

    Raises ConfigurationError as Rows does, and for more values than a fleet has members.
    """
    start = hashlib.md5(rows.header, usedforsecurity=False)
    hashes: dict[str, Any] = {}
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for value, text in rows:
        if value not in hashes:
            if len(hashes) == MOST:
                raise ConfigurationError(
                    f"the column {shown(rows.column)!r} has more than {MOST:,} values, and a fleet no more members",
                    "name a column with fewer values",
                )
            hashes[value] = start.copy()
        hashes[value].update(text)
        counts[value] += 1
        sizes[value] += len(text)
        if also:
            also(value, text)
    slices = {
        value: Slice(counts[value], b64encode(found.digest()).decode(), len(rows.header) + sizes[value])
        for value, found in hashes.items()
    }
    return Split(slices, rows.without)


def as_line(cells: Sequence[str]) -> bytes:
    """A row as it is written in a slice."""
    line = ",".join(cells)
    if line.count(",") != len(cells) - 1 or not line or _NEEDS_QUOTES.search(line):
        line = ",".join(map(_quoted, cells)) if line else '""'
    return line.encode() + b"\n"


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if "," in cell or _NEEDS_QUOTES.search(cell) else cell


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except TableError as error:
        raise ConfigurationError(error.cause, error.remedy) from None
