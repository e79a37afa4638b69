"""Reads one table: from bytes to columns and rows, or to a refusal that says where and why."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import methodcaller
from typing import Final

from tables.values import MISSING

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|[\r\n])|[^\r\n]+")
_GZIP: Final = b"\x1f\x8b"
_AS_TEXT: Final = "Write the table as text in UTF-8, or in UTF-16 with a byte order mark."
_QUOTES: Final = 'Put a value that holds quotes in quotes, and write each quote in it twice: "5"" disc".'
_OPEN: Final = "begins a value in quotes that does not end"
_UNENDED: Final = "unexpected end of data"  # the csv module's words


class TableError(Exception):
    """A file that is not a table; `cause` names the file and the line, `what` only what is wrong there."""

    def __init__(self, name: str, line: int, what: str, remedy: str) -> None:
        self.name = name
        self.line = line
        self.what = f"line {line} {what}" if line else f"it {what}"
        self.cause = f"{name}: {self.what}" if line else f"{name} {what}"
        self.remedy = remedy
        super().__init__(self.cause)


class RepeatedColumn(TableError):
    """Two columns have one name."""


class EndlessHeader(TableError):
    """The names of the columns do not end in the beginning of the file: it does not tell what the table is."""


@dataclass(frozen=True)
class Table:
    """A table whose header has been read. Its rows are read as they are asked for."""

    name: str
    delimiter: str
    columns: tuple[str, ...]
    head: str
    """The text of the header."""
    body: str
    """The text after it."""
    line: int
    """The line on which that begins."""
    whole: bool = True
    """Whether the text is all of the file: else its last row may be cut off, and is left out."""

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row with the line on which it begins. Raises TableError for one that has more or fewer values than columns."""
        text = io.StringIO(self.body, newline="")
        for line, cells in records(text, self.delimiter, self.name, self.line, self.whole):
            if len(cells) != len(self.columns):
                raise ragged(self.name, self.columns, line, len(cells))
            yield line, cells

    def records(self) -> Iterator[tuple[int, dict[str, str | None]]]:
        """Each row with its line, as values by column; a missing value is None. Raises TableError as `rows` does."""
        for line, cells in self.rows():
            known = (None if cell in MISSING else cell for cell in cells)
            yield line, dict(zip(self.columns, known, strict=True))

    def check(self) -> Table:
        """Read all rows, for their form only. Raises TableError as `rows` does."""
        if '"' in self.body or self.body.count("\r") != self.body.count("\r\n"):
            for _row in self.rows():
                pass
            return self
        # Without quotes a line is a row, and its delimiters can be counted, which is much faster.
        wanted, blanks = len(self.columns) - 1, _blanks(self.delimiter) + "\r"
        lines = self.body.removesuffix("\n").split("\n")
        found = list(map(methodcaller("count", self.delimiter), lines))
        if set(found) != {wanted}:
            for at, line in enumerate(lines):
                if found[at] != wanted and line.strip(blanks):
                    raise ragged(self.name, self.columns, self.line + at, found[at] + 1)
        return self


def read(data: bytes, name: str, *, form: tuple[str, bool] | None = None, whole: bool = True) -> Table:
    """The table in *data*, the content of the file *name*, which says its *form* where that is not given.

    A file whose form has no header has columns Col1, Col2, …; a column without a name is called by its position. A file in
    which nothing is written has no columns. With *whole* False, *data* is the beginning of the file only. Raises TableError
    for bytes that are not such a text, and RepeatedColumn.
    """
    delimiter, header = form or form_of(name)
    text = _text(data, name, whole)
    if not whole:
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1]
    end = 0

    def lines() -> Iterator[str]:
        nonlocal end
        for line in _LINE.finditer(text):
            end = line.end()
            yield line[0]

    reader = csv.reader(lines(), delimiter=delimiter, strict=True)
    first: list[str] = []
    before = 0
    while _blank(first, delimiter):
        before = reader.line_num
        try:
            first = next(reader)
        except StopIteration:
            return Table(name, delimiter, (), "", "", 1, whole)
        except csv.Error as error:
            raise _malformed(name, before + 1, error) from None
    if not header:
        return Table(name, delimiter, numbered(first), "", text, 1, whole)
    columns = named(first, name, before + 1)
    return Table(name, delimiter, columns, text[:end], text[end:], reader.line_num + 1, whole)


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


def ragged(name: str, columns: Sequence[str], line: int, found: int) -> TableError:
    """That a row, which begins in *line*, has *found* values."""
    return TableError(
        name,
        line,
        f"has {_count(found, 'value')}, and the table has {_count(len(columns), 'column')}",
        "Write a value for each column in each row, and quote values that hold the delimiter or a line end.",
    )


def head(data: bytes, name: str, *, whole: bool) -> Table:
    """The table that begins with *data*, the first bytes of the file *name*; *whole*: they are all of it.

    It may be cut anywhere, in a character, a value in quotes or a line end: what is not whole in it is left out. Its rows are
    checked for their form. A file in which nothing is written has no columns. Raises TableError as `read` and `Table.rows`
    do, and EndlessHeader.
    """
    try:
        table = read(data, name, whole=whole)
    except TableError as error:
        if not whole and error.what.endswith(_OPEN):
            raise _endless(data, name) from None
        raise
    if not whole and not table.columns and data.strip():
        raise _endless(data, name)
    return table.check()


def _endless(data: bytes, name: str) -> EndlessHeader:
    return EndlessHeader(
        name,
        0,
        f"names its columns in no line that ends within its first {len(data):,} bytes",
        "Begin the table with one line that names its columns.",
    )


def form_of(name: str) -> tuple[str, bool]:
    """What divides the values of a file of that name, and whether its first line names its columns."""
    name = name.lower()
    return "\t" if name.endswith(".tsv") else ",", not name.endswith((".nh.csv", ".nh.tsv"))


def _text(data: bytes, name: str, whole: bool) -> str:
    """The text in *data*; what is left of a character that is cut off is left out where *data* is not *whole*."""
    encoding = encoding_of(data, name)
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(data, final=whole)
    except UnicodeDecodeError as error:
        raise not_text(name, encoding, data.count(b"\n", 0, error.start) + 1) from None
    if "\0" in text:
        raise holds_nul(name, text.count("\n", 0, text.index("\0")) + 1)
    return text


def encoding_of(start: bytes, name: str) -> str:
    """The encoding of what begins with *start*, four bytes or all. Raises TableError for what is compressed."""
    if start.startswith(_GZIP):
        raise TableError(name, 0, "is compressed (gzip)", "Upload the table uncompressed.")
    wide = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return "utf-16" if wide else "utf-8-sig"


def not_text(name: str, encoding: str, line: int) -> TableError:
    """That its bytes, in *line* where that can be said, are not text in *encoding*."""
    wide = encoding == "utf-16"
    return TableError(name, 0 if wide else line, f"is not text in UTF-{16 if wide else 8}", _AS_TEXT)


def holds_nul(name: str, line: int) -> TableError:
    """That there is a NUL in *line*."""
    return TableError(name, line, "holds a NUL character, which no text does", _AS_TEXT)


def records(
    lines: Iterable[str], delimiter: str, name: str, line: int = 1, whole: bool = True
) -> Iterator[tuple[int, list[str]]]:
    """What is between line ends, unless there is nothing, with the line on which it begins."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        begun = line + reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if str(error) == _UNENDED and not whole:
                return
            raise _malformed(name, begun, error) from None
        if not _blank(cells, delimiter):
            yield begun, cells


def _blank(cells: list[str], delimiter: str) -> bool:
    """Whether a line has nothing but blanks; a value in quotes is something, be it empty."""
    return not cells or (len(cells) == 1 and cells[0] != "" and not cells[0].strip(_blanks(delimiter)))


def _blanks(delimiter: str) -> str:
    return " " if delimiter == "\t" else " \t"


def _malformed(name: str, line: int, error: csv.Error) -> TableError:
    text = str(error)
    if text == _UNENDED:
        return TableError(name, line, _OPEN, _QUOTES)
    if "expected after" in text:
        return TableError(name, line, "has text after the quotes that end a value", _QUOTES)
    return TableError(name, line, f"cannot be read: {text}", _QUOTES)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("s" if number != 1 else "")
