from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from graph.data.datasets import Dataset, net_type
from graph.data.dates import dates
from graph.data.frames import absent, as_category, like, made_like, mapped, plain_cells, with_columns
from graph.data.values import typed
from graph.errors import ModuleFailure, refused
from graph.flow import UNTOLD, Column, Flow
from graph.libraries import Series, Table, np
from graph.models.features import level_text
from graph.spec import Module, Parameter, Parameters, Ports, choice

UNCHANGED = "Unchanged"
MARKS: Final = {"Feature": "", "Label": "Label"}
CLEARED: Final = {
    "Clear feature": ("", "Nothing"),
    "Clear label": ("Label", ""),
    "Clear score": ("Score", ""),
}
"""What a mark is replaced with."""
_BEYOND = 2.0**63  # the first Double that no integer column holds


class EditMetadata(Module):
    """Changes type, category flag, role and names of the selected columns.

    A column whose feature flag is cleared stays in the table, and no model is trained on it. There is one label: that which
    is marked last. Weights and TimeSpan are not offered.
    """

    name = "Edit Metadata"
    on_arrays = True
    parameters = (
        Parameter("Column", "ColumnPicker"),
        choice("Data type", UNCHANGED, "String", "Integer", "Floating point", "Boolean", "DateTime"),
        choice("Categorical", UNCHANGED, "Make categorical", "Make non-categorical"),
        Parameter("New column names", "String", ""),
        choice("Fields", UNCHANGED, *MARKS, *CLEARED, later=True),
    )

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        dataset: Dataset = inputs["Dataset"]
        selected = parameters["Column"].select(dataset.frame)
        changed: dict[str, Any] = {}
        for column in selected:
            values = dataset.frame[column]
            if parameters["Data type"] != UNCHANGED:
                values = _converted(values, parameters["Data type"])
            if parameters["Categorical"] == "Make categorical":
                values = as_category(values)
            elif parameters["Categorical"] == "Make non-categorical":
                values = like(values, plain_cells(values))
            changed[column] = values
        frame = with_columns(dataset.frame, changed)
        marks = _marked(dataset.marks, selected, parameters["Fields"])
        if parameters["New column names"].strip():
            frame = _renamed(frame, selected, parameters["New column names"])
            new = dict(zip(selected, _names(parameters["New column names"]), strict=True))
            marks = {new.get(name, name): mark for name, mark in marks.items()}
        found = dataset.with_frame(frame)
        return {"Results dataset": found if marks is dataset.marks else replace(found, marks=marks)}

    def columns(self, inputs: Flow, parameters: Parameters) -> Flow:
        dataset = inputs["Dataset"]
        selected = dataset.selected(parameters["Column"])
        if parameters["Data type"] in ("Integer", "Boolean", "DateTime"):
            dataset = dataset.changed(selected, _rounded)
        new = _names(parameters["New column names"])
        if not new:
            return {"Results dataset": dataset}
        if selected is None or len(selected) != len(new):
            return {}
        renamed = {name: dataset.find(old) or Column() for name, old in zip(new, selected, strict=True)}
        return {"Results dataset": dataset.without(selected).having(renamed)}


def _marked(marks: Mapping[str, str], selected: list[str], fields: str) -> Mapping[str, str]:
    """The marks of the columns with those of the selected ones changed."""
    if fields == UNCHANGED:
        return marks
    if fields in CLEARED:
        old, mark = CLEARED[fields]
        chosen = [name for name in selected if marks.get(name, "") == old]
    else:
        mark, chosen = MARKS[fields], selected
    if mark == "Label":
        if len(chosen) != 1:
            raise ModuleFailure(
                "0022", f"Number of selected columns in input dataset not equal to 1 for {fields}."
            )
        marks = {name: each for name, each in marks.items() if each != mark}
    return {**marks, **dict.fromkeys(chosen, mark)}


def _rounded(value: Any) -> Any:
    """How a number is rounded depends on all values of its column."""
    return value if value is None or isinstance(value, bool) else UNTOLD


def _converted(values: Series, data_type: str) -> Any:
    values = like(values, plain_cells(values))
    if data_type == "DateTime":
        return like(values, dates(values))
    cells = values.to_numpy()
    missing = absent(cells)
    try:
        if data_type == "String":
            return like(values, mapped(values, _text))
        if cells.dtype.kind not in "biuf":
            cells = typed(values, "Double")
        if data_type == "Boolean" and missing.any():
            cells = np.where(missing, np.nan, cells != 0)
        elif data_type == "Boolean":
            cells = cells.astype(np.bool_)
        elif data_type == "Integer":
            if cells.dtype.kind == "f" and not (missing | (np.abs(cells) < _BEYOND)).all():
                raise OverflowError
            # An integer column with missing values stays floating point: the table has no missing integer.
            cells = cells.astype(np.float64 if missing.any() else np.int64)
        else:
            cells = cells.astype(np.float64)
        return like(values, cells)
    except (ModuleFailure, TypeError, ValueError, OverflowError):
        raise ModuleFailure(
            "0042", f'Not possible to convert column "{values.name}" from {net_type(values)} to {data_type}.'
        ) from None


def _text(value: Any) -> str:
    """Numbers as integers are written without a missing value beside them, dates without a time at midnight."""
    return str(value).removesuffix(" 00:00:00") if isinstance(value, datetime) else level_text(value)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")] if text.strip() else []


def _renamed(frame: Table, selected: list[str], names: str) -> Table:
    new = _names(names)
    if len(new) != len(selected) or not all(new):
        raise ModuleFailure(
            "0007", f'Parameter "New column names" has {len(new)} names for {len(selected)} selected columns.'
        )
    called = dict(zip(selected, new, strict=True))
    renamed: dict[str, Any] = {}
    for name, values in frame.items():
        if (one := called.get(str(name), name)) in renamed:
            raise refused("0026", f'"{one}"')
        renamed[str(one)] = values
    return made_like(frame, renamed)
