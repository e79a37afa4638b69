"""What a table holds, column by column, and what is suspicious about it as training data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from graph import net_type
from tables import number

if TYPE_CHECKING:
    import pandas as pd

_DECIMAL_COMMA: Final = re.compile(r"[+-]?\d+(,\d+)?")
_FEW: Final = 12  # values of a column that are shown
_FREE_TEXT: Final = (
    100  # a text column with more values than this, and one in two rows another, is no category
)
_LOOK: Final = 5_000  # different values that are looked at first
_LEAST: Final = 3  # numbers beside which one text may be a mark
_SAME: Final = 0.999  # correlation with the label from which on a column is taken for the label itself


@dataclass(frozen=True)
class ColumnProfile:
    """One column: its .NET type, how many rows have no value, how many different values there are.

    `values` are the most frequent ones with their counts, where they are few; `lowest` and `highest` are of numbers.
    """

    name: str
    type: str
    missing: int
    distinct: int
    values: Mapping[str, int]
    lowest: float | None = None
    highest: float | None = None
    mark: str = ""
    """The one text among numbers, that may be how missing values are written."""
    period: tuple[str, str] | None = None
    """The first and the last of its dates."""
    decimal_commas: bool = False
    """Whether its texts are numbers with a decimal comma, as much of Europe writes them."""

    @property
    def numeric(self) -> bool:
        """Whether it holds numbers or truth values."""
        return self.type not in ("String", "DateTime")

    @property
    def said(self) -> str:
        """What it holds, in a few words."""
        if self.period:
            return f"{self.period[0]} to {self.period[1]}"
        if self.decimal_commas:
            return f"{self.distinct:,} numbers with a decimal comma: texts; write them with a point"
        if self.mark:
            return f"numbers, and {self.values.get(self.mark, 0):,} times {self.mark!r}: a missing value? --missing"
        if self.lowest is not None and self.highest is not None and self.distinct > _FEW:
            return f"{self.lowest:g} to {self.highest:g}"
        shown = ", ".join(f"{value} ({count:,})" for value, count in self.values.items())
        return shown or f"{self.distinct:,} different texts"


@dataclass(frozen=True)
class TableProfile:
    """A table: its rows and columns, and how many rows stand in it twice."""

    rows: int
    columns: tuple[ColumnProfile, ...]
    repeated: int

    @property
    def divided_by(self) -> str:
        """What seems to divide the values of a table with one column; empty where nothing does."""
        alone = self.columns[0].name if len(self.columns) == 1 else ""
        return next((mark for mark in ";\t|" if mark in alone), "")

    def column(self, name: str) -> ColumnProfile | None:
        """The column of that name; None where there is none."""
        return next((column for column in self.columns if column.name == name), None)


def look(frame: pd.DataFrame) -> TableProfile:
    """The profile of a table as `graph.read_table` reads it; texts that are all dates are told as dates."""
    columns = tuple(_profile(str(name), frame[name]) for name in frame.columns)
    return TableProfile(len(frame), columns, int(frame.duplicated().sum()))


def types_of(frame: pd.DataFrame) -> dict[str, str]:
    """What each column was taken for: .NET's type, or that texts are dates."""
    found = {str(name): net_type(values) for name, values in frame.items()}
    texts = [name for name, kind in found.items() if kind == "String"]
    return found | {name: "String (dates)" for name in texts if _as_dates(frame[name].dropna()) is not None}


def _profile(name: str, values: pd.Series[Any]) -> ColumnProfile:
    kind, missing = net_type(values), int(values.isna().sum())
    counts = values.value_counts()
    present = values.dropna()
    if kind == "String" and (found := _as_dates(present)) is not None:
        kind, present = "DateTime", found
    if kind == "DateTime":
        first, last = (str(each).removesuffix(" 00:00:00") for each in (present.min(), present.max()))
        period = (first, last) if len(present) else None
        return ColumnProfile(name, kind, missing, len(counts), {}, period=period)
    mark = _mark(counts) if kind == "String" else ""
    few = {_shown(value): int(count) for value, count in counts.items()} if len(counts) <= _FEW else {}
    if mark:
        few = {mark: int(counts[mark])}
    lowest, highest = (
        (float(present.min()), float(present.max())) if kind != "String" and len(present) else (None, None)
    )
    commas = kind == "String" and _have_commas(counts)
    return ColumnProfile(name, kind, missing, len(counts), few, lowest, highest, mark, decimal_commas=commas)


def _as_dates(texts: pd.Series[Any]) -> pd.Series[Any] | None:
    """Texts as dates, where all are some."""
    import pandas as pd

    from graph.data.dates import moment

    known = {text: moment(text) for text in texts.unique()[:_LOOK]}
    if not known or any(each is None for each in known.values()):
        return None
    known |= {text: moment(text) for text in texts.unique()[_LOOK:]}
    if any(each is None for each in known.values()):
        return None
    return pd.Series([known[text] for text in texts])


def _mark(counts: pd.Series[Any]) -> str:
    """The one text that is no number, of values most of which are numbers; empty where there are several, or none."""
    texts = [text for text in counts.index[: 2 * _LOOK] if not _is_number(str(text))]
    numbers = len(counts) - len(texts)
    return str(texts[0]) if len(texts) == 1 and numbers >= _LEAST and len(counts) <= 2 * _LOOK else ""


def _have_commas(counts: pd.Series[Any]) -> bool:
    texts = [str(text) for text in counts.index[:_LOOK]]
    return any("," in text for text in texts) and all(map(_DECIMAL_COMMA.fullmatch, texts))


def _is_number(text: str) -> bool:
    try:
        number(text)
    except ValueError:
        return False
    return True


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def suspicions(frame: pd.DataFrame, profile: TableProfile, label: str = "") -> dict[str, str]:
    """Columns that a model should not be trained on, each with the reason in words.

    An empty or constant one, one with another value in each row (an id), one that is the label under another name, and
    text of so many kinds that it is no category.
    """
    found = {}
    for column in profile.columns:
        if column.name != label and (why := _suspicion(frame, profile, column, label)):
            found[column.name] = why
    return found


def _suspicion(frame: pd.DataFrame, profile: TableProfile, column: ColumnProfile, label: str) -> str:
    if column.missing == profile.rows:
        return "it is empty"
    if column.type == "DateTime":
        return "it is a date: Extract Date Parts makes numbers of it"
    if column.distinct == 1 and not column.missing:
        return "it has the same value in every row"
    if label and (why := _leak(frame, column, label)):
        return why
    whole = column.type in ("Int32", "Int64", "String")
    if (
        whole
        and column.distinct == profile.rows > _FEW
        and (column.type == "String" or _steps(frame[column.name]))
    ):
        return "it has another value in each row, as an id has"
    if column.type == "String" and column.distinct > _FREE_TEXT and 2 * column.distinct > profile.rows:
        return f"it is text with {column.distinct:,} different values: no category"
    return ""


def _steps(values: pd.Series[Any]) -> bool:
    """Whether whole numbers count the rows: nearly each number between the lowest and the highest is there."""
    return int(values.max()) - int(values.min()) < 2 * len(values)


def _leak(frame: pd.DataFrame, column: ColumnProfile, label: str) -> str:
    """Whether a column gives the label away."""
    import numpy as np
    import pandas as pd

    known = frame[[column.name, label]].dropna()
    one, other = known[column.name], known[label]
    if len(known) < 3 or other.nunique() < 2:
        return ""
    if one.astype(str).equals(other.astype(str)):
        return f"it is equal to {label}"
    codes, labels = pd.factorize(one)[0], pd.factorize(other)[0]
    if 1 < one.nunique() < len(known) / 2:
        pairs = len({*zip(codes.tolist(), labels.tolist(), strict=True)})
        if pairs == one.nunique() == other.nunique():
            return f"it tells {label}: each of its values goes with one of {label}"
    if column.numeric and net_type(other) != "String":
        numbers = one.to_numpy(dtype=np.float64), other.to_numpy(dtype=np.float64)
        if all(np.ptp(each) > 0 for each in numbers) and abs(np.corrcoef(*numbers)[0, 1]) >= _SAME:
            return f"it is {label} in another unit: their correlation is {np.corrcoef(*numbers)[0, 1]:.4f}"
    return ""
