"""Which columns of its data a training experiment asks for, told from its graph alone.

    needs(definition, values)   the columns by name, each with the node that asks for it; the label; how many rows
    faults(definition)          what is wrong with it, whatever the data
    task_of(definition)         what the models are trained for
    comparison(definition)      the comparison that makes the label, such as `delay >= 15`

A dataset's columns are followed through the graph: each module says what it does to them (`Module.columns`). One that
does not say leaves columns of which nothing is known, and for these nothing is asked.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from graph.columns import ColumnSelection
from graph.data.declared import NOTHING, Declared
from graph.data.values import fits
from graph.definition import Experiment, ModuleNode, parse_experiment
from graph.errors import GraphError
from graph.flow import UNKNOWN, UNTOLD, Column, Columns
from graph.spec import Module
from tables import number

_SHOWN: Final = 5


@dataclass(frozen=True)
class Needs:
    """The `columns` of the input that are asked for, each with the node that asks first; and the `label` of the training.

    `classes` is how many different values the label has at least to have, `most` at most (0: any number); with `numbers`
    these are numbers. `declared` is what the input says of its columns. `rows` is how many rows there have to be for what each node works on. `lacking` says what a node asks
    for that cannot be there, whatever the data.
    """

    columns: Mapping[str, str]
    label: Column | None = None
    classes: int = 0
    most: int = 0
    numbers: bool = False
    rows: Mapping[str, int] = field(default_factory=dict)
    lacking: tuple[GraphError, ...] = ()
    declared: Declared = NOTHING

    def label_of(self, row: Mapping[str, str | None]) -> Any:
        """What the label of a row stands for; None where it is missing."""
        column = self.label or Column()
        value = row[column.source]
        return None if self.declared.is_missing(value) else column.values(value)

    def strange(self, row: Mapping[str, str | None]) -> tuple[str, str] | None:
        """The first column of a row with a value that is not of its declared type, and that type; None where all are."""
        for name, kind in self.declared.types.items():
            value = row[name]
            if value is not None and not self.declared.is_missing(value) and not fits(value, kind):
                return name, kind
        return None

    def too_few(self, rows: int) -> str:
        """Why a table of so many rows has too few, as `has …`; empty where it has not."""
        for node, least in self.rows.items():
            if rows < least:
                return f"has {rows:,} row{'s' * (rows != 1)}, and {node} needs {least:,}"
        return ""

    def enough(self, labels: Collection[Any]) -> bool:
        """Whether the label differs enough, so that further rows cannot tell of a label that never does."""
        return UNTOLD in labels or len(labels) >= max(self.classes, 1)

    def misfit(self, labels: Collection[Any], *, whole: bool = True) -> str:
        """Why rows with these values of the label cannot be trained on, as `has …`; empty where they can.

        Of rows that are not the *whole* table, it is not said that something is missing.
        """
        column = f"in its column {self.label.source!r}, the label" if self.label else ""
        if not column or UNTOLD in labels:
            return ""
        if self.numbers and (text := next(filter(is_text, labels), None)):
            return f"has the text {text!r} {column}, which is trained on numbers"
        if self.most and len(kinds := {_kind(each) for each in labels}) > self.most:
            found = f"{len(kinds)} classes" if whole else f"more than {self.most} classes"
            return f"has {found} {column}, which is to have {self.most}: {_some(labels)}"
        if whole and not labels:
            return f"has no value {column}"
        if whole and not self.enough(labels):
            what, wanted = ("value", "numbers that differ") if self.numbers else ("class", str(self.classes))
            return f"has one {what} only {column}, which is trained on {wanted}"
        return ""


def is_text(value: Any) -> bool:
    """Whether a label's value is taken for no number; truth values are 0 and 1."""
    return isinstance(value, str) and isinstance(_kind(value), str) and _kind(value) not in ("true", "false")


def _kind(value: Any) -> Any:
    """What two values have in common that may be the same class."""
    if not isinstance(value, str):
        return value
    try:
        return number(value)
    except ValueError:
        return value.strip().casefold()


def _some(labels: Collection[Any]) -> str:
    found = sorted(str(each) for each in labels)
    return ", ".join(found[:_SHOWN]) + (", …" if len(found) > _SHOWN else "")


def needs(definition: Mapping[str, Any], values: Mapping[str, str]) -> Needs:
    """What an experiment asks of its data, given the values of its web service parameters; nothing where that can't be told."""
    try:
        experiment = parse_experiment(definition)
        bound = experiment.bind(values)
    except GraphError:
        return Needs({})
    asked: dict[str, str] = {}
    lacking: list[GraphError] = []
    by_port = columns_by_port(
        experiment, bound, lambda name, step: asked.setdefault(name, step.called), lacking.append
    )
    found = Needs(
        asked,
        rows=_rows(experiment, bound, by_port),
        lacking=tuple({each.message: each for each in lacking}.values()),
        declared=experiment.declared_of(experiment.inputs[0]) if experiment.inputs else NOTHING,
    )
    trained = [step for step in experiment.steps if step.module.trains]
    if len(trained) != 1:
        return found
    inputs = {port: by_port.get(source, UNKNOWN) for port, source in trained[0].sources.items()}
    learners = [learner.module for learner in _feeding(experiment, trained[0])]
    label = label_of(inputs, bound[trained[0].id])
    tasks = [_task(module) for module in learners if _task(module)]
    numbers = tasks == ["regression"]
    least = max((module.classes for module in learners), default=0)
    two = tasks == ["two-class"] and label is not None and _unchanged(label, inputs)
    return replace(found, label=label, classes=max(least, 2 * numbers), most=2 * two, numbers=numbers)


def faults(definition: Mapping[str, Any]) -> tuple[GraphError, ...]:
    """What is wrong with a graph whatever it is run on: what parsing it says, or columns that none of its modules gives."""
    try:
        experiment = parse_experiment(definition)
    except GraphError as error:
        return (error,)
    defaults = {
        name: each.default for name, each in experiment.parameters.items() if each.default is not None
    }
    return needs(definition, defaults).lacking


def _feeding(experiment: Experiment, step: ModuleNode) -> list[ModuleNode]:
    """The modules that a step's inputs come from."""
    nodes = {node for node, _port in step.sources.values()}
    return [each for each in experiment.steps if each.id in nodes]


def _unchanged(label: Column, inputs: Mapping[str, Columns]) -> bool:
    """Whether the label's values are those of the input, and no rows were chosen by what else is in them."""
    datasets = [each for port, each in inputs.items() if "ataset" in port]
    return label.values is Column().values and all(
        each.rows == "input" and each.filled <= {label.source} for each in datasets
    )


def _rows(
    experiment: Experiment,
    bound: Mapping[str, Mapping[str, Any]],
    by_port: Mapping[tuple[str, str], Columns],
) -> dict[str, int]:
    """How many rows of the input the modules need that work on no others."""
    found = {}
    for step in experiment.steps:
        tables = [by_port[source] for source in step.sources.values() if source in by_port]
        working = (step, *_feeding(experiment, step))
        least = max(each.module.least_rows(each.sources, bound[each.id]) for each in working)
        if least > 1 and any(each.rows != "any" for each in tables):
            found[step.called] = least
    return found


def columns_by_port(
    experiment: Experiment,
    bound: Mapping[str, Mapping[str, Any]],
    ask: Callable[[str, ModuleNode], object] = lambda _name, _step: None,
    lack: Callable[[GraphError], object] = lambda _error: None,
) -> dict[tuple[str, str], Columns]:
    """What is known of the columns at each output port, with the parameters *bound*.

    `ask` is called with each column of the input that a module works on, and the module's node; `lack` with what is wrong
    where one is named that cannot be there.
    """
    by_port = {
        (node, "Dataset"): Columns(others="input", rows="input") for node in experiment.input_nodes.values()
    }
    for step in experiment.steps:
        inputs = {}
        for port, source in step.sources.items():
            columns = by_port.get(source, UNKNOWN)
            asking, lacking = partial(_ask, ask, step), partial(_lack, lack, step, columns)
            inputs[port] = replace(columns, ask=asking, lack=lacking)
        for port, columns in step.module.columns(inputs, bound[step.id]).items():
            by_port[step.id, port] = replace(columns, ask=UNKNOWN.ask, lack=UNKNOWN.lack)
    return by_port


def _ask(ask: Callable[[str, ModuleNode], object], step: ModuleNode, name: str) -> None:
    ask(name, step)


def _lack(lack: Callable[[GraphError], object], step: ModuleNode, columns: Columns, name: str) -> None:
    there = (
        f"its dataset has only: {', '.join(columns.known)}"
        if columns.others == "none"
        else "it was taken out before"
    )
    lack(
        GraphError(
            f'node "{step.id}": {step.module.name} asks for the column "{name}", which no module gives it; {there}',
            step.id,
            f'name a column that is there, or keep "{name}" in the modules before "{step.id}"',
        )
    )


def label_of(inputs: Mapping[str, Columns], parameters: Mapping[str, Any]) -> Column | None:
    """The label of a module that trains, where it is told from a column of the input."""
    dataset = inputs.get("Dataset") or inputs.get("Training dataset", UNKNOWN)
    selection = parameters.get("Label column")
    chosen = dataset.selected(selection) if isinstance(selection, ColumnSelection) else None
    label = dataset.find(chosen[0]) if chosen and len(chosen) == 1 else None
    return label if label and label.source else None


def task_of(definition: Mapping[str, Any]) -> str:
    """What the experiment's models are trained for, by its name in `tasks`: what the learners are that feed a training.

    Empty where the graph is none, trains nothing, or models of several tasks.
    """
    try:
        experiment = parse_experiment(definition)
    except GraphError:
        return ""
    training = [step for step in experiment.steps if step.module.trains]
    feeding = [each for step in training for each in _feeding(experiment, step)]
    found = {task for each in feeding if (task := _task(each.module))}
    return found.pop() if len(found) == 1 else ""


def comparison(definition: Mapping[str, Any]) -> str:
    """The comparison of a column of the input with a number that makes the label of the training, in words.

    Empty where it is made otherwise, or is in the data as it is.
    """
    label = needs(definition, {}).label
    if label is None:
        return ""
    experiment = parse_experiment(definition)
    set_anew = {node for parameter in experiment.parameters.values() for node, _name in parameter.links}
    for step in experiment.steps:
        given = step.parameters
        if (
            step.id in set_anew
            or given.get("Category") != "Compare"
            or given["Comparison function"] not in _SIGNS
        ):
            continue
        sign, compare = _SIGNS[given["Comparison function"]]
        constant = given["Constant value to compare"]
        near = [constant + by for by in (-1, 0, 1)] if isinstance(constant, float) else []
        if near and all(label.values(f"{x:.17g}") == compare(x, constant) for x in near):
            return f"{label.source} {sign} {constant:.15g}"
    return ""


_SIGNS: Mapping[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "EqualTo": ("==", operator.eq),
    "NotEqualTo": ("!=", operator.ne),
    "GreaterThan": (">", operator.gt),
    "GreaterThanOrEqualTo": (">=", operator.ge),
    "LessThan": ("<", operator.lt),
    "LessThanOrEqualTo": ("<=", operator.le),
}


def _task(module: Module) -> str:
    """What a learner learns: the room that it is in says so; empty of any other module."""
    room = type(module).__module__.split(".")[-2]
    return room.removeprefix("initialize_").replace("_", "-") if room.startswith("initialize_") else ""
