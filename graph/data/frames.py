"""Tables as arrays: what modules use of a data frame, and no more. Scoring a few rows takes a hundredth of a frame's time.

    Values    a column of a Frame, in the place of a series
    Frame     a table in the place of a data frame

A module whose `on_arrays` says so works on either, by the same code: with what both have, and with the functions here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any, cast

from graph.libraries import Array, Series, Table, np, pd


@cache
def _any() -> np.dtype[Any]:
    return np.dtype(object)


class Values:
    """A column. Missing is NaN, NaT, and None among objects. `levels` is the kind of a category's levels, empty for no category."""

    __slots__ = ("cells", "dtype", "levels", "name")

    def __init__(self, name: Any, cells: Array, levels: str = "") -> None:
        self.name = name
        self.cells = cells
        self.levels = levels
        self.dtype: np.dtype[Any] = _any() if levels else cells.dtype

    @property
    def array(self) -> Values:
        """The column without its place in a table."""
        return self

    @property
    def hasnans(self) -> bool:
        """Whether a value is missing."""
        return bool(self.isna().any())

    def to_numpy(self, dtype: Any = None) -> Array:
        """Its values."""
        return self.cells if dtype is None else self.cells.astype(dtype)

    def tolist(self) -> list[Any]:
        """Its values as Python's."""
        found: list[Any] = self.cells.tolist()
        return found

    def isna(self) -> Array:
        """Which are missing."""
        return absent(self.cells)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def __len__(self) -> int:
        return len(self.cells)


class Frame:
    """A table of `rows` rows."""

    __slots__ = ("_columns", "rows")

    def __init__(self, columns: dict[Any, Values], rows: int) -> None:
        self._columns = columns
        self.rows = rows

    @classmethod
    def of(cls, frame: Table) -> Frame:
        """The same table."""
        return cls({name: _values(column) for name, column in frame.items()}, len(frame))

    def having(self, columns: Mapping[Any, Any]) -> Frame:
        """With these columns in the place of those of the same names, or after all."""
        made = {name: _column(name, values) for name, values in columns.items()}
        return Frame({**self._columns, **made}, self.rows)

    @property
    def columns(self) -> Collection[Any]:
        """The names of its columns."""
        return self._columns.keys()

    def items(self) -> Collection[tuple[Any, Values]]:
        """Its columns, by name."""
        return self._columns.items()

    def __getitem__(self, names: Any) -> Any:
        """The column of a name; the table of the columns of a list of them."""
        if isinstance(names, list):
            return Frame({name: self._columns[name] for name in names}, self.rows)
        return self._columns[names]

    def drop(self, *, columns: Collection[Any]) -> Frame:
        """Without these."""
        return Frame({name: one for name, one in self._columns.items() if name not in columns}, self.rows)

    def __len__(self) -> int:
        return self.rows


def with_columns(frame: Any, columns: Mapping[Any, Any]) -> Table:
    """With these columns in the place of those of the same names, or after all; thousands take no longer than one each."""
    if isinstance(frame, Frame):
        return frame.having(columns)  # type: ignore[return-value]
    return made_like(frame, {**dict(frame.items()), **columns}) if columns else frame


def made_like(frame: Any, columns: Mapping[Any, Any]) -> Table:
    """A table of these columns, and of the frame's rows."""
    if isinstance(frame, Frame):
        return Frame({}, frame.rows).having(columns)  # type: ignore[return-value]

    return pd.DataFrame(dict(columns), index=frame.index)


def absent(cells: Array) -> Array:
    """Which values of an array are missing."""
    if cells.dtype.kind == "f":
        return np.isnan(cells)
    if cells.dtype.kind == "M":
        return np.isnat(cells)
    if cells.dtype.kind == "O":
        return np.array([cell is None or cell != cell for cell in cells], bool)
    return np.zeros(len(cells), bool)


def is_categorical(values: Any) -> bool:
    """Whether the column holds levels of a category."""
    if isinstance(values, Values):
        return bool(values.levels)
    from pandas import CategoricalDtype

    return isinstance(values.dtype, CategoricalDtype)


def as_category(values: Any) -> Any:
    """The column as one of a category."""
    if isinstance(values, Values):
        return values if values.levels else Values(values.name, values.cells, values.dtype.kind)
    return values.astype("category")


def category_like(frame: Any, codes: Array, levels: Array) -> Any:
    """A column for the frame, of a category: the levels at these positions, where it is -1 a missing one."""
    if isinstance(frame, Frame):
        cells, missing = levels[codes], codes < 0
        if missing.any():
            cells = cells.astype(np.float64 if levels.dtype.kind == "f" else object)
            cells[missing] = None
        return Values("", cells, levels.dtype.kind)

    return pd.Categorical.from_codes(codes, pd.Index(levels))


def plain_cells(values: Any) -> Array:
    """The values of a column, of a category those of its levels' type; whole numbers and truth values of which one is missing
    are floating point numbers.
    """
    if not is_categorical(values):
        return cast("Array", values.to_numpy())
    if isinstance(values, Values):
        holed = values.levels in "biu" and values.cells.dtype.kind == "O"
        return values.cells.astype(np.float64) if holed else values.cells
    levels = values.cat.categories.dtype
    return cast(
        "Array", values.astype("float64" if levels.kind in "biu" and values.hasnans else levels).to_numpy()
    )


def like(values: Any, cells: Array) -> Any:
    """A column of the same name and place with other values."""
    if isinstance(values, Values):
        return Values(values.name, cells)

    return pd.Series(cells, values.index, name=values.name)


def uncategorized(values: Any) -> Any:
    """The column as it would be had nobody made it categorical; see `plain_cells`."""
    return like(values, plain_cells(values)) if is_categorical(values) else values


def filled_with(values: Any, substitute: Any) -> Any:
    """The column with its missing values replaced. Raises TypeError where it has some and its type not the value."""
    if not isinstance(values, Values):
        if is_categorical(values) and substitute not in values.cat.categories:
            values = values.cat.add_categories([substitute])
        return values.fillna(substitute) if values.hasnans else values
    missing = values.isna()
    fits = {"f": (int, float), "O": (str,)}.get(values.levels or values.dtype.kind, ())
    if (values.levels or missing.any()) and type(substitute) not in fits:
        raise TypeError(f"Invalid value '{substitute}' for column '{values.name}'")
    if not missing.any():
        return values
    cells = values.cells.copy()
    cells[missing] = substitute
    return Values(values.name, cells, values.levels)


def mapped(values: Any, change: Any) -> Array:
    """What a function makes of each value, as objects; None stays for a missing one. Asked once for each level, or value."""
    if isinstance(values, Values):
        cells = values.tolist()
        return np.array([None if cell is None or cell != cell else change(cell) for cell in cells], object)
    category = values.astype("category").cat
    found = np.array([*map(change, category.categories), None], object)
    return cast("Array", found[category.codes.to_numpy()])


def _column(name: Any, values: Any) -> Values:
    if type(values) is Values:
        return values if values.name == name else Values(name, values.cells, values.levels)
    if isinstance(values, list):
        kind = object if any(isinstance(value, str) for value in values) else None
        values = np.array(values, kind)
    return Values(name, values)


def _values(series: Series) -> Values:
    if not is_categorical(series):
        cells = series.to_numpy()
        if cells.dtype.kind == "O":
            cells = np.array([None if cell != cell else cell for cell in cells], object)
        return Values(series.name, cells)
    levels = series.cat.categories.to_numpy()
    codes = series.cat.codes.to_numpy()
    found: Values = category_like(Frame({}, len(series)), codes, levels)
    return Values(series.name, found.cells, found.levels)
