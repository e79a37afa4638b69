"""Data Transformation / Manipulation: Clean Missing Data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from graph.columns import ColumnSelection
from graph.errors import ModuleFailure, column_type
from graph.flow import Columns
from graph.spec import InScoring, Module, Parameter, Port
from graph.tables import Dataset, is_categorical, is_numeric, net_type
from tables import real

if TYPE_CHECKING:
    import pandas as pd

CUSTOM: Final = "Custom substitution value"
MEAN: Final = "Replace with mean"
MEDIAN: Final = "Replace with median"
MODE: Final = "Replace with mode"
REMOVE_ROW: Final = "Remove entire row"
REMOVE_COLUMN: Final = "Remove entire column"
_FILLED: Final = object()


class CleanMissingData(Module):
    """Removes or fills missing values of the selected columns.

    Only columns whose ratio of missing values lies within the two bounds are touched. Output: the cleaned data
    (the reusable "Cleaning transformation" port of Studio is not offered).
    """

    name = "Clean Missing Data"
    inputs = (Port("Dataset"),)
    outputs = (Port("Cleaned dataset"),)
    parameters = (
        Parameter("Columns to be cleaned", "ColumnPicker", ColumnSelection.everything()),
        Parameter("Minimum missing value ratio", "Float", 0.0, minimum=0, maximum=1),
        Parameter("Maximum missing value ratio", "Float", 1.0, minimum=0, maximum=1),
        Parameter(
            "Cleaning mode", "Enumerated", CUSTOM, (CUSTOM, MEAN, MEDIAN, MODE, REMOVE_ROW, REMOVE_COLUMN)
        ),
        Parameter("Replacement value", "String", "0"),
    )

    def run(self, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """See the class."""
        dataset: Dataset = inputs["Dataset"]
        frame = dataset.frame
        selected = parameters["Columns to be cleaned"].select(frame)
        missing = frame[selected].isna()
        ratio = missing.mean()
        low, high = parameters["Minimum missing value ratio"], parameters["Maximum missing value ratio"]
        columns = [name for name in selected if ratio[name] > 0 and low <= ratio[name] <= high]
        match parameters["Cleaning mode"]:
            case _ if not columns:
                cleaned = frame
            case "Remove entire row":
                cleaned = frame[~missing[columns].any(axis=1)]
            case "Remove entire column":
                cleaned = frame.drop(columns=columns)
            case mode:
                filled = {
                    name: _filled(frame[name], mode, parameters["Replacement value"]) for name in columns
                }
                cleaned = frame.assign(**filled)
        return {"Cleaned dataset": dataset.with_frame(cleaned)}

    def in_scoring(self, parameters: Mapping[str, Any]) -> InScoring:
        """See Module."""
        return "left out" if parameters["Cleaning mode"] == REMOVE_ROW else "kept"

    def columns(self, inputs: Mapping[str, Columns], parameters: Mapping[str, Any]) -> Mapping[str, Columns]:
        """See Module."""
        dataset = inputs["Dataset"]
        selected = dataset.selected(parameters["Columns to be cleaned"])
        if parameters["Cleaning mode"] in (REMOVE_ROW, REMOVE_COLUMN):
            return {"Cleaned dataset": dataset}
        return {
            "Cleaned dataset": dataset.changed(selected, lambda value: _FILLED if value is None else value)
        }


def _filled(values: pd.Series[Any], mode: str, replacement: str) -> pd.Series[Any]:
    if mode in (MEAN, MEDIAN) and not is_numeric(values):
        raise column_type(str(values.name), net_type(values), "a numeric column")
    if mode == CUSTOM:
        substitute: Any = replacement
        if is_numeric(values):
            try:
                substitute = real(replacement)
            except ValueError:
                raise ModuleFailure(
                    "0002",
                    f'Failed to convert "Replacement value" parameter value "{replacement}" from "String" to '
                    f'"{net_type(values)}" (column "{values.name}").',
                ) from None
    else:
        present = values.dropna()
        if present.empty:
            raise ModuleFailure(
                "0018", f'Input dataset is not valid: column "{values.name}" has no values at all.'
            )
        if mode == MODE:
            substitute = present.mode().iloc[0]
        else:
            substitute = present.mean() if mode == MEAN else present.median()
    if is_categorical(values) and substitute not in values.cat.categories:
        values = values.cat.add_categories([substitute])
    return values.fillna(substitute)
