"""The predictive graph that goes with a training graph: what is done to a row before it is scored, and the scoring.

As Studio derives one ("Set up web service"): the learner and what splits, samples or evaluates are left out, the trained
model takes the place of Train Model. And what Studio leaves to a person: columns that the label is made of are asked for
no longer.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, count
from typing import Any, Final

from graph import Experiment, GraphError, parse_experiment
from graph.columns import ColumnSelection
from graph.definition import ModuleNode, Source
from graph.flow import UNKNOWN, Columns
from graph.needs import columns_by_port, label_of
from graph.spec import TRAINED

Package = dict[str, Any]

_SCORES: Final = {"Train Clustering Model": ("Assign Data to Clusters", "Results dataset")}
_OWN: Final = {"trained_model", "score", "scored"}  # what nodes of a predictive graph are called here
_SCORE: Final = ("Score Model", "Scored dataset")


def derive(training: Mapping[str, Any]) -> Package:
    """The predictive graph of a training graph. Raises GraphError where this one is wrong, or trains not one model."""
    experiment = parse_experiment(training)
    trains = [step for step in experiment.steps if step.module.trains]
    if len(trains) != 1:
        raise GraphError(
            f"the training experiment trains {len(trains)} models, not one",
            "nodes",
            "write predictive.json by hand",
        )
    return _Derived(experiment, training, trains[0]).package()


class _Derived:
    """The nodes and edges of the predictive graph, gathered from where the training ends to where data enters."""

    def __init__(self, experiment: Experiment, training: Mapping[str, Any], train: ModuleNode) -> None:
        defaults = {name: each.default or "" for name, each in experiment.parameters.items()}
        self.flow = columns_by_port(experiment, experiment.bind(defaults))
        self.training, self.train = training, train
        self.steps = {step.id: step for step in experiment.steps}
        label = label_of(self._inputs(train), train.parameters)
        self.label = label.source if label else ""
        self.nodes: Package = {}
        self.edges: list[dict[str, str]] = []
        self.model = ""

    def package(self) -> Package:
        """The graph, as an experiment package."""
        name = str(self.training["name"]).removesuffix("-training")
        self.model = self._free("trained_model")
        score, port = _SCORES.get(self.train.module.name, _SCORE)
        trained_on = next(port for port in ("Dataset", "Training dataset") if port in self.train.sources)
        source = self._kept(self.train.sources[trained_on])
        self.nodes[self.model] = {"trainedModel": f"{name} [trained model]"}
        scoring, output = self._free("score"), self._free("scored")
        self.nodes[scoring] = {"module": score}
        self.nodes[output] = {"output": "output1"}
        self._edge((self.model, "Trained model"), f"{scoring}.Trained model")
        self._edge(source, f"{scoring}.Dataset")
        self._edge((scoring, port), output)
        return {
            "name": f"{name}-predictive",
            "description": f"Scores rows with the model of {self.training['name']}.",
            "nodes": self.nodes,
            "edges": self.edges,
        }

    def _kept(self, source: Source) -> Source:
        """The source in the predictive graph of what *source* is in the training graph."""
        node, port = source
        if node in self.nodes:
            applied = self.nodes[node].get("module") == "Apply Transformation"
            return node, "Transformed dataset" if applied else port
        step = self.steps.get(node)
        if step is None:
            self.nodes[node] = self._input(dict(self.training["nodes"][node]))
            return source
        role = step.module.in_scoring(step.parameters)
        parameters = self._without_label(step) if role != "left out" else None
        if parameters is None:
            return self._kept(next(iter(step.sources.values())))
        body = dict(self.training["nodes"][node])
        if role == "applied":
            body, port = {"module": "Apply Transformation"}, "Transformed dataset"
            parameters = {"Fitted step": self._fitted().index(node) + 1}
        fed = {each: self._kept(before) for each, before in step.sources.items()}
        self.nodes[node] = body | ({"parameters": parameters} if parameters else {})
        if role == "applied":
            self._edge((self.model, "Trained model"), f"{node}.Transformation")
        for each, before in fed.items():
            self._edge(before, f"{node}.{each}")
        return node, port

    def _input(self, body: Package) -> Package:
        """An input without what is said of the label, which nobody sends."""
        if label := (body.get("types") or {}).keys() & {self.label}:
            types = {name: kind for name, kind in body["types"].items() if name not in label}
            body = {key: value for key, value in body.items() if key != "types"}
            body |= {"types": types} if types else {}
        return body

    def _fitted(self) -> list[str]:
        """The modules whose steps the trained model brings with it, in its order: those before Train Model that learn."""
        before, found = [source[0] for source in self.train.sources.values()], set[str]()
        while before:
            node = before.pop()
            if node in self.steps and node not in found:
                found.add(node)
                before += [source[0] for source in self.steps[node].sources.values()]
        learn = [
            step.id for step in self.steps.values() if step.module.in_scoring(step.parameters) == "applied"
        ]
        return [node for node in learn if node in found]

    def _without_label(self, step: ModuleNode) -> Package | None:
        """A module's parameters as they are written, without columns of the label; None where it works on nothing else."""
        written = dict(self.training["nodes"][step.id].get("parameters") or {})
        dataset = next(iter(self._inputs(step).values()), UNKNOWN)
        for name, value in step.parameters.items():
            if name in written and isinstance(value, ColumnSelection):
                left = value.without({each for each in value.names if self._is_label(dataset, each)})
                if left is None:
                    return None
                if left != value:
                    written[name] = left.written
        return written

    def _is_label(self, dataset: Columns, name: str) -> bool:
        column = dataset.find(name)
        return bool(self.label) and column is not None and column.source == self.label

    def _inputs(self, step: ModuleNode) -> Mapping[str, Columns]:
        return {
            port: self.flow.get(source, UNKNOWN)
            for port, source in step.sources.items()
            if not self._is_model(source)
        }

    def _is_model(self, source: Source) -> bool:
        step = self.steps.get(source[0])
        return step is not None and any(
            port.name == source[1] and port.kind == TRAINED for port in step.module.outputs
        )

    def _edge(self, source: Source, target: str) -> None:
        node, port = source
        whole = node if "module" not in self.nodes.get(node, {}) else f"{node}.{port}"
        self.edges.append({"from": whole, "to": target})

    def _free(self, name: str) -> str:
        """A name for a node: that one, or with a number behind it where a node that is kept has it."""
        taken = {*self.nodes, *(each for each in self.training["nodes"] if each not in _OWN)}
        return next(each for each in chain([name], (f"{name}{i}" for i in count(2))) if each not in taken)
