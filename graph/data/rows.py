"""Rows of requests and answers: plain values in, values as strings out, as Studio writes them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def table_of(names: list[str], rows: list[list[Any]]) -> pd.DataFrame:
    """A table of columns of plain Python values."""
    import numpy as np
    import pandas as pd

    # One block of plain objects: a frame built column by column costs a millisecond, this a tenth of it.
    cells = np.empty((len(rows), len(names)), dtype=object)
    cells[:] = rows
    return pd.DataFrame(cells, columns=pd.Index(names, dtype=object), copy=False)


def rows_of(frame: pd.DataFrame, types: Mapping[str, str]) -> list[dict[str, str | None]]:
    """The rows of a table, by column, as `texts` has the values; *types* are .NET's, by column, where they are known."""
    names = [str(name) for name in frame.columns]
    columns = [texts(column, types.get(str(name), "")) for name, column in frame.items()]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def texts(column: pd.Series[Any], type_name: str) -> list[str | None]:
    """The values of a column as .NET's invariant culture writes them; null for a missing one that is not a number."""
    values = column.tolist()
    if column.dtype.kind != "f" or type_name not in ("", "Double"):
        # What is missing is NaN in a column of strings or integers, too: there it means null, not a number.
        missing = column.isna().tolist()
        values = [None if gone else value for value, gone in zip(values, missing, strict=True)]
    return [_text(value) for value in values]


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if value is None:
        return None
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, float):
        if math.isfinite(value):
            text = repr(value)
            return text[:-2] if text.endswith(".0") else text
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return str(value)
