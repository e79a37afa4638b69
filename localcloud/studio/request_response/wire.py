"""Scoring on the wire: the table form and the swagger form, values as strings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from graph import Rows, net_type, table_of, texts
from localcloud.facilities.errors import BadArgument, BadUserArgument
from localcloud.facilities.wire import member

_SCALARS = frozenset({str, int, float, bool, type(None)})
_quoted = json.encoder.encode_basestring  # as compact as a text can be in JSON, by the library's C


def read_inputs(body: Mapping[str, Any], names: Sequence[str]) -> dict[str, Rows]:
    """The tables of a request by input name (matched without regard to case), columns of plain Python values.

    Each is ``{"ColumnNames", "Values"}`` or a list of objects, whatever the query says. Raises `BadArgument`
    (MissingRequestInput, InvalidInputNames) and `BadUserArgument` (InputParseError).
    """
    inputs = member(body, "Inputs")
    if inputs is None:
        inputs = {}
    if not isinstance(inputs, Mapping):
        raise BadArgument("RequestBodyInvalid", "Inputs is not an object", "Inputs")
    known = {name.casefold(): name for name in names}
    tables: dict[str, Rows] = {}
    for given, value in inputs.items():
        name = known.get(str(given).casefold())
        if name is None:
            listed = ", ".join(names) or "none"
            raise BadArgument(
                "InvalidInputNames", f"there is no input '{given}'; there are: {listed}", str(given)
            )
        if value is not None:
            tables[name] = _table(value, name)
    missing = [name for name in names if name not in tables]
    if missing:
        raise BadArgument("MissingRequestInput", f"input '{missing[0]}' is missing", missing[0])
    return tables


def _table(value: Any, name: str) -> Rows:
    if isinstance(value, Mapping):
        columns, rows = member(value, "ColumnNames"), member(value, "Values")
        if not isinstance(columns, list) or not isinstance(rows, list):
            raise _unreadable(name, "it needs ColumnNames and Values")
        names = [str(column) for column in columns]
        if len(set(names)) != len(names):
            raise _unreadable(name, "a column is named twice")
        for number, row in enumerate(rows, 1):
            if not isinstance(row, list) or len(row) != len(names):
                raise _unreadable(name, f"row {number} does not have {len(names)} values")
        table = table_of(names, rows)
    elif isinstance(value, list):
        if not all(isinstance(row, Mapping) for row in value):
            raise _unreadable(name, "its rows are not objects")
        table = _of_objects(value)
    else:
        raise _unreadable(name, "it is neither a table nor a list of rows")
    if not table.columns or not table.count:
        raise _unreadable(name, "it has no rows")
    if not all(_SCALARS.issuperset(map(type, column)) for column in table.columns.values()):
        for row in zip(*table.columns.values(), strict=True):
            for column, cell in zip(table.columns, row, strict=True):
                if type(cell) not in _SCALARS:
                    raise _unreadable(
                        name, f"column '{column}' has a value that is neither text nor number nor null"
                    )
    return table


def _of_objects(rows: list[Mapping[str, Any]]) -> Rows:
    first = rows[0].keys() if rows else {}.keys()
    if all(row.keys() == first for row in rows):
        return Rows({name: [row[name] for row in rows] for name in first}, len(rows))
    names = dict.fromkeys(key for row in rows for key in row)
    return Rows({name: [row.get(name) for row in rows] for name in names}, len(rows))


def _unreadable(name: str, reason: str) -> BadUserArgument:
    return BadUserArgument("InputParseError", f"input '{name}' cannot be read: {reason}", name)


def table_json(frame: Any, types: Mapping[str, str], *, details: bool) -> str:
    """An output in table form; with `details` the names and .NET types of its columns."""
    names = ""
    if details:
        kinds = [types.get(str(name)) or net_type(column) for name, column in frame.items()]
        columns = [str(name) for name in frame.columns]
        names = f'"ColumnNames":{_dumped(columns)},"ColumnTypes":{_dumped(kinds)},'
    rows = _lines(frame, types, f"[{','.join(['%s'] * len(frame.columns))}]")
    return f'{{"type":"table","value":{{{names}"Values":[{",".join(rows)}]}}}}'


def rows_json(frame: Any, types: Mapping[str, str]) -> str:
    """An output as a list of objects."""
    return f"[{','.join(_lines(frame, types, _object(tuple(frame.columns))))}]"


@lru_cache(256)
def _object(names: tuple[Any, ...]) -> str:
    members = (f"{_quoted(str(name)).replace('%', '%%')}:%s" for name in names)
    return f"{{{','.join(members)}}}"


def answer_json(outputs: Mapping[str, str]) -> str:
    """The whole answer, of outputs in JSON."""
    return f'{{"Results":{{{",".join(f"{_quoted(name)}:{output}" for name, output in outputs.items())}}}}}'


def _lines(frame: Any, types: Mapping[str, str], line: str) -> Iterator[str]:
    """The rows: the line with the values of each in JSON, which are strings and null."""
    columns = [_strings(column, types.get(str(name), "")) for name, column in frame.items()]
    return map(line.__mod__, zip(*columns, strict=True))


def _strings(column: Any, type_name: str) -> list[str]:
    written = texts(column, type_name)
    if column.dtype.kind in "iufb" and None not in written:
        return [f'"{text}"' for text in written]
    return ["null" if text is None else _quoted(text) for text in written]


def _dumped(values: list[str]) -> str:
    return f"[{','.join(map(_quoted, values))}]"
