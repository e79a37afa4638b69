"""Several files with the same columns as one table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from tables.reader import Table, TableError, read


def join(files: Iterable[tuple[str, bytes]]) -> bytes:
    """The rows of all *files* (name and content), in their order, under the one header that they share: CSV in UTF-8.

    One in which nothing is written is passed over. Raises TableError for one that is not a table, or has other columns
    than the first.
    """
    first: Table | None = None
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\r\n")  # so that it quotes each of the two
    for name, data in files:
        part = read(data, name)
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
