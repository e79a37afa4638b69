"""Data Transformation / Manipulation: Select Columns in Dataset, Edit Metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from studio.graph.columns import ColumnSelection
from studio.graph.errors import ModuleFailure
from studio.graph.spec import Module, Parameter, Port, register
from studio.graph.tables import Dataset, net_type


@register
class SelectColumns(Module):
    """Keeps the selected columns, in the order they are selected."""

    name = "Select Columns in Dataset"
    inputs = (Port("Dataset"),)
    outputs = (Port("Results dataset"),)
    parameters = (Parameter("Select columns", "ColumnPicker"),)

    def run(self, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """See the class."""
        dataset: Dataset = inputs["Dataset"]
        selection: ColumnSelection = parameters["Select columns"]
        return {"Results dataset": dataset.with_frame(dataset.frame[selection.select(dataset.frame)])}


UNCHANGED = "Unchanged"


@register
class EditMetadata(Module):
    """Changes type, category flag and names of the selected columns."""

    name = "Edit Metadata"
    inputs = (Port("Dataset"),)
    outputs = (Port("Results dataset"),)
    parameters = (
        Parameter("Column", "ColumnPicker"),
        Parameter(
            "Data type",
            "Enumerated",
            UNCHANGED,
            (UNCHANGED, "String", "Integer", "Floating point", "Boolean"),
        ),
        Parameter(
            "Categorical", "Enumerated", UNCHANGED, (UNCHANGED, "Make categorical", "Make non-categorical")
        ),
        Parameter("New column names", "String", ""),
    )

    def run(self, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """See the class."""
        dataset: Dataset = inputs["Dataset"]
        selected = parameters["Column"].select(dataset.frame)
        changed: dict[str, Any] = {}
        for column in selected:
            values = dataset.frame[column]
            if parameters["Data type"] != UNCHANGED:
                values = _converted(values, parameters["Data type"])
            if parameters["Categorical"] == "Make categorical":
                values = values.astype("category")
            elif parameters["Categorical"] == "Make non-categorical":
                values = _plain(values)
            changed[column] = values
        frame = dataset.frame.assign(**changed)
        if parameters["New column names"].strip():
            frame = _renamed(frame, selected, parameters["New column names"])
        return {"Results dataset": dataset.with_frame(frame)}


def _plain(values: pd.Series[Any]) -> pd.Series[Any]:
    """The column with its levels as ordinary values."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.astype(values.cat.categories.dtype)
    return values


def _converted(values: pd.Series[Any], data_type: str) -> pd.Series[Any]:
    values = _plain(values)
    missing = values.isna()
    try:
        if data_type == "String":
            return values.astype("str").where(~missing)
        if values.dtype.kind not in "biuf":
            values = pd.to_numeric(values)
        if data_type == "Floating point":
            return values.astype("float64")
        if data_type == "Boolean":
            return (
                values.astype("bool")
                if not missing.any()
                else (values != 0).astype("float64").where(~missing)
            )
        # An integer column with missing values stays floating point: the table has no missing integer.
        return values.astype("float64" if missing.any() else "int64")
    except (TypeError, ValueError, OverflowError):
        raise ModuleFailure(
            "0042", f'Not possible to convert column "{values.name}" from {net_type(values)} to {data_type}.'
        ) from None


def _renamed(frame: pd.DataFrame, selected: list[str], names: str) -> pd.DataFrame:
    new = [name.strip() for name in names.split(",")]
    if len(new) != len(selected) or not all(new):
        raise ModuleFailure(
            "0007", f'Parameter "New column names" has {len(new)} names for {len(selected)} selected columns.'
        )
    renamed = frame.rename(columns=dict(zip(selected, new, strict=True)))
    if not renamed.columns.is_unique:
        twice = renamed.columns[renamed.columns.duplicated()][0]
        raise ModuleFailure("0026", f'Columns with the same name are not allowed: "{twice}".')
    return renamed
