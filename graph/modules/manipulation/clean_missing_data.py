from collections.abc import Sequence
from typing import Any, Final

from graph.columns import ColumnSelection
from graph.data.datasets import Dataset, is_numeric, net_type, plain
from graph.data.frames import filled_with, with_columns
from graph.errors import ModuleFailure, column_type
from graph.fitting import Fits, Learnt, need, numbers, present
from graph.flow import Column, Flow
from graph.libraries import Series, Table, np
from graph.spec import TRANSFORMATION, InScoring, Parameter, Parameters, Port, Ports, choice
from graph.steps import Made
from tables import real

CUSTOM: Final = "Custom substitution value"
MEAN: Final = "Replace with mean"
MEDIAN: Final = "Replace with median"
MODE: Final = "Replace with mode"
MICE: Final = "Replace using MICE"
PCA: Final = "Replace using Probabilistic PCA"
REMOVE_ROW: Final = "Remove entire row"
REMOVE_COLUMN: Final = "Remove entire column"
_FILLED: Final = object()
_MOST: Final = 300  # columns that are predicted from each other
_LINEAR: Final = {"means": [float], "rounds": int, "weights": {"*": [float]}, "components": [[float]]}


class CleanMissingData(Fits):
    """Removes or fills missing values of the selected columns.

    Only columns in which values are missing and whose ratio of missing ones lies within the two bounds are touched, and the
    cleaning transformation does to other data what was done to these. It removes no rows; indicator columns, which Studio's
    leaves out, it makes. MICE and Probabilistic PCA work on up to 300 numeric columns.
    """

    name = "Clean Missing Data"
    outputs = (Port("Cleaned dataset"), Port("Cleaning transformation", TRANSFORMATION))
    on_arrays = True
    parameters = (
        Parameter("Columns to be cleaned", "ColumnPicker", ColumnSelection.everything()),
        Parameter("Minimum missing value ratio", "Float", 0.0, minimum=0, maximum=1),
        Parameter("Maximum missing value ratio", "Float", 1.0, minimum=0, maximum=1),
        choice("Cleaning mode", CUSTOM, MEAN, MEDIAN, MODE, REMOVE_ROW, REMOVE_COLUMN, MICE, PCA),
        Parameter("Replacement value", "String", "0"),
        choice("Cols with all missing values", "Remove", "Propagate", later=True),
        Parameter("Generate missing value indicator column", "Boolean", False, later=True),
        Parameter("Number of iterations", "Int", 5, minimum=1, maximum=10, later=True),
        Parameter("Number of iterations for PCA prediction", "Int", 10, minimum=1, maximum=50, later=True),
    )
    learns = {
        "columns": {"*": (str, float, int, bool)},
        "indicators": [str],
        "removed": [str],
        "predicted": [str],
        "by": ({}, _LINEAR),
    }

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        dataset: Dataset = inputs["Dataset"]
        if parameters["Cleaning mode"] == REMOVE_ROW:
            missing = dataset.frame[self._selected(dataset.frame, parameters)].isna().any(axis=1)
            kept = dataset.with_frame(dataset.frame[~missing] if missing.any() else dataset.frame)
            return {"Cleaned dataset": kept, "Cleaning transformation": self.step(dataset.frame, {})}
        return super().run(inputs, parameters)

    def _selected(self, frame: Table, parameters: Parameters) -> list[str]:
        """The columns that are touched."""
        selected = parameters["Columns to be cleaned"].select(frame)
        ratio = {name: frame[name].isna().mean() for name in selected}
        low, high = parameters["Minimum missing value ratio"], parameters["Maximum missing value ratio"]
        return [name for name in selected if ratio[name] > 0 and low <= ratio[name] <= high]

    def fit(self, frame: Table, parameters: Parameters) -> Learnt:
        columns, mode = self._selected(frame, parameters), parameters["Cleaning mode"]
        if not columns:
            return {}
        indicators = columns if parameters["Generate missing value indicator column"] else []
        learnt: dict[str, Any] = {"columns": {}, "removed": [], "predicted": [], "by": {}}
        if mode == REMOVE_COLUMN:
            return {**learnt, "removed": columns, "indicators": indicators}
        if mode != CUSTOM:
            empty = [name for name in columns if frame[name].isna().all()]
            columns = [name for name in columns if name not in set(empty)]
            learnt["removed"] = empty if parameters["Cols with all missing values"] == "Remove" else []
        if mode in (MICE, PCA) and columns:
            learnt |= self._predictors(frame, columns, parameters)
        else:
            learnt["columns"] = {
                name: plain(_substitute(frame[name], mode, parameters["Replacement value"]))
                for name in columns
            }
        return {**learnt, "indicators": indicators}

    def _predictors(self, frame: Table, columns: list[str], parameters: Parameters) -> dict[str, Any]:
        from graph.calculation.imputing import chained, components

        selected = parameters["Columns to be cleaned"].select(frame)
        for name in columns:
            numbers(frame[name])
        names = [name for name in selected if is_numeric(frame[name]) and frame[name].notna().any()]
        if len(names) > _MOST:
            raise ModuleFailure(
                "0008", f"{len(names)} columns are too many to predict from each other: at most {_MOST}."
            )
        matrix = np.column_stack([numbers(frame[name]) for name in names])
        matrix[np.isinf(matrix)] = np.nan
        if parameters["Cleaning mode"] == MICE:
            by = chained(matrix, parameters["Number of iterations"])
        else:
            by = components(matrix, parameters["Number of iterations for PCA prediction"])
        return {"predicted": names, "by": by}

    def apply(self, frame: Table, learnt: Learnt) -> Table:
        made: dict[str, Any] = {
            name: filled_with(column, value) for name, column, value in present(frame, learnt)
        }
        if learnt["by"]:
            from graph.calculation.imputing import filled

            need(frame, learnt["predicted"])
            matrix = filled(
                np.column_stack([numbers(frame[name]) for name in learnt["predicted"]]), learnt["by"]
            )
            for at, name in enumerate(learnt["predicted"]):
                if frame[name].isna().any():
                    made[name] = matrix[:, at]
        made |= {f"{n}_IsMissing": frame[n].isna() for n in learnt["indicators"] if n in frame.columns}
        removed = [name for name in learnt["removed"] if name in frame.columns]
        return with_columns(frame, made).drop(columns=removed)

    def makes(self, learnt: Learnt) -> Sequence[Made]:
        if not learnt:
            return []
        names, together = [*learnt["columns"], *learnt["indicators"]], tuple(learnt["predicted"])
        flags = [((name,), (f"{name}_IsMissing",)) for name in learnt["indicators"]]
        return [*(((name,), (name,)) for name in dict.fromkeys(names)), (together, together), *flags]

    def in_scoring(self, parameters: Parameters) -> InScoring:
        return "left out" if parameters["Cleaning mode"] == REMOVE_ROW else "applied"

    def columns(self, inputs: Flow, parameters: Parameters) -> Flow:
        dataset = inputs["Dataset"]
        selected = dataset.selected(parameters["Columns to be cleaned"])
        if parameters["Generate missing value indicator column"]:
            made = {f"{name}_IsMissing": Column() for name in selected or ()}
            dataset = dataset.having(made) if selected is not None else dataset.open()
        if parameters["Cleaning mode"] == REMOVE_ROW:
            dataset = dataset.without_gaps(selected)
        if parameters["Cleaning mode"] in (REMOVE_ROW, REMOVE_COLUMN):
            return {"Cleaned dataset": dataset}
        return {
            "Cleaned dataset": dataset.changed(selected, lambda value: _FILLED if value is None else value)
        }


def _substitute(values: Series, mode: str, replacement: str) -> Any:
    """What takes the place of a missing value."""
    if mode in (MEAN, MEDIAN) and not is_numeric(values):
        raise column_type(str(values.name), net_type(values), "a numeric column")
    if mode == CUSTOM:
        if not is_numeric(values):
            return replacement
        try:
            return real(replacement)
        except ValueError:
            raise ModuleFailure(
                "0002",
                f'Failed to convert "Replacement value" parameter value "{replacement}" from "String" to '
                f'"{net_type(values)}" (column "{values.name}").',
            ) from None
    present = values.dropna()
    if mode == MODE:
        return present.mode().iloc[0]
    return present.mean() if mode == MEAN else present.median()
