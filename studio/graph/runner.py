"""Runs a graph: each module in turn, on the values its inputs are connected to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from studio.graph.definition import Experiment
from studio.graph.errors import GraphError, ModuleError, ModuleFailure, empty_input, one_line
from studio.graph.ilearner import TrainedModel
from studio.graph.spec import TRAINED_MODEL_PORT
from studio.graph.tables import Dataset


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
    inputs: Mapping[str, pd.DataFrame],
    *,
    resources: Mapping[str, bytes] = NOTHING,
    parameters: Mapping[str, str] = NOTHING,
    progress: Report | None = None,
) -> dict[str, bytes | pd.DataFrame]:
    """Run the experiment and return its outputs by name: a trained model as `.ilearner` bytes, else a table.

    `inputs` by web service input name; `resources` are the `.ilearner` bytes of the trained models it uses.
    Raises GraphError (inputs, resources or parameters that don't fit), ModuleError (a module failed),
    InvalidModel. `progress` is called before each module and once at the end; what it raises stops the run.
    """
    models = {name: TrainedModel.from_bytes(data) for name, data in resources.items()}
    values = execute(experiment, inputs, models, parameters, progress)
    return {
        name: value.to_bytes() if isinstance(value, TrainedModel) else value.frame.reset_index(drop=True)
        for name, value in values.items()
    }


def execute(
    experiment: Experiment,
    inputs: Mapping[str, pd.DataFrame],
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
    for done, step in enumerate(experiment.steps):
        fed = {port: values[source] for port, source in step.sources.items()}
        rows = next((value.rows for value in fed.values() if isinstance(value, Dataset)), 0)
        if progress is not None:
            progress(Progress(step.module.name, rows, done, total))
        for port, value in _call(step.module, fed, bound[step.id]).items():
            values[step.id, port] = value
    if progress is not None and experiment.steps:
        progress(Progress(experiment.steps[-1].module.name, rows, total, total))
    return {name: values[source] for name, source in experiment.output_sources.items()}


def _call(module: Any, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Run one module; every failure leaves as a ModuleError that names it."""
    try:
        for port, value in inputs.items():
            if isinstance(value, Dataset) and value.rows == 0:
                raise empty_input(port)
        result: Mapping[str, Any] = module.run(inputs, parameters)
    except ModuleFailure as failure:
        raise ModuleError(module.name, failure.code, failure.message) from failure
    except Exception as error:
        # Studio's 1000: a library refused what the module asked of it.
        raise ModuleError(
            module.name, "1000", f"Library exception: {one_line(str(error)) or type(error).__name__}"
        ) from error
    return result
