"""Which columns of its data a training experiment asks for, told from its graph alone.

    needs(definition, values)   the columns by name, each with the module that asks for it; and the label

A dataset's columns are followed through the graph: each module says what it does to them (`Module.columns`). One that
does not say leaves columns of which nothing is known, and for these nothing is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from graph.columns import ColumnSelection
from graph.definition import parse_experiment
from graph.errors import GraphError
from graph.flow import UNKNOWN, Column, Columns


@dataclass(frozen=True)
class Needs:
    """The `columns` of the input that are asked for, each with the module that asks first; and the `label` of the training.

    `classes` is how many different values the label has at least to have.
    """

    columns: Mapping[str, str]
    label: Column | None = None
    classes: int = 0


def needs(definition: Mapping[str, Any], values: Mapping[str, str]) -> Needs:
    """What an experiment asks of its data, given the values of its web service parameters; nothing where that can't be told."""
    try:
        experiment = parse_experiment(definition)
        bound = experiment.bind(values)
    except GraphError:
        return Needs({})
    asked: dict[str, str] = {}
    by_port: dict[tuple[str, str], Columns] = {}
    labels: list[Column | None] = []
    classes: list[int] = []
    modules = {step.id: step.module for step in experiment.steps}
    for step in experiment.steps:
        ask = lambda name, module=step.module.name: asked.setdefault(name, module)  # noqa: E731 - of this step
        for node in experiment.input_nodes.values():
            by_port[node, "Dataset"] = Columns(others="input", ask=ask)
        inputs = {
            port: replace(by_port.get(source, UNKNOWN), ask=ask) for port, source in step.sources.items()
        }
        parameters = bound[step.id]
        for port, columns in step.module.columns(inputs, parameters).items():
            by_port[step.id, port] = columns
        if step.module.trains:
            labels.append(_label(inputs, parameters))
            learners = [modules[node] for node, _port in step.sources.values() if node in modules]
            classes.append(max((module.classes for module in learners), default=0))
    one = len(labels) == 1
    return Needs(asked, labels[0] if one else None, classes[0] if one else 0)


def _label(inputs: Mapping[str, Columns], parameters: Mapping[str, Any]) -> Column | None:
    dataset, selection = inputs.get("Dataset", UNKNOWN), parameters.get("Label column")
    chosen = dataset.selected(selection) if isinstance(selection, ColumnSelection) else None
    label = dataset.find(chosen[0]) if chosen and len(chosen) == 1 else None
    return label if label and label.source else None
