"""A predictive experiment made ready to answer requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graph.data.datasets import Dataset, net_type
from graph.data.rows import Rows, rows_of
from graph.definition import Experiment
from graph.errors import GraphError, ModuleError, one_line
from graph.libraries import Table
from graph.running.asked import asked_columns
from graph.running.compiled import Compiled, NotCompiled, compile_graph
from graph.running.runner import NOTHING, execute, read_model, typed_inputs


class Scorer:
    """Holds the experiment with its models read and checked and their runtime sessions made.

    Thread-safe: `score` keeps nothing between calls. What a row gives is, to the last bit, what `run` gives for
    it in a table, since both execute the same graph; compiled, where that can be (`interpreted` says why not).

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
        asked = asked_columns(experiment, self._models)
        features = {name: each.type for name, each in asked.items()}
        self.input_schema: list[tuple[str, str]] = [
            (name, kind or "String") for name, kind in features.items()
        ]
        self._types = features
        self.example: dict[str, Any] = {name: each.example for name, each in asked.items()}
        row = Rows({name: [value] for name, value in self.example.items()}, 1)
        outputs = self._examples(row)
        self.output_schema: list[tuple[str, str]] = self._output_schema(outputs)
        self._compiled: Compiled | None = None
        self.interpreted = ""
        """Why its requests are interpreted; empty where it is compiled."""
        try:
            self._compiled = compile_graph(experiment, self._models, features)
        except NotCompiled as why:
            self.interpreted = str(why)
        else:
            self._prove(row, outputs)

    def score(
        self, inputs: Mapping[str, Rows | Table], parameters: Mapping[str, str] = NOTHING
    ) -> dict[str, Any]:
        """The outputs by name: tables whose `items` are their columns. Cells may be typed or text; null and empty text are
        missing values. Rows are scored by the compiled graph, a data frame by the interpreted one.

        Raises ModuleError (also for a value that is not of its column's type, with the input's name as the
        module) and GraphError.
        """
        rows = {name: table for name, table in inputs.items() if isinstance(table, Rows)}
        answer = self.compiled(rows, parameters) if len(rows) == len(inputs) else None
        return self.interpret(inputs, parameters) if answer is None else answer

    def compiled(
        self, inputs: Mapping[str, Rows], parameters: Mapping[str, str] = NOTHING
    ) -> dict[str, Any] | None:
        """As `score`, by the compiled graph alone: None where there is none, or it leaves the rows to the other."""
        if self._compiled is None:
            return None
        try:
            return dict(self._compiled.score(inputs, parameters))
        except Exception:  # what is wrong, the interpreted graph says
            return None

    def interpret(
        self, inputs: Mapping[str, Rows | Table], parameters: Mapping[str, str] = NOTHING
    ) -> dict[str, Any]:
        """As `score`, by the runner, as in a batch."""
        frames = {name: table.frame() if isinstance(table, Rows) else table for name, table in inputs.items()}
        typed = typed_inputs(self.experiment, frames, self._models)
        values = execute(self.experiment, typed, self._models, parameters)
        return {name: value.frame for name, value in values.items() if isinstance(value, Dataset)}

    def _examples(self, row: Rows) -> dict[str, Table]:
        """What the example row gives; nothing where it can't be scored."""
        try:
            return self.interpret(dict.fromkeys(self.experiment.inputs, row), self._defaults())
        except (GraphError, ModuleError):
            return {}

    def _defaults(self) -> dict[str, str]:
        parameters = self.experiment.parameters.items()
        return {name: parameter.default for name, parameter in parameters if parameter.default}

    def _output_schema(self, outputs: Mapping[str, Table]) -> list[tuple[str, str]]:
        """Types of the first output, by what the example row gives."""
        first = next(iter(outputs.values()), None)
        if first is None:
            return []
        return [(str(name), self._types.get(str(name)) or net_type(first[name])) for name in first.columns]

    def _prove(self, row: Rows, outputs: Mapping[str, Table]) -> None:
        """Interpret where the compiled graph does not give what the interpreted one does of the example row."""
        if not outputs or self._compiled is None:
            return
        types = dict(self.output_schema)
        try:
            found = self._compiled.score(dict.fromkeys(self.experiment.inputs, row), self._defaults())
            agree = all(rows_of(found[name], types) == rows_of(one, types) for name, one in outputs.items())
            problem = "" if agree else "it scores its example otherwise"
        except Exception as error:  # whatever it is, the interpreted graph does not have it
            problem = one_line(str(error))
        if problem:
            self._compiled, self.interpreted = None, problem
