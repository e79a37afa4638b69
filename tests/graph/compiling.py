"""Random predictive graphs and rows, scored both ways: what campaigns and tests of the compiled scorer call.

differences(random)    one graph with its model, some requests; what of it is not the same by both
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
import pandas as pd

from authoring.predictive import derive
from graph import (
    GraphError,
    InvalidModel,
    ModuleError,
    Rows,
    Scorer,
    net_type,
    parse_experiment,
    read_table,
    rows_of,
    run,
)
from graph.definition import Experiment
from graph.errors import ModuleFailure
from graph.modules import find
from tests.graph.chains import (
    CATEGORY,
    DATE,
    LABELS,
    LEARNERS,
    START,
    TRAINED,
    WORDS,
    Chain,
    Exhausted,
    Node,
    table,
)

_ODD = [None, "", "NA", "nan", " 7 ", "1e3", "-0.0", "abc", "True", "false", True, False, 0, 1, 2.5, -3, 7]
_ODDER = [
    2**53 + 1,
    -(2**63),
    2**63,
    2**64,
    "9007199254740993",
    1e308,
    1e400,
    float("nan"),
    "Infinity",
    "٣",
    "x" * 99,
]


def edges(
    nodes: list[Node], begin: str = "data", prefix: str = "step"
) -> tuple[dict[str, Any], list[Any], str]:
    """Nodes and edges of a chain, and its end."""
    made: dict[str, Any] = {}
    found: list[Any] = []
    before = begin
    for at, (module, parameters, port) in enumerate(nodes):
        name = f"{prefix}{at}"
        made[name] = {"module": module, "parameters": parameters}
        entries = {
            "Add Columns": ("Left dataset", "Right dataset"),
        }.get(module, ("Dataset",))
        found += [{"from": before, "to": f"{name}.{entry}"} for entry in entries]
        before = f"{name}.{port}"
    return made, found, before


def training(random: Random, chain: Chain) -> dict[str, Any]:
    """The chain, and a learner on what it leaves that can be learnt from."""
    name, values, label = random.choice(LEARNERS)
    for other in [each for each in LABELS if each != label]:
        chain.columns.pop(other, None)
    kept = [column for column, kind in chain.columns.items() if kind != DATE]
    texts = [column for column in kept if chain.columns[column] in (WORDS, CATEGORY)]
    if kept:
        chosen = [*kept, *([label] if label and label not in kept else [])]
        chain.add("Select Columns in Dataset", "Results dataset", **{"Select columns": chosen})
    if texts:
        chain.add("Edit Metadata", "Results dataset", Column=texts, Categorical="Make categorical")
    nodes, links, end = edges(chain.nodes)
    nodes |= {
        "data": {"input": "input1"},
        "learner": {"module": name, "parameters": values},
        "model": {"output": "out"},
    }
    if label:
        nodes["train"] = {"module": "Train Model", "parameters": {"Label column": [label]}}
    elif name == "K-Means Clustering":
        nodes["train"] = {
            "module": "Train Clustering Model",
            "parameters": {"Column Set": {"rules": [{"ruleType": "AllColumns"}]}},
        }
    else:
        nodes["train"] = {"module": "Train Anomaly Detection Model"}
    train = find(nodes["train"]["module"])
    assert train is not None
    links += [
        {"from": end, "to": "train.Dataset"},
        {"from": "learner", "to": f"train.{train.inputs[0].name}"},
        {"from": f"train.{train.outputs[0].name}", "to": "model"},
    ]
    return {"name": "random", "nodes": nodes, "edges": links}


def _without_labels(node: Node) -> Node:
    """Rows to score have none."""
    module, parameters, port = node
    names = parameters.get("Select columns")
    kept = [name for name in names if name not in LABELS] if isinstance(names, list) else names
    return module, {**parameters, "Select columns": kept} if names else parameters, port


def unlearnt(random: Random, chain: Chain, clusters: bool) -> dict[str, Any]:
    """A predictive graph by hand: the chain as it is, the score, and something after it."""
    nodes, links, end = edges([_without_labels(node) for node in chain.nodes])
    score = "Assign Data to Clusters" if clusters else "Score Model"
    append = {
        "Append or Result Only" if clusters else "Append score columns to output": random.random() < 0.7
    }
    nodes |= {
        "data": {"input": "input1"},
        "model": {"trainedModel": TRAINED},
        "score": {"module": score, "parameters": append},
    }
    links += [{"from": "model", "to": "score.Trained model"}, {"from": end, "to": "score.Dataset"}]
    after: list[Node] = []
    if not clusters and random.random() < 0.5:
        after = [
            (
                "Edit Metadata",
                {"Column": ["Scored Labels"], "New column names": "said", "Data type": "String"},
                "Results dataset",
            )
        ]
    more, others, end = edges(after, "score", "after")
    return {
        "name": "random",
        "nodes": {**nodes, **more, "out": {"output": "output1"}},
        "edges": [*links, *others, {"from": end, "to": "out"}],
    }


def _usual(random: Random, name: str, type_name: str) -> Any:
    """A value that the model takes there."""
    whole = table()
    value = whole[name].iloc[random.randrange(len(whole))] if name in whole else random.randrange(40)
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float) and np.isnan(value):
        return None
    return int(value) if isinstance(value, bool) and type_name not in ("", "Boolean") else value


def requests(random: Random, columns: Mapping[str, str]) -> Iterator[dict[str, list[Any]]]:
    """Rows as clients send them: mostly of the columns' types, some odd, some columns missing or more of them."""
    for _request in range(8):
        count, oddity = random.choice([1, 1, 2, 5]), random.choice([0.0, 0.0, 0.05, 0.3])
        names = list(columns)
        if random.random() < 0.1 and len(names) > 1:
            names.pop(random.randrange(len(names)))
        random.shuffle(names)
        rows: dict[str, list[Any]] = {}
        as_text = random.random() < 0.4
        for name in [*names, *(["other"] if random.random() < 0.3 else [])]:
            cells = []
            for _row in range(count):
                value = _usual(random, name, columns.get(name, ""))
                if as_text and value is not None:
                    value = str(value)
                if random.random() < oddity:
                    value = random.choice(_ODD if random.random() < 0.8 else _ODDER)
                cells.append(value)
            rows[name] = cells
        yield rows


def outcome(score: Callable[[], Mapping[str, Any]], types: Mapping[str, str]) -> Any:
    """All that an answer says, to the last bit; or the error's code and message."""
    try:
        tables = score()
    except ModuleError as error:
        return "module error", error.module, error.code, error.message
    except (GraphError, ModuleFailure) as error:
        return "graph error", str(error)
    kinds = {
        name: [(c, types.get(str(c)) or net_type(v)) for c, v in one.items()] for name, one in tables.items()
    }
    return kinds, {name: rows_of(one, types) for name, one in tables.items()}


@dataclass
class Found:
    """What came of one graph."""

    graph: str = ""
    """Why there is none: the refusal of its training; empty where there is one."""
    interpreted: str = ""
    """Why it is not compiled."""
    answered: int = 0
    refused: int = 0
    fell_back: list[str] = field(default_factory=list)
    """Requests that the compiled graph left to the interpreted one, which answered them."""
    problems: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def differences(random: Random) -> Found:
    """Train and compile one random graph, score requests both ways, and as a batch."""
    chain = Chain(random)
    try:
        for _ in range(random.randint(1, 5)):
            chain.extend()
        package = training(random, chain)
        train = parse_experiment(package)
        [model] = run(train, {"input1": table()}).values()
        assert isinstance(model, bytes)
        clusters = package["nodes"]["train"]["module"] == "Train Clustering Model"
        # Both ways in which predictive graphs come to be: derived, and by hand.
        predictive = derive(package) if random.random() < 0.6 else unlearnt(random, chain, clusters)
        experiment = parse_experiment(predictive)
        scorer = Scorer(experiment, dict.fromkeys(experiment.resources, model))
    except (ModuleError, GraphError, InvalidModel, Exhausted) as error:
        return Found(graph=str(error) or "no column is left")
    found = Found(interpreted=scorer.interpreted)
    [name] = experiment.inputs
    types = dict(scorer.output_schema)
    for columns in requests(random, dict.fromkeys((*START, *LABELS), "") | dict(scorer.input_schema)):
        rows = Rows(columns, len(next(iter(columns.values()))))
        compiled = outcome(lambda rows=rows: scorer.score({name: rows}), types)
        interpreted = outcome(lambda rows=rows: scorer.interpret({name: rows}), types)
        found.answered += isinstance(interpreted[0], dict)
        found.refused += not isinstance(interpreted[0], dict)
        if not isinstance(interpreted[0], dict):
            found.errors.append(str(interpreted)[:150])
        said = json.dumps({"predictive": predictive, "rows": columns}, default=str)
        if compiled != interpreted:
            found.problems.append(f"{said}\n compiled    {compiled}\n interpreted {interpreted}")
        if isinstance(interpreted[0], dict) and scorer._compiled is not None:
            try:
                scorer._compiled.score({name: rows}, {})
            except Exception as error:
                found.fell_back.append(f"{error!r}: {said}")
        if isinstance(interpreted[0], dict) and all(
            isinstance(c, str | None) for cells in columns.values() for c in cells
        ):
            batch = outcome(lambda columns=columns: _batch(experiment, columns, model), types)
            if batch[1:] != interpreted[1:]:
                found.problems.append(f"{said}\n batch   {batch}\n request {interpreted}")
    return found


def _batch(experiment: Experiment, columns: Mapping[str, Any], model: bytes) -> dict[str, Any]:
    """The rows by a file, as batch execution reads one."""
    buffer = io.BytesIO()
    pd.DataFrame(columns, dtype=object).to_csv(buffer, index=False)
    frame = read_table(buffer.getvalue(), ".csv", typed=False)
    return dict(
        run(experiment, {experiment.inputs[0]: frame}, resources=dict.fromkeys(experiment.resources, model))
    )
