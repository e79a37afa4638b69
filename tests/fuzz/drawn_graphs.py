"""Random training graphs over all modules: grown module by module, each tried on the data that the graph has so far."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from graph.data.datasets import Dataset, is_numeric
from graph.modules import find, names
from graph.spec import DATASET, REQUIRED, TRAINED, TRANSFORMATION, UNTRAINED, Module, Parameter

Package = dict[str, Any]
MODULES: Final = tuple(module for name in names() if (module := find(name)))
LEARNERS: Final = tuple(m for m in MODULES if any(port.kind == UNTRAINED for port in m.outputs))
OTHERS: Final = tuple(m for m in MODULES if m not in LEARNERS)
SMALL: Final[Mapping[str, tuple[Any, ...]]] = {
    # What takes long, and says no more with larger numbers.
    "Number of trees constructed": (1, 5),
    "Number of Trees": (4, 8),
    "Number of decision trees": (1, 5),
    "Number of decision DAGs": (1, 4),
    "Number of learning iterations": (1, 8),
    "Number of hidden nodes": ("4", "3,2"),
    "Number of training iterations": (1, 3),
    "Maximum number of runs on random sweep": (1, 2),
    "Hashing bitsize": (1, 3, 6),
    "Number of iterations": (1, 3),
    "Number of iterations for PCA prediction": (1, 3),
    "Iterations": (5, 20),
}
TEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    "SQL Query Script": (
        "select * from t1",
        "select *, 1 as one from t1",
        "select count(*) as n from t1",
        "select * from t1 where 1 = 0",
        "select nonsense",
        "drop table t1",
    ),
    "Data": ("a,b\n1,2\n3,4", "a\nx\n", "a,a\n1,2", ""),
    "Comma-separated list of bin edges": ("", "0, 1, 2", "2,1", "x"),
    "Regular expression": ('\\"a" ^1', '\\"y" .*', "(", '\\"zz" a'),
    "Relational expression": ('\\"a" > 1', '\\"y" == 1', '\\"a" > 1 & < 3', "nonsense"),
    "List of proportions separated by comma": ("", "0.3, 0.7", "0.9,0.9", "x"),
    "Parts": ("Year, Month", "Weekday", "Nonsense", ""),
    "New column names": ("", "renamed", "a", "one,two"),
    "Replacement value": ("0", "x", "", "1.5"),
    "Custom regular expression": ("", "o+", "("),
    "Quantiles to be estimated": ("0.25;0.5;0.75", "0.5", "2", "x"),
    "Number of hidden nodes": ("4",),
}


@dataclass
class Drawn:
    """A graph with the values that its ports have."""

    rng: random.Random
    values: dict[tuple[str, str], Any] = field(default_factory=dict)
    nodes: Package = field(default_factory=dict)
    edges: list[dict[str, str]] = field(default_factory=list)
    failed: bool = False

    def of(self, kind: str) -> list[tuple[str, str]]:
        """The ports that have a value of that kind, newest last."""
        kinds: dict[str, Callable[[Any], bool]] = {
            DATASET: lambda value: isinstance(value, Dataset),
            TRAINED: lambda value: type(value).__name__ == "TrainedModel",
            TRANSFORMATION: lambda value: type(value).__name__ in ("Step", "TrainedModel"),
            UNTRAINED: lambda value: type(value).__name__ == "UntrainedModel",
        }
        return [port for port, value in self.values.items() if kinds[kind](value)]

    def add(
        self, module: Module, fed: Mapping[str, tuple[str, str]], given: Package, *, keep: float = 0.2
    ) -> str:
        """Add a module as it is drawn; one that fails on the data stays with the chance *keep*. Its node, if it works."""
        rng, node = self.rng, f"n{len(self.nodes)}"
        parameters = dict(given)
        inputs = {port: self.values[source] for port, source in fed.items()}
        frame = next((value.frame for value in inputs.values() if isinstance(value, Dataset)), pd.DataFrame())
        for parameter in module.parameters:
            if parameter.name not in parameters and (parameter.default is REQUIRED or rng.random() < 0.25):
                parameters[parameter.name] = draw_value(rng, parameter, frame)
            elif parameter.name not in parameters and parameter.type in ("IntRange", "FloatRange"):
                parameters[parameter.name] = list(parameter.default[:1])
            elif parameter.name not in parameters and parameter.name in SMALL:
                parameters[parameter.name] = rng.choice(SMALL[parameter.name])
        try:
            bound = {p.name: p.default for p in module.parameters}
            bound |= {name: module.parameter(name).parse(value) for name, value in parameters.items()}  # type: ignore[union-attr]
            module.check(bound)
            if any(isinstance(value, Dataset) and value.rows == 0 for value in inputs.values()):
                raise ValueError("no rows")
            found = module.run(inputs, bound)
        except Exception:  # the graph is refused with it, cleanly or not: that is looked at later
            if rng.random() > keep:
                return ""
            self.failed = True
            found = {}
        self.nodes[node] = {"module": module.name, "parameters": parameters}
        self.edges += [{"from": ".".join(source), "to": f"{node}.{port}"} for port, source in fed.items()]
        self.values |= {(node, port): value for port, value in found.items()}
        return "" if self.failed else node


def draw_value(rng: random.Random, parameter: Parameter, frame: pd.DataFrame) -> Any:
    """A value of a parameter, mostly one that it takes."""
    if parameter.name in SMALL and rng.random() < 0.9:
        return rng.choice(SMALL[parameter.name])
    if parameter.name in TEXTS:
        return rng.choice(TEXTS[parameter.name])
    low = parameter.minimum if parameter.minimum is not None else parameter.above
    match parameter.type:
        case "Int":
            start = int(low if low is not None else -2)
            return rng.choice(
                [start, start + 1, start + rng.randint(0, 5), min(int(parameter.maximum or 10), start + 20)]
            )
        case "Float":
            start, end = (
                low if low is not None else -2.0,
                parameter.maximum if parameter.maximum is not None else 5.0,
            )
            return rng.choice([start, end, round(rng.uniform(start, end), 3), 0.5, 0.0])
        case "Boolean":
            return rng.random() < 0.5
        case "Enumerated":
            return rng.choice(parameter.allowed)
        case "IntRange" | "FloatRange":
            return list(parameter.default[:1])
        case "ColumnPicker":
            return draw_columns(rng, frame)
    return rng.choice(("", "a", "1", "x, y"))


def draw_columns(rng: random.Random, frame: pd.DataFrame) -> Any:
    """A choice of columns: one or more by name, all, all but one, or one that is not there."""
    there = [str(name) for name in frame.columns] or ["a"]
    numbers = [name for name in there if name in frame and is_numeric(frame[name])]
    every = {"ruleType": "AllColumns", "exclude": False}
    match rng.choices(range(5), (6, 4, 2, 2, 0.3))[0]:
        case 0:
            return [rng.choice(numbers or there)]
        case 1:
            return rng.sample(there, rng.randint(1, len(there)))
        case 2:
            return {"isFilter": True, "rules": [every]}
        case 3:
            but = {"ruleType": "ColumnNames", "columns": [rng.choice(there)], "exclude": True}
            return {"isFilter": True, "rules": [every, but]}
    return ["no such column"]


def draw_graph(rng: random.Random, frame: pd.DataFrame) -> Package:
    """A graph that has *frame* as its input `input1`, with an output for what it makes."""
    drawn = Drawn(rng)
    drawn.nodes["data"] = {"input": "input1"}
    drawn.values["data", "Dataset"] = Dataset(frame)
    for _ in range(rng.choice((0, 1, 1, 2, 3, 4))):
        _grow(drawn, rng.choice(OTHERS))
    if rng.random() < 0.85 and not drawn.failed:
        _train(drawn)
    for _ in range(rng.choice((0, 0, 1, 2))):
        _grow(drawn, rng.choice(OTHERS))
    return _package(drawn)


def _grow(drawn: Drawn, module: Module) -> None:
    """Add a module that is fed by newer ports rather than older ones; nothing where none has what it takes."""
    if drawn.failed:
        return
    fed = {}
    for port in module.inputs:
        there = drawn.of(port.kind)
        if (
            port.kind == UNTRAINED
            and not there
            and not port.optional
            and _learner(drawn, drawn.rng.choice(LEARNERS))
        ):
            there = drawn.of(port.kind)
        if not there:
            if port.optional:
                continue
            return
        if port.optional and drawn.rng.random() < 0.6:
            continue
        fed[port.name] = drawn.rng.choice([*there[-2:], *there[-1:], *there])
    drawn.add(module, fed, {})


def _learner(drawn: Drawn, module: Module) -> str:
    fed = {}
    if module.inputs:
        two = [m for m in LEARNERS if not m.inputs and getattr(m, "task", "") == "binary"]
        inner = drawn.add(drawn.rng.choice(two), {}, {}, keep=0)
        if not inner:
            return ""
        fed = {module.inputs[0].name: (inner, "Untrained model")}
    return drawn.add(module, fed, {}, keep=0)


_TRAINERS: Final = {"clustering": "Train Clustering Model", "anomaly": "Train Anomaly Detection Model"}


def _train(drawn: Drawn) -> None:
    """A learner, the module that trains it, and, most of the time, scores and their evaluation."""
    rng = drawn.rng
    tables = drawn.of(DATASET)
    source = rng.choice([tables[-1], tables[-1], *tables])
    frame = drawn.values[source].frame
    label = rng.choice([str(name) for name in frame.columns] or ["y"])
    if "y" in frame.columns and rng.random() < 0.9:
        label = "y"
    learner = _learner(drawn, rng.choice(_fitting(frame, label) if rng.random() < 0.9 else LEARNERS))
    if not learner:
        return
    untrained = drawn.values[learner, "Untrained model"]
    trainer = _TRAINERS.get(untrained.task, "Train Model")
    given: Package = {"Label column": [label]}
    if trainer == "Train Clustering Model":
        given = {}
    elif trainer == "Train Anomaly Detection Model" and rng.random() < 0.3:
        given = {"Label column": None}
    texts = [str(n) for n in frame.columns if str(n) != label and not is_numeric(frame[n])]
    if (
        texts
        and rng.random() < 0.9
        and (
            made := drawn.add(
                _named("Edit Metadata"),
                {"Dataset": source},
                {"Column": texts, "Categorical": "Make categorical"},
            )
        )
    ):
        source = (made, "Results dataset")
    held = source
    if rng.random() < 0.7 and (split := drawn.add(_named("Split Data"), {"Dataset": source}, {})):
        source, held = (split, "Results dataset1"), (split, "Results dataset2")
    given = {name: value for name, value in given.items() if value is not None}
    trained = drawn.add(
        _named(trainer), {"Untrained model": (learner, "Untrained model"), "Dataset": source}, given
    )
    if not trained or rng.random() < 0.1:
        return
    scores = "Assign Data to Clusters" if untrained.task == "clustering" else "Score Model"
    fed = {"Trained model": (trained, "Trained model"), "Dataset": held}
    if (scored := drawn.add(_named(scores), fed, {})) and rng.random() < 0.9:
        port = _named(scores).outputs[0].name
        drawn.add(_named("Evaluate Model"), {"Scored dataset": (scored, port)}, {})


def _fitting(frame: pd.DataFrame, label: str) -> tuple[Module, ...]:
    """The learners of the tasks that this label is for."""
    values = frame[label].dropna() if label in frame.columns else pd.Series([], dtype=float)
    tasks = {"clustering"}
    if values.nunique() == 2:
        tasks |= {"binary", "anomaly"}
    if values.nunique() > 1:
        tasks |= {"multiclass"} if values.nunique() < 20 else set()
        tasks |= {"regression"} if is_numeric(values) else set()
    return tuple(m for m in LEARNERS if getattr(m, "task", "") in tasks)


def _named(name: str) -> Module:
    return next(module for module in MODULES if module.name == name)


def _package(drawn: Drawn) -> Package:
    """With an output for each trained model and for the newest tables, or of the failed module."""
    rng = drawn.rng
    ends = list(drawn.of(TRAINED))[:1]
    tables = drawn.of(DATASET)
    ends += [tables[-1], *([rng.choice(tables)] if rng.random() < 0.5 else [])]
    for at, end in enumerate(dict.fromkeys(ends), start=1):
        drawn.nodes[f"out{at}"] = {"output": f"output{at}"}
        drawn.edges.append({"from": ".".join(end), "to": f"out{at}"})
    edges = [
        edge
        | {"from": edge["from"].removesuffix(".Dataset") if edge["from"] == "data.Dataset" else edge["from"]}
        for edge in drawn.edges
    ]
    return {"name": "drawn", "nodes": drawn.nodes, "edges": edges}
