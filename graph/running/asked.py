"""Which columns of its input a predictive graph asks for, and of which types: those that its models ask for, followed back."""

from __future__ import annotations

from collections.abc import Mapping

from graph.columns import ColumnSelection
from graph.definition import Experiment, ModuleNode
from graph.flow import Column, Columns
from graph.models.ilearner import TrainedModel
from graph.needs import columns_by_port
from graph.spec import DATASET
from graph.steps import Asked

_UNTOUCHED = Column().values


def asked_columns(experiment: Experiment, models: Mapping[str, TrainedModel]) -> dict[str, Asked]:
    """The columns by name, in the order in which the models ask for them.

    A column that comes from the input under another name is asked for by that one's. One that a module makes is not asked
    for, but what that module makes it of; of text that is certain, of other columns the type is left empty: what they were
    when the model was trained, it does not know.
    """
    by_port = columns_by_port(experiment, {step.id: step.parameters for step in experiment.steps})
    found: dict[str, Asked] = {}
    for name in experiment.resources:
        columns = _first(experiment, by_port, experiment.resource_nodes[name])
        for column, asked in models[name].asks.items():
            at = columns.find(column)
            if at is None and (columns.others == "any" or columns.more):
                found[column] = asked
            elif at is not None and at.source:
                found[at.source] = asked if at.values is _UNTOUCHED else Asked("")
    for step in experiment.steps:
        for column in _texts(step, by_port):
            found[column] = Asked("String", found[column].example if column in found else None)
    return found


def _first(experiment: Experiment, by_port: Mapping[tuple[str, str], Columns], model: str) -> Columns:
    """What is known of the dataset that a model's first module works on, be it a transformation."""
    for step in experiment.steps:
        if any(source[0] == model for source in step.sources.values()):
            for port in step.module.inputs:
                if port.kind == DATASET and port.name in step.sources:
                    return by_port.get(step.sources[port.name], Columns())
    return Columns()


def _texts(step: ModuleNode, by_port: Mapping[tuple[str, str], Columns]) -> list[str]:
    """The columns of the input that a module takes for text."""
    selection = step.parameters.get(step.module.texts)
    if not isinstance(selection, ColumnSelection):
        return []
    columns = by_port.get(step.sources["Dataset"], Columns())
    chosen = [columns.find(name) for name in columns.selected(selection) or ()]
    return [each.source for each in chosen if each and each.source and each.sure]
