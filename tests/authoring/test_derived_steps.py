"""A derived predictive graph applies what was learnt in training, each step in its place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from authoring.predictive import derive
from graph import Scorer, parse_experiment, run

RNG = np.random.default_rng(6)
FRAME = pd.DataFrame(
    {
        "a": np.where(RNG.random(120) < 0.1, np.nan, RNG.normal(20, 5, 120)),
        "b": RNG.integers(0, 40, 120),
        "t": RNG.choice(["good old book", "bad food", "good food here"], 120),
    }
)
FRAME["y"] = FRAME["b"] * 2.0 + (FRAME["t"] == "bad food")
CLEAN = (
    "Clean Missing Data",
    {"Columns to be cleaned": ["a"], "Cleaning mode": "Replace with mean"},
    "Cleaned dataset",
)
ROWS = (
    "Clean Missing Data",
    {"Columns to be cleaned": ["a"], "Cleaning mode": "Remove entire row"},
    "Cleaned dataset",
)
SCALE = ("Normalize Data", {"Columns to transform": ["a", "b"]}, "Transformed dataset")
SQUARE = (
    "Apply Math Operation",
    {"Category": "Basic", "Basic math function": "Square", "Column set": ["b"]},
    "Results dataset",
)
BINS = ("Group Data into Bins", {"Columns to bin": ["b"], "Number of bins": 4}, "Quantized dataset")
WORDS = (
    "Extract N-Gram Features from Text",
    {"Text column": ["t"], "Use filter-based feature selection": False},
    "Results dataset",
)
DROP = ("Select Columns in Dataset", {"Select columns": ["a", "b", "y"]}, "Results dataset")
SPLIT = ("Split Data", {}, "Results dataset1")
LEVELS = ("Edit Metadata", {"Column": ["t"], "Categorical": "Make categorical"}, "Results dataset")
ZEROS = (
    "Convert to Indicator Values",
    {"Categorical columns to convert": ["t"], "Overwrite categorical columns": True},
    "Results dataset",
)
PCA = (
    "Principal Component Analysis",
    {"Selected columns": ["a", "b"], "Number of dimensions to reduce to": 2},
    "Results dataset",
)


@pytest.mark.parametrize(
    "steps",
    [
        (CLEAN, SCALE, SQUARE, BINS, WORDS, SPLIT),
        (ROWS, DROP, SCALE, SPLIT),
        (WORDS, SCALE),
        (LEVELS, ZEROS, CLEAN, PCA),
        (CLEAN, WORDS, PCA),
    ],
)
def test_rows_are_scored_as_the_model_was_trained(steps: tuple[Any, ...]) -> None:
    """The training rows through the derived graph have the scores that the training graph gives them, alone as together."""
    nodes: dict[str, Any] = {
        "data": {"input": "input1"},
        "learner": {"module": "Linear Regression"},
        "train": {"module": "Train Model", "parameters": {"Label column": ["y"]}},
        "score": {"module": "Score Model"},
        "model": {"output": "output1"},
        "scored": {"output": "output2"},
    }
    edges, before = [], "data"
    for at, (module, parameters, port) in enumerate(steps):
        nodes[f"s{at}"] = {"module": module, "parameters": parameters}
        edges.append({"from": before, "to": f"s{at}.Dataset"})
        before = f"s{at}.{port}"
    edges += [
        {"from": before, "to": "train.Dataset"},
        {"from": "learner", "to": "train.Untrained model"},
        {"from": "train", "to": "model"},
        {"from": "train", "to": "score.Trained model"},
        {"from": before, "to": "score.Dataset"},
        {"from": "score", "to": "scored"},
    ]
    package = {"name": "steps-training", "nodes": nodes, "edges": edges}
    outputs = run(parse_experiment(package), {"input1": FRAME})
    model, expected = outputs["output1"], outputs["output2"]
    assert isinstance(expected, pd.DataFrame)
    graph = parse_experiment(derive(package))
    rows = FRAME.drop(columns=["y"]).astype({"t": object})
    (name,) = graph.resources
    result = run(graph, {"input1": rows}, resources={name: model})["output1"]  # type: ignore[dict-item]
    assert isinstance(result, pd.DataFrame)
    found = result["Scored Labels"].tolist()
    if SPLIT not in steps and ROWS not in steps:
        assert found == expected["Scored Labels"].tolist()
    else:
        assert {*expected["Scored Labels"]} <= {*found}
    scorer = Scorer(graph, {name: model})  # type: ignore[dict-item]
    assert "y" not in dict(scorer.input_schema)
    for at in range(0, 120, 13):
        one = scorer.score({"input1": rows.iloc[[at]].astype(object)})["output1"]
        assert one["Scored Labels"].tolist() == [found[at]]


def test_a_fitted_step_may_feed_several_modules() -> None:
    """What reads a step's table twice reads it twice in the derived graph."""
    package = {
        "name": "twice-training",
        "nodes": {
            "data": {"input": "input1"},
            "scale": {"module": "Normalize Data", "parameters": {"Columns to transform": ["b"]}},
            "left": {"module": "Select Columns in Dataset", "parameters": {"Select columns": ["b", "y"]}},
            "right": {"module": "Select Columns in Dataset", "parameters": {"Select columns": ["b"]}},
            "both": {"module": "Add Columns"},
            "learner": {"module": "Linear Regression"},
            "train": {"module": "Train Model", "parameters": {"Label column": ["y"]}},
            "model": {"output": "output1"},
        },
        "edges": [
            {"from": "data", "to": "scale.Dataset"},
            {"from": "scale", "to": "left.Dataset"},
            {"from": "scale", "to": "right.Dataset"},
            {"from": "left", "to": "both.Left dataset"},
            {"from": "right", "to": "both.Right dataset"},
            {"from": "both", "to": "train.Dataset"},
            {"from": "learner", "to": "train.Untrained model"},
            {"from": "train", "to": "model"},
        ],
    }
    edges = [edge["from"] for edge in derive(package)["edges"]]
    assert edges.count("scale.Transformed dataset") == 2
