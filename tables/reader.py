"""Reads one table: from bytes to columns and rows, or to a refusal that says where and why."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from operator import methodcaller
from typing import Final

from tables import arff, parquet
from tables.columns import named, numbered
from tables.forms import ARFF, PARQUET, Form, TableError, form_of, refuse_others
from tables.packed import unpacked
from tables.table import Table, Typed

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|[\r\n])|[^\r\n]+")
_LOOK: Final = 64 * 1024  # so much of a text tells what it is
_PIECES: Final = 64  # megabytes of text that the beginning of a packed file may have
_AS_TEXT: Final = "Write the table as text in UTF-8, or in UTF-16 with a byte order mark."
_QUOTES: Final = 'Put a value that holds quotes in quotes, and write each quote in it twice: "5"" disc".'
_OPEN: Final = "begins a value in quotes that does not end"
_UNENDED: Final = "unexpected end of data"  # the csv module's words


class EndlessHeader(TableError):
    """The names of the columns do not end in the beginning of the file: it does not tell what the table is."""


@dataclass(frozen=True)
class Text(Table):
    """A table that is a text whose header has been read."""

    delimiter: str
    head: str
    """The text of the header."""
    body: str
    """The text after it."""
    line: int
    """The line on which that begins."""

    @property
    def size(self) -> int:
        """See Table."""
        return len(self.head) + len(self.body)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """See Table."""
        text = io.StringIO(self.body, newline="")
        for line, cells in records(text, self.delimiter, self.name, self.line, self.whole):
            if len(cells) != len(self.columns):
                raise ragged(self.name, self.columns, line, len(cells))
            yield line, cells

    def check(self) -> Text:
        """See Table."""
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


def read(data: bytes, name: str, *, form: Form | None = None, whole: bool = True) -> Table:
    """The table in *data*, the content of the file *name*, which says its *form* where that is not given.

    A file whose form has no header has columns Col1, Col2, …; a column without a name is called by its position. A file in
    which nothing is written has no columns. With *whole* False, *data* is the beginning of the file only, of Parquet all
    the same. Raises TableError for bytes that are not such a file, and RepeatedColumn.
    """
    form = form or form_of(name)
    if form.kind == PARQUET:
        return parquet.read_parquet(data, name)
    if form.packed:
        data = b"".join(unpacked([data], name, whole=whole))
    refuse_others(data[:_LOOK], name, form)
    if form.kind == ARFF:
        return _read_arff(data, name, whole)
    return _read_text(data, name, form, whole)


def _read_arff(data: bytes, name: str, whole: bool) -> Typed:
    text = _whole_lines(_text(data, name, whole), whole)
    attributes, rows = arff.parse(io.StringIO(text), name)
    columns = named([one.name for one in attributes], name, 0)
    lines, cells = [], []
    for line, row in rows:
        lines.append(line)
        cells.append(row)
    values = tuple(zip(*cells, strict=True)) if cells else ((),) * len(columns)
    types = {column: one.type for column, one in zip(columns, attributes, strict=True) if one.type}
    return Typed(name, columns, values, types, lines, whole=whole)


def _read_text(data: bytes, name: str, form: Form, whole: bool) -> Text:
    delimiter, header = form.delimiter, form.header
    text = _whole_lines(_text(data, name, whole), whole)
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
            return Text(name, (), delimiter, "", "", 1, whole=whole)
        except csv.Error as error:
            raise _malformed(name, before + 1, error) from None
    if not header:
        return Text(name, numbered(first), delimiter, "", text, 1, whole=whole)
    columns = named(first, name, before + 1)
    return Text(name, columns, delimiter, text[:end], text[end:], reader.line_num + 1, whole=whole)


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
    form = form_of(name)
    if form.packed:
        pieces = unpacked([data], name, whole=whole)
        data = b"".join(islice(pieces, _PIECES))
        whole = whole and next(pieces, None) is None
        form = replace(form, packed=False)
    try:
        table = read(data, name, form=form, whole=whole)
    except TableError as error:
        if not whole and error.what.endswith((_OPEN, arff.NO_DATA)):
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


def _whole_lines(text: str, whole: bool) -> str:
    return text if whole else text[: max(text.rfind("\n"), text.rfind("\r")) + 1]


def _text(data: bytes, name: str, whole: bool) -> str:
    """The text in *data*; what is left of a character that is cut off is left out where *data* is not *whole*."""
    encoding = encoding_of(data)
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(data, final=whole)
    except UnicodeDecodeError as error:
        raise not_text(name, encoding, data.count(b"\n", 0, error.start) + 1) from None
    if "\0" in text:
        raise holds_nul(name, text.count("\n", 0, text.index("\0")) + 1)
    return text


def encoding_of(start: bytes) -> str:
    """The encoding of what begins with *start*, four bytes or all."""
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
