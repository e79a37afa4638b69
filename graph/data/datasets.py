"""Datasets: tables in memory, and the `.csv` and `.tsv` files that batch jobs write.

Types are .NET's, as Studio names them in `ColumnTypes`: Boolean, Int32, Int64, Double, String.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from graph.data.frames import Values, absent, is_categorical
from graph.libraries import Series, Table, np, npt, pd

if TYPE_CHECKING:
    from graph.steps import Step

EXTENSIONS: Final = (".nh.csv", ".nh.tsv", ".csv", ".tsv")
"""How files are written; many more are read (`tables.ENDINGS`)."""

TASK_BINARY: Final = "binary"
TASK_REGRESSION: Final = "regression"
TASK_MULTICLASS: Final = "multiclass"
TASK_CLUSTERING: Final = "clustering"
TASK_ANOMALY: Final = "anomaly"


@dataclass(frozen=True)
class Scored:
    """What Score Model knows about the dataset it made: the task, the label, its classes."""

    task: str
    label: str
    classes: tuple[Any, ...]
    learner: str


@dataclass(frozen=True)
class Dataset:
    """A table on a port, with what Studio keeps as its metadata."""

    frame: Table
    scored: Scored | None = None
    steps: tuple[Step, ...] = ()
    marks: Mapping[str, str] = field(default_factory=dict)
    """What Edit Metadata says of columns: "Label" or "Nothing" (it is no feature)."""
    folds: tuple[npt.NDArray[np.intp], ...] = ()
    """The rows of each fold that Partition and Sample has assigned, by position."""

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.frame)

    def with_frame(self, frame: Table) -> Dataset:
        """The same metadata on another table; folds are those of the rows, and go with other rows."""
        folds = self.folds if self.folds and frame.index.equals(self.frame.index) else ()
        return Dataset(frame, self.scored, self.steps, self.marks, folds)

    def marked(self, *marks: str) -> list[str]:
        """The columns that are marked as one of these."""
        return [name for name in self.frame.columns if self.marks.get(name) in marks]


def apart(frame: Table, taken: Iterable[Any]) -> dict[str, Any]:
    """Its columns, with those whose names are taken called `name (1)`, `name (2)`, …"""
    names = {str(name) for name in taken}
    renamed = {}
    for name, values in frame.items():
        new = str(name)
        if new in names:
            new = next(f"{name} ({n})" for n in count(1) if f"{name} ({n})" not in names)
        names.add(new)
        renamed[new] = values
    return renamed


def plain(value: Any) -> Any:
    """A cell as a JSON value; missing and infinite ones as null."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if isinstance(value, str | int | float) else None


def net_type(values: Any) -> str:
    """The .NET type name of a column."""
    if isinstance(values, Values):
        return _net_type(values.levels or values.dtype.kind, values.cells, known_only=bool(values.levels))
    if is_categorical(values):
        return net_type(values.cat.categories.to_series())
    return _net_type(values.dtype.kind, values)


def _net_type(kind: str, values: Any, *, known_only: bool = False) -> str:
    if kind == "b":
        return "Boolean"
    if kind == "M":
        return "DateTime"
    if kind in "iu":
        known = values[~absent(values)] if known_only else values
        wide = len(known) and (known.max() > 2**31 - 1 or known.min() < -(2**31))
        return "Int64" if wide else "Int32"
    return "Double" if kind == "f" else "String"


def is_numeric(values: Any) -> bool:
    """Whether the column holds numbers or booleans (a categorical column doesn't)."""
    if isinstance(values, Values):
        return not values.levels and values.dtype.kind in "biuf"
    return not is_categorical(values) and values.dtype.kind in "biuf"


def write_table(frame: Table, extension: str = ".csv") -> bytes:
    """A dataset file: lines end in CRLF, numbers are invariant, missing text is empty, missing numbers `NaN`."""
    extension = extension.lower()
    if extension not in EXTENSIONS:
        raise ValueError(f"{extension!r} is not one of {EXTENSIONS}")
    columns = {str(name): _text(frame[name]) for name in frame.columns}
    text = pd.DataFrame(columns, index=frame.index).to_csv(
        index=False,
        header=not extension.startswith(".nh"),
        sep="," if extension.endswith("csv") else "\t",
        lineterminator="\r\n",
    )
    return text.encode("utf-8")


def _text(values: Series) -> Series:
    if values.dtype.kind != "f":
        return values
    finite = np.isfinite(values.to_numpy())
    if finite.all():
        return values
    return values.astype(object).where(
        finite, values.map({np.inf: "Infinity", -np.inf: "-Infinity"}).astype(object).fillna("NaN")
    )
