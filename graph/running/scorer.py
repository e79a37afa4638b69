"""A predictive experiment made ready to answer requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graph.data.datasets import Dataset, net_type
from graph.definition import Experiment
from graph.errors import GraphError, ModuleError
from graph.running.runner import NOTHING, execute, feature_types, read_model, typed_inputs

if TYPE_CHECKING:
    import pandas as pd


class Scorer:
    """Holds the experiment with its models read and checked and their runtime sessions made.

    Thread-safe: `score` keeps nothing between calls. What a row gives is, to the last bit, what `run` gives for
    it in a table, since both execute the same graph.

    `input_schema` and `output_schema` are the columns a request needs and an answer has, with .NET type names;
    `example` is a row of the data that the (first) model was trained on.

    Raises InvalidModel, or GraphError when a trained model is missing or the experiment has not one input.
    """

    def __init__(self, experiment: Experiment, resources: Mapping[str, bytes]) -> None:
        self.experiment = experiment
        if experiment.trains:
            raise GraphError(
                "a training experiment runs as a batch job; it cannot answer requests", experiment.name
            )
        self._models = {name: read_model(data).prepare() for name, data in resources.items()}
        for name in experiment.resources:
            if name not in self._models:
                raise GraphError(f'the experiment needs the trained model "{name}"', name)
        features = feature_types(experiment, self._models)
        self.input_schema: list[tuple[str, str]] = list(features.items())
        self._types = features
        self.example: dict[str, Any] = {}
        for name in reversed(experiment.resources):
            self.example |= {column: each.example for column, each in self._models[name].asks.items()}
        self.example = {name: self.example.get(name) for name in features}
        self.output_schema: list[tuple[str, str]] = self._output_schema()

    def score(
        self, inputs: Mapping[str, pd.DataFrame], parameters: Mapping[str, str] = NOTHING
    ) -> dict[str, pd.DataFrame]:
        """The outputs by name. Cells may be typed or text; null and empty text are missing values.

        Raises ModuleError (also for a value that is not of its column's type, with the input's name as the
        module) and GraphError.
        """
        typed = typed_inputs(self.experiment, inputs, self._models)
        values = execute(self.experiment, typed, self._models, parameters)
        return {name: value.frame for name, value in values.items() if isinstance(value, Dataset)}

    def _output_schema(self) -> list[tuple[str, str]]:
        """Types of the first output, found by scoring the example row; empty when that can't be done."""
        import pandas as pd

        row = pd.DataFrame({name: [value] for name, value in self.example.items()})
        defaults = {
            name: parameter.default
            for name, parameter in self.experiment.parameters.items()
            if parameter.default
        }
        try:
            outputs = self.score(dict.fromkeys(self.experiment.inputs, row), defaults)
        except (GraphError, ModuleError):
            return []
        first = next(iter(outputs.values()), pd.DataFrame())
        return [(str(name), self._types.get(str(name)) or net_type(first[name])) for name in first.columns]
