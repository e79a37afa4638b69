"""Which columns of its data a training experiment asks for, told from its graph alone.

    needs(definition, values)   the columns by name, each with the module that asks for it; and the label
    task_of(definition)         what the models are trained for
    comparison(definition)      the comparison that makes the label, such as `delay >= 15`

A dataset's columns are followed through the graph: each module says what it does to them (`Module.columns`). One that
does not say leaves columns of which nothing is known, and for these nothing is asked.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from graph.columns import ColumnSelection
from graph.definition import Experiment, parse_experiment
from graph.errors import GraphError
from graph.flow import UNKNOWN, Column, Columns
from graph.spec import Module


@dataclass(frozen=True)
class Needs:
    """The `columns` of the input that are asked for, each with the module that asks first; and the `label` of the training.

    `classes` is how many different values the label has at least to have; with `numbers` these are numbers.
    """

    columns: Mapping[str, str]
    label: Column | None = None
    classes: int = 0
    numbers: bool = False


def needs(definition: Mapping[str, Any], values: Mapping[str, str]) -> Needs:
    """What an experiment asks of its data, given the values of its web service parameters; nothing where that can't be told."""
    try:
        experiment = parse_experiment(definition)
        bound = experiment.bind(values)
    except GraphError:
        return Needs({})
    asked: dict[str, str] = {}
    by_port = columns_by_port(experiment, bound, lambda name, module: asked.setdefault(name, module))
    modules = {step.id: step.module for step in experiment.steps}
    trained = [step for step in experiment.steps if step.module.trains]
    if len(trained) != 1:
        return Needs(asked)
    inputs = {port: by_port.get(source, UNKNOWN) for port, source in trained[0].sources.items()}
    learners = [modules[node] for node, _port in trained[0].sources.values() if node in modules]
    label = label_of(inputs, bound[trained[0].id])
    numbers = [_task(module) for module in learners if _task(module)] == ["regression"]
    least = max((module.classes for module in learners), default=0)
    return Needs(asked, label, max(least, 2 * numbers), numbers)


def columns_by_port(
    experiment: Experiment,
    bound: Mapping[str, Mapping[str, Any]],
    ask: Callable[[str, str], object] = lambda _name, _module: None,
) -> dict[tuple[str, str], Columns]:
    """What is known of the columns at each output port, with the parameters *bound*.

    `ask` is called with each column of the input that a module works on, and the module's name.
    """
    by_port = {(node, "Dataset"): Columns(others="input") for node in experiment.input_nodes.values()}
    for step in experiment.steps:
        asking = partial(_ask, ask, step.module.name)
        inputs = {
            port: replace(by_port.get(source, UNKNOWN), ask=asking) for port, source in step.sources.items()
        }
        for port, columns in step.module.columns(inputs, bound[step.id]).items():
            by_port[step.id, port] = columns
    return by_port


def _ask(ask: Callable[[str, str], object], module: str, name: str) -> None:
    ask(name, module)


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
    modules = {step.id: step.module for step in experiment.steps}
    training = [step for step in experiment.steps if step.module.trains]
    feeding = {node for step in training for node, _port in step.sources.values() if node in modules}
    found = {task for node in feeding if (task := _task(modules[node]))}
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
