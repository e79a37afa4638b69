"""Scoring on the wire: the table form and the swagger form, values as strings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from studio.errors import BadArgument, BadUserArgument
from studio.wire import member

_SCALARS = (str, int, float, bool, type(None))


def read_inputs(body: Mapping[str, Any], names: Sequence[str]) -> dict[str, pd.DataFrame]:
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
    tables: dict[str, pd.DataFrame] = {}
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


def _table(value: Any, name: str) -> pd.DataFrame:
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
        values = {column: [row[i] for row in rows] for i, column in enumerate(names)}
    elif isinstance(value, list):
        if not all(isinstance(row, Mapping) for row in value):
            raise _unreadable(name, "its rows are not objects")
        names = list(dict.fromkeys(key for row in value for key in row))
        values = {column: [row.get(column) for row in value] for column in names}
    else:
        raise _unreadable(name, "it is neither a table nor a list of rows")
    for column, cells in values.items():
        if not all(isinstance(cell, _SCALARS) for cell in cells):
            raise _unreadable(name, f"column '{column}' has a value that is neither text nor number nor null")
    if not names or not values[names[0]]:
        raise _unreadable(name, "it has no rows")
    return pd.DataFrame({column: pd.Series(cells, dtype=object) for column, cells in values.items()})


def _unreadable(name: str, reason: str) -> BadUserArgument:
    return BadUserArgument("InputParseError", f"input '{name}' cannot be read: {reason}", name)


def table_json(frame: pd.DataFrame, types: Mapping[str, str], *, details: bool) -> dict[str, Any]:
    """An output in table form; with `details` the names and .NET types of its columns."""
    columns = [_texts(frame[name]) for name in frame.columns]
    value: dict[str, Any] = {}
    if details:
        value["ColumnNames"] = [str(name) for name in frame.columns]
        value["ColumnTypes"] = [types.get(str(name)) or _net_type(frame[name]) for name in frame.columns]
    value["Values"] = [list(row) for row in zip(*columns, strict=True)]
    return {"type": "table", "value": value}


def rows_json(frame: pd.DataFrame) -> list[dict[str, str | None]]:
    """An output in swagger form."""
    names = [str(name) for name in frame.columns]
    columns = [_texts(frame[name]) for name in frame.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _texts(column: pd.Series[Any]) -> list[str | None]:
    return [_text(value) for value in column.tolist()]


def _text(value: Any) -> str | None:
    """A value as .NET's invariant culture writes it; null for a missing one that is not a number."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, float):
        if math.isfinite(value):
            text = repr(value)
            return text[:-2] if text.endswith(".0") else text
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return str(value)


def _net_type(column: pd.Series[Any]) -> str:
    return {"b": "Boolean", "i": "Int32", "u": "Int32", "f": "Double"}.get(column.dtype.kind, "String")
