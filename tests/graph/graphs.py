"""Training graphs, one for each feature that an identity covers."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from graph.modules import find, names
from graph.spec import REQUIRED

Definition = dict[str, Any]
BY_NAME = {name: module for name in names() if (module := find(name))}
FLIGHTS = json.loads(
    (Path(__file__).parents[2] / "experiments" / "flights" / "training.json").read_text(encoding="utf-8")
)


def edited(change: Callable[[Definition], Any], of: Definition = FLIGHTS) -> Definition:
    definition = copy.deepcopy(of)
    change(definition)
    return definition


def set_(node: str, parameter: str, value: Any) -> Callable[[Definition], Any]:
    return lambda d: d["nodes"][node].setdefault("parameters", {}).update({parameter: value})


def small(**nodes: Any) -> Definition:
    """Input → Train Model ← a learner, with the model as output; *nodes* more or other nodes."""
    return {
        "name": "small",
        "nodes": {
            "data": {"input": "input1"},
            "learner": {"module": "Linear Regression"},
            "train": {"module": "Train Model", "parameters": {"Label column": ["y"]}},
            "model": {"output": "output1"},
            **nodes,
        },
        "edges": [
            {"from": "data", "to": "train.Dataset"},
            {"from": "learner", "to": "train.Untrained model"},
            {"from": "train", "to": "model"},
        ],
    }


def through(module: str, values: Definition, out: str = "") -> Definition:
    """`small` with one module between the data and Train Model."""
    definition = small(step={"module": module, "parameters": values})
    definition["edges"][0] = {"from": "data", "to": "step.Dataset"}
    definition["edges"].append({"from": f"step{out}", "to": "train.Dataset"})
    return definition


def learner(module: str, **values: Any) -> Definition:
    return small(learner={"module": module, "parameters": values})


def linked(kind: str, module: str, parameter: str, default: str | None) -> Definition:
    """`through` *module* with one of its parameters set by a web service parameter P."""
    required = {p.name: "a" for p in BY_NAME[module].parameters if p.default is REQUIRED}
    if "Category" in required:
        required["Category"] = "Compare"
    out = ".Results dataset1" if module == "Split Data" else ""
    definition = through(module, required, out)
    definition["parameters"] = {
        "P": {"type": kind, "default": default, "links": [{"node": "step", "parameter": parameter}]}
    }
    return definition


def compared() -> Definition:
    """Evaluate Model with both inputs, the second a trained model that comes with the experiment; two inputs."""
    definition = small(
        more={"input": "input2"},
        old={"trainedModel": "Old"},
        score={"module": "Score Model"},
        score_old={"module": "Score Model", "parameters": {"Append score columns to output": False}},
        evaluate={"module": "Evaluate Model"},
        evaluation={"output": "output2"},
    )
    for source, target in {
        "train": "score.Trained model",
        "old": "score_old.Trained model",
        "score": "evaluate.Scored dataset",
        "score_old": "evaluate.Scored dataset to compare",
        "evaluate": "evaluation",
    }.items():
        definition["edges"].append({"from": source, "to": target})
    definition["edges"] += [{"from": "more", "to": f"{node}.Dataset"} for node in ("score", "score_old")]
    return definition


def two_models() -> Definition:
    definition = small(
        other={"module": "Train Model", "parameters": {"Label column": ["z"]}}, second={"output": "output2"}
    )
    definition["edges"] += [
        {"from": "data", "to": "other.Dataset"},
        {"from": "learner", "to": "other.Untrained model"},
        {"from": "other", "to": "second"},
    ]
    return definition


STUDIO = {"isFilter": True, "rules": [{"ruleType": "AllColumns", "exclude": False}]}
WITHOUT = {"rules": [*STUDIO["rules"], {"ruleType": "ColumnNames", "columns": ["b"], "exclude": True}]}

FEATURES: dict[str, Definition] = {
    "flights": FLIGHTS,
    "small": small(),
    "two inputs, a resource, a comparison": compared(),
    "two models": two_models(),
    "Two-Class Boosted Decision Tree": learner("Two-Class Boosted Decision Tree"),
    "Boosted Decision Tree Regression": learner("Boosted Decision Tree Regression"),
    "Two-Class Logistic Regression": learner("Two-Class Logistic Regression"),
    "whole number": learner("Boosted Decision Tree Regression", **{"Number of trees constructed": 7}),
    "fraction": learner("Boosted Decision Tree Regression", **{"Learning rate": 0.05}),
    "small number": learner("Two-Class Logistic Regression", **{"Optimization tolerance": 1e-9}),
    "truth value": learner("Linear Regression", **{"Allow unknown categorical levels": False}),
    "columns": through("Select Columns in Dataset", {"Select columns": ["a", "y"]}),
    "columns by rules": through("Select Columns in Dataset", {"Select columns": WITHOUT}),
    "columns not of ASCII": through("Select Columns in Dataset", {"Select columns": ["é", "y"]}),
    "choice": through("Clean Missing Data", {"Cleaning mode": "Replace with mean"}),
    "text": through("Edit Metadata", {"Column": "a", "New column names": "b"}),
    "large number": through(
        "Apply Math Operation",
        {"Category": "Operations", "Column set": "a", "Constant operation argument": 1e300},
    ),
    "first port": through("Split Data", {}, ".Results dataset1"),
    "second port": through("Split Data", {}, ".Results dataset2"),
    "Int parameter": linked("Int", "Split Data", "Random seed", "1"),
    "Float parameter": linked("Float", "Split Data", "Fraction of rows in the first output dataset", None),
    "Boolean parameter": linked("Boolean", "Split Data", "Stratified split", "True"),
    "Enumerated parameter": linked("Enumerated", "Clean Missing Data", "Cleaning mode", "replace with MEAN"),
    "String parameter": linked("String", "Clean Missing Data", "Replacement value", "a"),
    "ColumnPicker parameter": linked("ColumnPicker", "Clean Missing Data", "Columns to be cleaned", "a, b"),
}
