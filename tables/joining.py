"""Several files with the same columns as one table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from tables import parquet
from tables.forms import PARQUET, TEXT, TableError, form_of
from tables.reader import Text, read
from tables.table import Typed

if TYPE_CHECKING:
    import pyarrow as pa


def joined_as(names: Sequence[str]) -> str:
    """How the name ends that tells what `join` makes of the files *names*: text, or Parquet of files that say types."""
    return ".csv" if form_of(names[0]).kind == TEXT else ".parquet"


def join(files: Iterable[tuple[str, bytes]]) -> bytes:
    """The rows of all *files* (name and content), in their order, under the columns that they share.

    Of files of text CSV in UTF-8; of those that say the types of their columns Parquet. One in which nothing is written is
    passed over. Raises TableError for one that is not a table, or has other columns than the first or other types.
    """
    parts_left = iter(files)
    first = next(parts_left)
    every = chain([first], parts_left)
    return _joined_text(every) if joined_as([first[0]]) == ".csv" else _joined_typed(every)


def _joined_text(files: Iterable[tuple[str, bytes]]) -> bytes:
    first: Text | None = None
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\r\n")  # so that it quotes each of the two
    for name, data in files:
        part = read(data, name)
        if not isinstance(part, Text):
            raise _mixed(name, first.name if first else "the first part")
        if not part.columns:
            continue
        if first is None:
            first = part
            if part.delimiter == "," and part.head:
                written.write(_ended(part.head))
            else:
                writer.writerow(part.columns)
        elif part.columns != first.columns:
            raise other_columns(name, part.columns, first.name, first.columns)
        if part.delimiter == ",":
            written.write(_ended(part.check().body))
        else:
            writer.writerows(cells for _line, cells in part.rows())
    return written.getvalue().encode("utf-8")


def _joined_typed(files: Iterable[tuple[str, bytes]]) -> bytes:
    found: list[tuple[str, pa.Table]] = []
    for name, data in files:
        if form_of(name).kind == TEXT:
            raise _mixed(name, found[0][0])
        part = parquet.load(data, name) if form_of(name).kind == PARQUET else parquet.of(_typed(data, name))
        if found:
            first, table = found[0]
            if part.column_names != table.column_names:
                raise other_columns(name, part.column_names, first, table.column_names)
            for column, here, there in parquet.other_types(part, table):
                raise TableError(
                    name,
                    0,
                    f"has {here} in the column {column!r}, and {first} has {there}",
                    "Write all parts of a data version with the same types.",
                )
        found.append((name, part))
    return parquet.dump([table for _name, table in found])


def _typed(data: bytes, name: str) -> Typed:
    part = read(data, name)
    assert isinstance(part, Typed)
    return part


def _mixed(name: str, first: str) -> TableError:
    return TableError(
        name,
        0,
        f"is of another kind than {first}: one says the types of its columns, the other does not",
        "Write all parts of a data version in one format.",
    )


def other_columns(name: str, columns: Sequence[str], first: str, of_first: Sequence[str]) -> TableError:
    """That the file *name* has other *columns* than the *first* one."""
    return TableError(
        name,
        0,
        f"has other columns than {first}: {', '.join(columns)} instead of {', '.join(of_first)}",
        "Name data versions with the same columns in the same order: one model is trained from all of them.",
    )


def parts(names: Sequence[str]) -> list[str]:
    """Those of the files *names* that are parts of a set: all but its markers, and all where there is nothing else."""
    return [name for name in names if not _is_marker(name)] or list(names)


def _is_marker(name: str) -> bool:
    """Whether the file *name* is no part of a set of files but tells something of it, as `_SUCCESS`, `_committed_7` and
    `.part-0.csv.crc` do: those that write sets begin such names with `_` or `.`, and those that read sets pass them over.
    """
    return name.rpartition("/")[2].startswith(("_", "."))


def _ended(text: str) -> str:
    """With the end of its last line."""
    return text if not text or text.endswith(("\n", "\r")) else text + "\n"
