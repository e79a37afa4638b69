"""Rows of requests and answers: plain values in, values as strings out, as Studio writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from graph.libraries import Table, np, pd

_ODD: Final = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


@dataclass(frozen=True)
class Rows:
    """A request's table: columns of plain Python values, each with so many."""

    columns: Mapping[str, Sequence[Any]]
    count: int

    def frame(self) -> Table:
        """As a data frame."""
        # One block of plain objects: a frame built column by column costs a millisecond, this a tenth of it.
        cells = np.empty((self.count, len(self.columns)), dtype=object)
        for at, column in enumerate(self.columns.values()):
            cells[:, at] = column
        return pd.DataFrame(cells, columns=pd.Index(list(self.columns), dtype=object), copy=False)


def table_of(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Rows:
    """The table of these rows of plain Python values."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return Rows(dict(zip(names, columns, strict=True)), len(rows))


def rows_of(frame: Any, types: Mapping[str, str]) -> list[dict[str, str | None]]:
    """The rows of a table, by column, as `texts` has the values; *types* are .NET's, by column, where they are known."""
    names = [str(name) for name in frame.columns]
    columns = [texts(column, types.get(str(name), "")) for name, column in frame.items()]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def texts(column: Any, type_name: str) -> list[str | None]:
    """The values of a column as .NET's invariant culture writes them; null for a missing one that is not a number."""
    values = column.tolist()
    kind = column.dtype.kind
    if kind in "iu":
        return [str(value) for value in values]
    if kind == "f" and type_name in ("", "Double"):
        return [_number(value) for value in values]
    # What is missing is NaN in a column of strings or integers, too: there it means null, not a number.
    return [None if value is None or value != value else _text(value) for value in values]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    return _number(value) if isinstance(value, float) else str(value)


def _number(value: float) -> str:
    text = repr(value)
    return text[:-2] if text[-2:] == ".0" else _ODD.get(text, text)
