"""Runs a graph: each module in turn, on the values its inputs are connected to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graph.data.datasets import Dataset
from graph.data.values import coerce
from graph.definition import Experiment, ModuleNode
from graph.errors import GraphError, InvalidModel, ModuleError, ModuleFailure, empty_input, one_line
from graph.fitting import learns
from graph.libraries import Table
from graph.models.ilearner import TrainedModel
from graph.modules import find
from graph.running.asked import asked_columns
from graph.spec import TRAINED_MODEL_PORT, Module
from graph.steps import Step, written


@dataclass(frozen=True)
class Progress:
    """A module is about to work on `rows` rows; `done` of `total` modules are finished."""

    module: str
    rows: int
    done: int
    total: int


Report = Callable[[Progress], None]
NOTHING: Mapping[str, Any] = {}


def run(
    experiment: Experiment,
    inputs: Mapping[str, Table],
    *,
    resources: Mapping[str, bytes] = NOTHING,
    parameters: Mapping[str, str] = NOTHING,
    progress: Report | None = None,
) -> dict[str, bytes | Table]:
    """Run the experiment and return its outputs by name: a trained model as `.ilearner` bytes, else a table.

    `inputs` by web service input name; `resources` are the `.ilearner` bytes of the trained models it uses. Where it
    uses some, its inputs are typed as these were trained (`typed_inputs`).
    Raises GraphError (inputs, resources or parameters that don't fit), ModuleError (a module failed),
    InvalidModel. `progress` is called before each module and once at the end; what it raises stops the run.
    """
    models = {name: read_model(data) for name, data in resources.items()}
    if models:
        inputs = typed_inputs(experiment, inputs, models)
    values = execute(experiment, inputs, models, parameters, progress)
    return {
        name: value.to_bytes() if isinstance(value, TrainedModel) else value.frame.reset_index(drop=True)
        for name, value in values.items()
    }


def read_model(data: bytes) -> TrainedModel:
    """A trained model whose fitted steps can be applied. Raises InvalidModel."""
    model = TrainedModel.from_bytes(data)
    for step in model.steps:
        if not learns(find(step.module), step):
            raise InvalidModel(f'a fitted step is not one of the module "{step.module}"')
    return model


def feature_types(experiment: Experiment, models: Mapping[str, TrainedModel]) -> dict[str, str]:
    """The .NET types of the columns that scoring asks for, as far as they are told."""
    return {name: each.type for name, each in asked_columns(experiment, models).items() if each.type}


def typed_inputs(
    experiment: Experiment, inputs: Mapping[str, Table], models: Mapping[str, TrainedModel]
) -> dict[str, Table]:
    """Rows to score, of text or plain values, as columns of the types that the models were trained on.

    By batch and by request alike, so that a row has one score. Raises ModuleError, with the input's name as the module,
    for a value that is not of its column's type; GraphError for an input or a model that the experiment does not have.
    """
    for name in experiment.resources:
        if name not in models:
            raise GraphError(f'the experiment needs the trained model "{name}"', name)
    types = feature_types(experiment, models)
    typed = {}
    for name, frame in inputs.items():
        if name not in experiment.input_nodes:
            raise GraphError(f'the experiment has no input "{name}"', name)
        try:
            typed[name] = coerce(frame, types, experiment.declared_of(name))
        except ModuleFailure as failure:
            raise ModuleError(name, failure.code, failure.message) from None
    return typed


def execute(
    experiment: Experiment,
    inputs: Mapping[str, Table],
    models: Mapping[str, TrainedModel],
    parameters: Mapping[str, str] = NOTHING,
    progress: Report | None = None,
) -> dict[str, Dataset | TrainedModel]:
    """As `run`, with models already read, and with the values as the graph has them."""
    bound = experiment.bind(parameters)
    values: dict[tuple[str, str], Any] = {}
    for name, node in experiment.input_nodes.items():
        if name not in inputs:
            raise GraphError(f'the experiment needs the input "{name}"', name)
        values[node, "Dataset"] = Dataset(inputs[name])
    for name, node in experiment.resource_nodes.items():
        if name not in models:
            raise GraphError(f'the experiment needs the trained model "{name}"', name)
        values[node, TRAINED_MODEL_PORT] = models[name]
    total = len(experiment.steps)
    rows = 0
    fitted: list[Step] = []
    for done, step in enumerate(experiment.steps):
        fed = {port: values[source] for port, source in step.sources.items()}
        rows = next((value.rows for value in fed.values() if isinstance(value, Dataset)), 0)
        if progress is not None:
            progress(Progress(step.module.name, rows, done, total))
        result = _call(step, fed, bound[step.id])
        if step.module.in_scoring(bound[step.id]) == "applied":
            fitted += [value for value in result.values() if isinstance(value, Step)]
        for port, value in _carried(step.module, fed, result, fitted).items():
            values[step.id, port] = value
    if progress is not None and experiment.steps:
        progress(Progress(experiment.steps[-1].module.name, rows, total, total))
    return {name: values[source] for name, source in experiment.output_sources.items()}


def _call(step: ModuleNode, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Run one module; every failure leaves as a ModuleError that names it and its node."""
    module = step.module
    try:
        for port, value in inputs.items():
            if isinstance(value, Dataset) and value.rows == 0:
                raise empty_input(port)
        result: Mapping[str, Any] = module.run(inputs, parameters)
    except ModuleFailure as failure:
        raise ModuleError(module.name, failure.code, failure.message, step.id) from failure
    except Exception as error:
        # Studio's 1000: a library refused what the module asked of it.
        raise ModuleError(
            module.name, "1000", f"Library exception: {one_line(str(error)) or type(error).__name__}", step.id
        ) from error
    return result


def _carried(
    module: Module, inputs: Mapping[str, Any], result: Mapping[str, Any], fitted: Sequence[Step]
) -> Mapping[str, Any]:
    """The result with the fitted steps of its data, in the order in which they were fitted.

    Tables carry those of all inputs and the module's own, a model those it was trained through.
    """
    before = [inputs[port.name].steps for port in module.inputs if isinstance(inputs.get(port.name), Dataset)]
    every = {id(step) for steps in (*before, result.values()) for step in steps}
    steps = tuple(step for step in fitted if id(step) in every)
    learnt = tuple(step for step in fitted if any(step is one for one in (before[0] if before else ())))
    return {
        port: replace(value, steps=steps)
        if isinstance(value, Dataset) and steps
        else replace(value, steps=learnt)
        if isinstance(value, TrainedModel) and module.trains and written(learnt)
        else value
        for port, value in result.items()
    }
