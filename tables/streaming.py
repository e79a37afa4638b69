"""Reads a table that is too large to be held: row by row, from bytes in pieces."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from tables import arff
from tables.columns import named, numbered
from tables.forms import ARFF, PARQUET, Form, form_of, refuse_others
from tables.packed import unpacked
from tables.parquet import read_parquet
from tables.reader import encoding_of, holds_nul, not_text, ragged, records

_START = 64 * 1024  # so much tells what a text is


@dataclass(frozen=True)
class Stream:
    """A table whose header has been read: its *columns*, and its *rows*, each with its line, which can be read once."""

    name: str
    columns: tuple[str, ...]
    rows: Iterator[tuple[int, list[str]]]


def stream(chunks: Iterable[bytes], name: str) -> Stream:
    """The table in *chunks*, the content of the file *name*, as `read` and `Table.rows` read it, with the same errors.

    No more is held of it than a piece and a row, but of Parquet all. What is wrong with a row is said when it is reached.
    """
    form = form_of(name)
    if form.kind == PARQUET:
        table = read_parquet(b"".join(chunks), name)
        return Stream(name, table.columns, table.rows())
    pieces = unpacked(chunks, name) if form.packed else iter(chunks)
    lines = _lines(_text(pieces, name, form))
    if form.kind == ARFF:
        attributes, rows = arff.parse(lines, name)
        return Stream(name, named([one.name for one in attributes], name, 0), rows)
    found = records(lines, form.delimiter, name)
    begun, first = next(found, (1, []))
    if not first:
        return Stream(name, (), iter(()))
    if form.header:
        columns = named(first, name, begun)
        return Stream(name, columns, _whole(found, name, columns))
    columns = numbered(first)
    return Stream(name, columns, _whole(chain([(begun, first)], found), name, columns))


def _whole(
    rows: Iterable[tuple[int, list[str]]], name: str, columns: tuple[str, ...]
) -> Iterator[tuple[int, list[str]]]:
    for line, cells in rows:
        if len(cells) != len(columns):
            raise ragged(name, columns, line, len(cells))
        yield line, cells


def _text(chunks: Iterator[bytes], name: str, form: Form) -> Iterator[str]:
    """The text in *chunks*, piece by piece."""
    start = b""
    while len(start) < _START and (chunk := next(chunks, b"")):
        start += chunk
    refuse_others(start, name, form)
    encoding = encoding_of(start)
    decoder = codecs.getincrementaldecoder(encoding)()
    in_bytes = in_text = 1
    for chunk, last in chain([(start, False)], ((chunk, False) for chunk in chunks), [(b"", True)]):
        try:
            text = decoder.decode(chunk, final=last)
        except UnicodeDecodeError as error:
            raise not_text(name, encoding, in_bytes + error.object.count(b"\n", 0, error.start)) from None
        if "\0" in text:
            raise holds_nul(name, in_text + text.count("\n", 0, text.index("\0")))
        in_bytes += chunk.count(b"\n")
        in_text += text.count("\n")
        yield text


def _lines(texts: Iterable[str]) -> Iterator[str]:
    """The lines of *texts*, each with its end."""
    kept = ""
    for text in texts:
        kept += text
        # The last character may be the first of a line end of two.
        end = max(kept.rfind("\n"), kept.rfind("\r", 0, max(len(kept) - 1, 0))) + 1
        yield from io.StringIO(kept[:end], newline="")
        kept = kept[end:]
    yield from io.StringIO(kept, newline="")
