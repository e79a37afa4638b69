"""A predictive graph compiled: its steps in a row over tables of arrays, all that no request changes worked out before.

The modules are those that the runner runs, by the same code; what differs is what their tables are (`graph.data.frames`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graph.data.datasets import Dataset
from graph.data.frames import Frame
from graph.data.rows import Rows
from graph.data.values import coerced
from graph.definition import Experiment, Source
from graph.errors import one_line
from graph.spec import TRAINED_MODEL_PORT

if TYPE_CHECKING:
    from graph.models.ilearner import TrainedModel

Work = Callable[[Mapping[str, Any], Mapping[str, Any]], Mapping[str, Any]]


class NotCompiled(Exception):
    """Why a graph cannot be compiled, in one line that names the node."""


@dataclass(frozen=True)
class Compiled:
    """What answers requests. Whatever it raises, the runner is to be asked: it gives the answer, or says what is wrong."""

    experiment: Experiment
    types: Mapping[str, str]
    known: Mapping[Source, Any]
    steps: tuple[tuple[str, Work, Mapping[str, Source]], ...]
    parameters: Mapping[str, Mapping[str, Any]]

    def score(self, inputs: Mapping[str, Rows], parameters: Mapping[str, str]) -> dict[str, Frame]:
        """The outputs by name."""
        experiment = self.experiment
        bound = experiment.bind(parameters) if experiment.parameters or parameters else self.parameters
        values = dict(self.known)
        if inputs.keys() != experiment.input_nodes.keys():
            raise ValueError("these are other inputs")
        for name, node in experiment.input_nodes.items():
            if not inputs[name].count:
                raise ValueError("there are no rows")
            values[node, "Dataset"] = dataset(coerced(inputs[name], self.types, experiment.declared_of(name)))
        for node, work, sources in self.steps:
            made = work({port: values[source] for port, source in sources.items()}, bound[node])
            for port, value in made.items():
                values[node, port] = value
        outputs = {name: values[source] for name, source in experiment.output_sources.items()}
        tables = {name: value for name, value in outputs.items() if isinstance(value, Dataset)}
        return {name: table.frame for name, table in tables.items()}  # type: ignore[misc]


def compile_graph(
    experiment: Experiment, models: Mapping[str, TrainedModel], types: Mapping[str, str]
) -> Compiled:
    """Compile a predictive graph with its models, whose columns have these types. Raises NotCompiled."""
    known: dict[Source, Any] = {
        (node, TRAINED_MODEL_PORT): models[name] for name, node in experiment.resource_nodes.items()
    }
    linked = {node for parameter in experiment.parameters.values() for node, _ in parameter.links}
    steps = []
    for step in experiment.steps:
        if step.id not in linked and all(source in known for source in step.sources.values()):
            fed = {port: known[source] for port, source in step.sources.items()}
            try:
                made = step.module.run(fed, step.parameters)
            except Exception as error:  # whatever it is, requests are told by the runner
                raise NotCompiled(f'node "{step.id}" ({step.module.name}): {one_line(str(error))}') from None
            known |= {(step.id, port): value for port, value in made.items()}
        elif step.module.on_arrays:
            steps.append((step.id, step.module.run, step.sources))
        else:
            raise NotCompiled(f'node "{step.id}": {step.module.name} needs a data frame')
    return Compiled(
        experiment,
        types,
        {source: _on_arrays(value) for source, value in known.items()},
        tuple(steps),
        {step.id: step.parameters for step in experiment.steps},
    )


def dataset(frame: Frame) -> Dataset:
    """A table of arrays on a port."""
    return Dataset(frame)  # type: ignore[arg-type]


def _on_arrays(value: Any) -> Any:
    return dataset(Frame.of(value.frame)) if isinstance(value, Dataset) else value
