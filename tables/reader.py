"""Reads one table: from bytes to columns and rows, or to a refusal that says where and why."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
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
        for line, cells in _records(self.body, self.delimiter, self.name, self.line, self.whole):
            if len(cells) != len(self.columns):
                raise self._ragged(line, len(cells))
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
                    raise self._ragged(self.line + at, found[at] + 1)
        return self

    def _ragged(self, line: int, found: int) -> TableError:
        return TableError(
            self.name,
            line,
            f"has {_count(found, 'value')}, and the table has {_count(len(self.columns), 'column')}",
            "Write a value for each column in each row, and quote values that hold the delimiter or a line end.",
        )


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
        numbered = tuple(f"Col{number}" for number in range(1, len(first) + 1))
        return Table(name, delimiter, numbered, "", text, 1, whole)
    named: set[str] = set()
    for column in first:
        if column in named:
            raise RepeatedColumn(
                name, before + 1, f"names two columns {column!r}", "Give each column a name of its own."
            )
        named.add(column)
    columns = tuple(column or f"Unnamed: {at}" for at, column in enumerate(first))
    return Table(name, delimiter, columns, text[:end], text[end:], reader.line_num + 1, whole)


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
    if data.startswith(_GZIP):
        raise TableError(name, 0, "is compressed (gzip)", "Upload the table uncompressed.")
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "UTF-16" if wide else "UTF-8"
    try:
        text = codecs.getincrementaldecoder("utf-16" if wide else "utf-8-sig")().decode(data, final=whole)
    except UnicodeDecodeError as error:
        line = 0 if wide else data.count(b"\n", 0, error.start) + 1
        raise TableError(name, line, f"is not text in {encoding}", _AS_TEXT) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise TableError(name, line, "holds a NUL character, which no text does", _AS_TEXT)
    return text


def _records(text: str, delimiter: str, name: str, line: int, whole: bool) -> Iterator[tuple[int, list[str]]]:
    """What is between line ends, unless there is nothing, with the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
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
