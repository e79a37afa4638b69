"""Which columns of its input a predictive graph asks for, and of which types: what its models ask for, followed back."""

from __future__ import annotations

from collections.abc import Mapping

from graph.columns import ColumnSelection
from graph.definition import Experiment, ModuleNode, Source
from graph.flow import UNKNOWN, Column, Columns
from graph.models.ilearner import TrainedModel
from graph.spec import DATASET, REQUIRED
from graph.steps import Asked, asked

_APPLY = "Apply Transformation"
_UNTOUCHED = Column().values
Wanted = dict[str, Asked]


def asked_columns(experiment: Experiment, models: Mapping[str, TrainedModel]) -> Wanted:
    """The columns by name, in the order in which the models ask for them.

    A column that comes from the input under another name is asked for by that one's. One that a module makes is not asked
    for, but what that module makes it of; of text that is certain, of other columns the type is left empty: what they were
    when the model was trained, it does not know.
    """
    steps = {step.id: step for step in experiment.steps}
    found: Wanted = {}
    for name, node in experiment.resource_nodes.items():
        model = models[name]
        users = [
            step for step in experiment.steps if any(source[0] == node for source in step.sources.values())
        ]
        scoring = [step for step in users if step.module.name != _APPLY]
        wanted = {f.name: Asked(f.type, model.example[f.name]) for f in model.features} if scoring else {}
        source = _dataset(scoring[0] if scoring else users[-1]) if users else None
        while source is not None and source[0] in steps:
            step = steps[source[0]]
            wanted = _before(step, source, wanted, model if step in users else None)
            source = _dataset(step)
        found |= {column: each for column, each in wanted.items() if column != model.label.name}
    return found


def _dataset(step: ModuleNode) -> Source | None:
    """What feeds the first table of a module."""
    ports = [port.name for port in step.module.inputs if port.kind == DATASET and port.name in step.sources]
    return step.sources[ports[0]] if ports else None


def _before(step: ModuleNode, source: Source, wanted: Wanted, model: TrainedModel | None) -> Wanted:
    """The columns that a module's table needs for these to be there after it; it is of the model that it transforms as."""
    if model is not None and step.module.name == _APPLY:
        return asked(model.numbered(step.parameters["Fitted step"]), wanted)
    if REQUIRED in step.parameters.values():
        return wanted
    made_of: dict[str, None] = {}
    tables = [port.name for port in step.module.inputs if port.kind == DATASET]
    before = Columns(others="input", ask=lambda name: made_of.setdefault(name))
    flow = step.module.columns(
        {name: before if name == tables[0] else UNKNOWN for name in tables}, step.parameters
    )
    after = flow.get(source[1], UNKNOWN)
    found: Wanted = {}
    made = False
    for name, each in wanted.items():
        column = after.find(name)
        if column is not None and column.source:
            found[column.source] = each if column.values is _UNTOUCHED else Asked("", each.example)
        elif column is None:
            found[name] = each
        else:
            made = True
    selection = step.parameters.get(step.module.texts)
    texts = before.selected(selection) if isinstance(selection, ColumnSelection) else None
    for name in made_of if made else ():
        found.setdefault(name, Asked(""))
    for name in texts or ():
        found[name] = Asked("String", found[name].example if name in found else None)
    return found
