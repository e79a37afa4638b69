"""Parquet: types are the file's, and its values are those that a file of text would have.

Whole numbers, floating point numbers and decimals are numbers; dates and moments are without a zone (those with one as they
are in UTC); text is text, a value that writes a missing one is missing. Other types are refused by their names.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from tables import packed
from tables.columns import named
from tables.forms import NAMED, TableError
from tables.table import Typed
from tables.values import MISSING, number

if TYPE_CHECKING:
    import pyarrow as pa

_MARK: Final = b"PAR1"
_NUMBER: Final = 8  # bytes; equal values take none in the file
_INT64: Final = 1 << 63
_BATCH: Final = 1024  # rows that are looked at at once where only the beginning is wanted
_ANOTHER: Final = "Write such columns as numbers, text, truth values or dates, or leave them out."
_AGAIN: Final = "Write the file again, and upload all of it."


def load(data: bytes, name: str) -> pa.Table:
    """The table with columns of five types: int64, double, bool, string, timestamp[us]; null where a value is missing.

    Raises TableError for what is not Parquet, is broken, too large, or has a column of another type.
    """
    file = _opened(io.BytesIO(data), name)
    if file.metadata.num_rows * file.metadata.num_columns * _NUMBER > packed.MOST:
        raise packed.too_large(name)
    import pyarrow as pa

    try:
        return _plain(pa.Table.from_batches(file.iter_batches(), file.schema_arrow), name)
    except (pa.ArrowException, OSError) as error:
        raise _broken(name, error) from None


def read_parquet(data: bytes, name: str) -> Typed:
    """The same as texts."""
    return as_texts(load(data, name), name)


def beginning(source: BinaryIO, name: str, most: int) -> Typed:
    """The first rows, of about *most* characters of text; of a large file little more is read than they take."""
    import pyarrow as pa

    file = _opened(source, name)
    batches, size, whole = [], 0, True
    try:
        for batch in file.iter_batches(_BATCH):
            batches.append(batch)
            size += batch.nbytes
            if size >= most:
                whole = sum(map(len, batches)) == file.metadata.num_rows
                break
        found = _plain(pa.Table.from_batches(batches, file.schema_arrow), name)
    except (pa.ArrowException, OSError) as error:
        raise _broken(name, error) from None
    return as_texts(found, name, whole=whole)


def as_texts(table: pa.Table, name: str, *, whole: bool = True) -> Typed:
    """A loaded table's values as texts."""
    types = {
        column: _NET[str(values.type)]
        for column, values in zip(table.column_names, table.columns, strict=True)
    }
    return Typed(name, tuple(table.column_names), tuple(map(_texts, table.columns)), types, whole=whole)


_NET: Final = {
    **{"int64": "Int64", "double": "Double", "bool": "Boolean", "timestamp[us]": "DateTime"},
    **{"string": "String", "large_string": "String"},
}


def _opened(source: BinaryIO, name: str) -> Any:
    """The file, its footer read. Raises TableError."""
    source.seek(0)
    start = source.read(4)
    source.seek(-4, io.SEEK_END) if start else None
    if start != _MARK or source.read(4) != _MARK:
        whole = start == _MARK
        what = "is cut off: Parquet's end is not there" if whole else "is not Parquet, as its name says"
        raise TableError(name, 0, what, _AGAIN if whole else NAMED)
    import pyarrow as pa
    import pyarrow.parquet as pq

    source.seek(0)
    try:
        return pq.ParquetFile(source, pre_buffer=False, buffer_size=2**16)
    except (pa.ArrowException, OSError) as error:
        raise _broken(name, error) from None


def _broken(name: str, error: Exception) -> TableError:
    why = " ".join(str(error).split())[:120]
    return TableError(name, 0, f"is broken: Parquet cannot be read from it ({why})", _AGAIN)


def _plain(table: pa.Table, name: str) -> pa.Table:
    import pyarrow as pa

    columns = named(table.column_names, name, 0)
    found = [_column(values, column, name) for values, column in zip(table.columns, columns, strict=True)]
    return pa.table(found, names=list(columns))


def _column(values: pa.ChunkedArray, column: str, name: str) -> pa.ChunkedArray:
    """The column as one of the five types. Raises TableError."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if pa.types.is_dictionary(kind):
        values = values.cast(kind.value_type)
        kind = values.type
    if pa.types.is_null(kind) or pa.types.is_floating(kind):
        return values.cast(pa.float64())
    if pa.types.is_integer(kind):
        wide = kind == pa.uint64() and (pc.max(values).as_py() or 0) >= 2**63
        return values.cast(pa.float64(), safe=False) if wide else values.cast(pa.int64())
    if pa.types.is_decimal(kind):  # by its digits: to the nearest number
        return values.cast(pa.string()).cast(pa.float64())
    if pa.types.is_boolean(kind):
        return values
    if pa.types.is_date(kind):
        return values.cast(pa.timestamp("ms")).cast(pa.timestamp("us"))
    if pa.types.is_timestamp(kind):  # one with a zone is kept in UTC
        return values.cast(pa.timestamp("us", kind.tz), safe=False).cast(pa.timestamp("us"))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        values = values.cast(pa.large_string())
        missing = pc.is_in(values, value_set=pa.array(MISSING, pa.large_string()))
        return pc.if_else(missing, pa.scalar(None, pa.large_string()), values)
    raise TableError(name, 0, f"has the column {column!r} of the type {str(kind)[:60]}", _ANOTHER)


def _texts(values: pa.ChunkedArray) -> Sequence[str]:
    return ["" if value is None else _text(value) for value in values.to_pylist()]


def _text(value: Any) -> str:
    if isinstance(value, float):
        text = repr(value)
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(text, text)
    if isinstance(value, str | int):
        return str(value)
    text = str(value.isoformat())
    return text.removesuffix("T00:00:00")


def of(table: Typed) -> pa.Table:
    """A table whose columns are String, DateTime or numbers, as `load` gives one."""
    import pyarrow as pa

    makers: Mapping[str, Callable[[list[str | None]], pa.Array]] = {
        "String": lambda cells: pa.array(cells, pa.large_string()),
        "DateTime": lambda cells: pa.array(
            [None if cell is None else datetime.fromisoformat(cell) for cell in cells], pa.timestamp("us")
        ),
    }
    return pa.table(
        {
            column: makers.get(table.types.get(column, ""), _numbers)(
                [None if cell in MISSING else cell for cell in cells]
            )
            for column, cells in zip(table.columns, table.values, strict=True)
        }
    )


def _numbers(cells: list[str | None]) -> pa.Array:
    import pyarrow as pa

    found = [None if cell is None else number(cell) for cell in cells]
    whole = all(value is None or (isinstance(value, int) and -_INT64 <= value < _INT64) for value in found)
    if whole and any(value is not None for value in found):
        return pa.array(found, pa.int64())
    return pa.array([None if value is None else float(value) for value in found], pa.float64())


def dump(tables: Sequence[pa.Table]) -> bytes:
    """The rows of all *tables*, which have the same columns, as one file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = dict(zip(tables[0].column_names, tables[0].schema.types, strict=True))
    for column in kinds:
        written = (one[column].type for one in tables if one[column].null_count < len(one))
        kinds[column] = next(written, kinds[column])
    same = [
        pa.table(
            {
                column: one[column] if one[column].type == kind else pa.nulls(len(one), kind)
                for column, kind in kinds.items()
            }
        )
        for one in tables
    ]
    sink = io.BytesIO()
    pq.write_table(pa.concat_tables(same), sink)
    return sink.getvalue()


def other_types(one: pa.Table, other: pa.Table) -> Iterator[tuple[str, str, str]]:
    """Columns that two loaded tables have as different types: name, type here, type there. One without a value is of any."""
    for column in one.column_names:
        mine, its = one[column], other[column]
        empty = any(values.null_count == len(values) for values in (mine, its))
        if mine.type != its.type and not empty:
            yield column, _NET[str(mine.type)], _NET[str(its.type)]
