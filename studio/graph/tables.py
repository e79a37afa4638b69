"""Datasets: tables in memory, and as the `.csv` and `.tsv` files that batch jobs read and write.

Types are .NET's, as Studio names them in `ColumnTypes`: Boolean, Int32, Int64, Double, String.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from studio.graph.errors import ModuleError, ModuleFailure

# How Studio's readers recognise a missing value.
MISSING: Final = ("", "NA", "NaN", "nan")

EXTENSIONS: Final = (".nh.csv", ".nh.tsv", ".csv", ".tsv")

TASK_BINARY: Final = "binary"
TASK_REGRESSION: Final = "regression"


@dataclass(frozen=True)
class Scored:
    """What Score Model knows about the dataset it made: the task, the label, its two classes."""

    task: str
    label: str
    classes: tuple[Any, ...]
    learner: str


@dataclass(frozen=True)
class Dataset:
    """A table on a port, with what Studio keeps as its metadata."""

    frame: pd.DataFrame
    scored: Scored | None = None

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.frame)

    def with_frame(self, frame: pd.DataFrame) -> Dataset:
        """The same metadata on another table."""
        return replace(self, frame=frame)


def net_type(values: pd.Series[Any]) -> str:
    """The .NET type name of a column."""
    kind = values.dtype.kind
    if isinstance(values.dtype, pd.CategoricalDtype):
        return net_type(values.cat.categories.to_series())
    if kind == "b":
        return "Boolean"
    if kind in "iu":
        wide = len(values) and (values.max() > 2**31 - 1 or values.min() < -(2**31))
        return "Int64" if wide else "Int32"
    return "Double" if kind == "f" else "String"


def is_numeric(values: pd.Series[Any]) -> bool:
    """Whether the column holds numbers or booleans (a categorical column doesn't)."""
    return not isinstance(values.dtype, pd.CategoricalDtype) and values.dtype.kind in "biuf"


def read_table(data: bytes, extension: str, name: str = "input") -> pd.DataFrame:
    """Parse a dataset file.

    `extension` is one of `.csv`, `.tsv` and, without a header line, `.nh.csv`, `.nh.tsv` (columns are then
    called Col1, Col2, …). Raises ModuleError (module: `name`, code 0049) when the text is not such a table.
    """
    extension = extension.lower()
    if extension not in EXTENSIONS:
        raise ModuleError(
            name, "0049", f'"{extension}" is not a table; use one of: ' + ", ".join(EXTENSIONS) + "."
        )
    if not data.strip():
        raise ModuleError(
            name, "0003", f'Input "{name}" is null or empty: the file has no header and no rows.'
        )
    header = not extension.startswith(".nh")
    delimiter = "," if extension.endswith("csv") else "\t"
    try:
        frame = pd.read_csv(
            io.BytesIO(data),
            sep=delimiter,
            header=0 if header else None,
            index_col=False,
            keep_default_na=False,
            na_values=list(MISSING),
            low_memory=False,
            encoding="utf-8-sig",
            on_bad_lines="error",
        )
    except (ValueError, OverflowError) as error:  # ParserError and UnicodeDecodeError are ValueErrors
        raise ModuleError(name, "0049", f"The file cannot be parsed as a table: {error}.") from None
    if header:
        _check_header(data, delimiter, name)
        frame.columns = pd.Index([str(column) for column in frame.columns])
    else:
        frame.columns = pd.Index([f"Col{i}" for i in range(1, frame.shape[1] + 1)])
    return frame


def _check_header(data: bytes, delimiter: str, name: str) -> None:
    """Refuse repeated column names, which pandas would rename in silence."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")
    columns = next(csv.reader(text, delimiter=delimiter), [])
    for column in columns:
        if columns.count(column) > 1:
            raise ModuleError(name, "0026", f'Columns with the same name are not allowed: "{column}".')


def write_table(frame: pd.DataFrame, extension: str = ".csv") -> bytes:
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


def _text(values: pd.Series[Any]) -> pd.Series[Any]:
    if values.dtype.kind != "f":
        return values
    finite = np.isfinite(values.to_numpy())
    if finite.all():
        return values
    return values.astype(object).where(
        finite, values.map({np.inf: "Infinity", -np.inf: "-Infinity"}).astype(object).fillna("NaN")
    )


def coerce(frame: pd.DataFrame, schema: dict[str, str]) -> pd.DataFrame:
    """The rows of a request as typed columns.

    Requests carry numbers as text as often as not. Columns of the schema get their declared type; others that
    hold text are typed as a file's would be. Null and empty are missing values. Raises ModuleFailure 0002
    naming column and value.
    """
    columns: dict[str, Any] = {}
    for name in frame.columns:
        values = frame[name]
        if values.dtype.kind in "biuf":
            columns[name] = values
        elif schema.get(name, "") == "String":
            columns[name] = _strings(values)
        elif name in schema:
            columns[name] = _numbers(values, name, schema[name])
        else:
            columns[name] = _guess(values)
    return pd.DataFrame(columns, index=frame.index)


def _strings(values: pd.Series[Any]) -> np.ndarray[Any, Any]:
    return np.array(
        [None if value is None or value != value or value == "" else str(value) for value in values], object
    )


def _numbers(values: pd.Series[Any], name: str, type_name: str) -> np.ndarray[Any, Any]:
    """Numbers of text or objects; integers only where all are whole and none is missing."""
    numbers = np.empty(len(values))
    for i, value in enumerate(values):
        if value is None or value in MISSING:
            numbers[i] = np.nan
            continue
        try:
            if type_name == "Boolean" and isinstance(value, str):
                numbers[i] = {"true": 1.0, "false": 0.0}.get(value.strip().lower(), np.nan)
                if numbers[i] != numbers[i]:
                    raise ValueError
            else:
                numbers[i] = float(value)
        except (TypeError, ValueError):
            raise ModuleFailure(
                "0002",
                f'Failed to convert value "{value}" in column "{name}" from "String" to "{type_name}".',
            ) from None
    if type_name.startswith("Int") and (numbers == np.rint(numbers)).all():
        return numbers.astype(np.int64)
    return numbers


def _guess(values: pd.Series[Any]) -> Any:
    try:
        return _numbers(values, "", "Int64")
    except ModuleFailure:
        return _strings(values)
