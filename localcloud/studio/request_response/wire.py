"""Scoring on the wire: the table form and the swagger form, values as strings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graph import Rows, net_type, table_of, texts
from localcloud.facilities.errors import BadArgument, BadUserArgument
from localcloud.facilities.wire import member

_SCALARS = (str, int, float, bool, type(None))


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
    elif isinstance(value, list):
        if not all(isinstance(row, Mapping) for row in value):
            raise _unreadable(name, "its rows are not objects")
        names = list(dict.fromkeys(key for row in value for key in row))
        rows = [[row.get(column) for column in names] for row in value]
    else:
        raise _unreadable(name, "it is neither a table nor a list of rows")
    if not names or not rows:
        raise _unreadable(name, "it has no rows")
    for row in rows:
        for column, cell in zip(names, row, strict=True):
            if not isinstance(cell, _SCALARS):
                raise _unreadable(
                    name, f"column '{column}' has a value that is neither text nor number nor null"
                )
    return table_of(names, rows)


def _unreadable(name: str, reason: str) -> BadUserArgument:
    return BadUserArgument("InputParseError", f"input '{name}' cannot be read: {reason}", name)


def table_json(frame: Any, types: Mapping[str, str], *, details: bool) -> dict[str, Any]:
    """An output in table form; with `details` the names and .NET types of its columns."""
    columns = dict(frame.items())
    value: dict[str, Any] = {}
    if details:
        value["ColumnNames"] = [str(name) for name in columns]
        value["ColumnTypes"] = [types.get(str(name)) or net_type(one) for name, one in columns.items()]
    written = [texts(column, types.get(str(name), "")) for name, column in columns.items()]
    value["Values"] = [list(row) for row in zip(*written, strict=True)]
    return {"type": "table", "value": value}
