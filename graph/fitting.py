"""Modules that learn something of a table and do it to others: the common part.

A module's `fit` gives what it has learnt as JSON, its `apply` does it to a table; the first table that it is applied to is
the one that it was fitted to. What a row becomes does not depend on the rows beside it, to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from graph.columns import ColumnSelection
from graph.data.datasets import Dataset, is_numeric, net_type, plain
from graph.data.frames import with_columns
from graph.errors import column_not_found, column_type, refused
from graph.flow import UNTOLD, Flow
from graph.libraries import Numbers, Series, Table, np
from graph.spec import TRANSFORMATION, Module, Parameters, Port, Ports
from graph.steps import Asked, Made, Step, fits

Learnt = Mapping[str, Any]


class Fits(Module):
    """A module with a table and the transformation of it as outputs. Its `apply` works on tables of arrays, too.

    `learns` is the form of what it has learnt: a type, several, [of each], {"*": of each} or {name: of that}.
    """

    outputs: ClassVar[tuple[Port, ...]] = (
        Port("Transformed dataset"),
        Port("Transformation function", TRANSFORMATION),
    )
    scoring = "applied"
    learns: ClassVar[Any]

    def fit(self, frame: Table, parameters: Parameters) -> Learnt:
        """What is learnt from a table; empty where there is nothing to do."""
        raise TypeError(f"{type(self).__name__} does not define fit()")

    def apply(self, frame: Table, learnt: Learnt) -> Table:
        """The table with it done."""
        raise TypeError(f"{type(self).__name__} does not define apply()")

    def makes(self, learnt: Learnt) -> Sequence[Made]:
        """Which columns it makes of which."""
        return [((name,), (name,)) for name in learnt.get("columns", ())]

    def step(self, frame: Table, learnt: Learnt) -> Step:
        """What was learnt, as a step."""
        makes = tuple(self.makes(learnt))
        names = dict.fromkeys(name for of, _are in makes for name in of)
        asks = {name: Asked(net_type(frame[name]), _example(frame[name])) for name in names}
        return Step(self.name, asks, makes, learnt)

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        dataset: Dataset = inputs["Dataset"]
        learnt = self.fit(dataset.frame, parameters)
        table, function = self.outputs[:2]
        applied = self.apply(dataset.frame, learnt) if learnt else dataset.frame
        return {table.name: dataset.with_frame(applied), function.name: self.step(dataset.frame, learnt)}


class ChangesColumns(Fits):
    """One that learns of each of its numeric columns alone, and changes it in place.

    `picks` is the parameter that has the columns: all that are numeric where nothing is chosen.
    """

    picks: ClassVar[str]
    on_arrays = True

    def learn(self, values: Numbers, parameters: Parameters) -> Learnt:
        """What is learnt of a column's values, of which none is missing."""
        raise TypeError(f"{type(self).__name__} does not define learn()")

    def changed(self, values: Numbers, learnt: Learnt) -> Numbers:
        """The column with it done; NaN stands for a missing value."""
        raise TypeError(f"{type(self).__name__} does not define changed()")

    def fit(self, frame: Table, parameters: Parameters) -> Learnt:
        found = finite(frame, parameters[self.picks])
        columns = {name: dict(self.learn(known, parameters)) for name, known in found.items() if len(known)}
        return {"columns": columns} if columns else {}

    def apply(self, frame: Table, learnt: Learnt) -> Table:
        """See Fits. A column that the table does not have is passed over: whoever needs it will say so."""
        found = present(frame, learnt)
        return with_columns(
            frame, {name: self.changed(numbers(values), each) for name, values, each in found}
        )

    def columns(self, inputs: Flow, parameters: Parameters) -> Flow:
        dataset, selection = inputs["Dataset"], parameters[self.picks]
        return {self.outputs[0].name: dataset.changed(dataset.selected(selection), untold)}


def untold(value: Any) -> Any:
    """A missing value is kept, what becomes of another one the graph alone does not tell."""
    return value if value is None else UNTOLD


def numbers(values: Series) -> Numbers:
    """A column as floating point numbers. Raises 0017 where it is none of numbers."""
    if not is_numeric(values):
        raise column_type(str(values.name), net_type(values), "a numeric column")
    # In one piece: how numpy calculates depends on how the values lie.
    return np.ascontiguousarray(values.to_numpy(dtype=np.float64))


def numeric(frame: Table, selection: ColumnSelection | None) -> list[str]:
    """The selected columns; with no selection all numeric ones. Raises 0017, and 0020 where there is none."""
    if selection is not None:
        chosen = selection.select(frame)
        for name in chosen:
            if not is_numeric(frame[name]):
                raise column_type(name, net_type(frame[name]), "a numeric column")
        return chosen
    found = [str(name) for name in frame.columns if is_numeric(frame[name])]
    if not found:
        raise refused("0020", "there is no numeric column")
    return found


def finite(frame: Table, selection: ColumnSelection | None) -> dict[str, Numbers]:
    """The numbers of the columns that `numeric` gives, without missing and infinite ones."""
    found = {name: numbers(frame[name]) for name in numeric(frame, selection)}
    return {name: values[np.isfinite(values)] for name, values in found.items()}


def present(frame: Table, learnt: Learnt) -> list[tuple[str, Series, Any]]:
    """The columns of which something is learnt and that the table has, with what is learnt of each."""
    columns = learnt.get("columns", {}).items()
    return [(name, frame[name], each) for name, each in columns if name in frame.columns]


def need(frame: Table, names: Sequence[str]) -> None:
    """Raise 0001 for the first of these columns that the table does not have."""
    for name in names:
        if name not in frame.columns:
            raise column_not_found(name)


def learns(module: Module | None, step: Step) -> bool:
    """Whether a step is such as that module makes."""
    return isinstance(module, Fits) and (not step.values or fits(step.values, module.learns))


def _example(values: Series) -> Any:
    missing = values.isna()
    known = next((value for value, gone in zip(values, missing, strict=True) if not gone), None)
    return plain(known)
