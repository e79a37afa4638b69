"""A holdout is measured as Evaluate Model measures the same rows, whatever the task: by the very columns that scoring answers with."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from sklearn import datasets

from graph import Scorer, parse_experiment, rows_of, run, table_of
from graph.data.datasets import write_table
from retrain_hooks.gate.measuring.holdout import Holdout
from retrain_hooks.gate.measuring.labels import truth_of
from retrain_hooks.training.evaluation import read_metrics
from tasks import ROWS, TASKS
from tests.unit.fakes import MemoryContainer, OpenGuard

MODEL = "Model [trained model]"


def bunch(name: str) -> pd.DataFrame:
    frame: pd.DataFrame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    return frame.sample(frac=1, random_state=1)


def rare() -> pd.DataFrame:
    """Wines, those of one kind being the anomalies."""
    frame = bunch("wine")
    return frame.assign(target=(frame["target"] == 2).astype(int))


EXAMPLES = {
    "two-class": (
        "Two-Class Boosted Decision Tree",
        "Train Model",
        lambda: bunch("breast_cancer"),
        "target == 1",
    ),
    "multiclass": ("Multiclass Decision Forest", "Train Model", lambda: bunch("iris"), "target"),
    "regression": ("Boosted Decision Tree Regression", "Train Model", lambda: bunch("diabetes"), "target"),
    "clustering": (
        "K-Means Clustering",
        "Train Clustering Model",
        lambda: bunch("iris").drop(columns="target"),
        "",
    ),
    "anomaly": ("PCA-Based Anomaly Detection", "Train Anomaly Detection Model", rare, "target == 1"),
}


def graph(learner: str, train: str, label: bool) -> Any:
    score = "Assign Data to Clusters" if train == "Train Clustering Model" else "Score Model"
    parameters = {"Label column": ["target"]} if label else {}
    return {
        "name": "training",
        "nodes": {
            "table": {"input": "input1"},
            "split": {"module": "Split Data"},
            "learner": {"module": learner},
            "train": {"module": train, "parameters": parameters},
            "score": {"module": score},
            "evaluate": {"module": "Evaluate Model"},
            "model": {"output": "output1"},
            "evaluation": {"output": "output2"},
            "held": {"output": "output3"},
        },
        "edges": [
            {"from": "table", "to": "split.Dataset"},
            {"from": "learner", "to": "train.Untrained model"},
            {"from": "split.Results dataset1", "to": "train.Dataset"},
            {"from": "train.Trained model", "to": "score.Trained model"},
            {"from": "split.Results dataset2", "to": "score.Dataset"},
            {"from": "score", "to": "evaluate.Scored dataset"},
            {"from": "train.Trained model", "to": "model"},
            {"from": "evaluate.Evaluation results", "to": "evaluation"},
            {"from": "split.Results dataset2", "to": "held"},
        ],
    }


def predictive(train: str) -> Any:
    score = "Assign Data to Clusters" if train == "Train Clustering Model" else "Score Model"
    return {
        "name": "predictive",
        "nodes": {
            "table": {"input": "input1"},
            "model": {"trainedModel": MODEL},
            "score": {"module": score},
            "scored": {"output": "output1"},
        },
        "edges": [
            {"from": "model", "to": "score.Trained model"},
            {"from": "table", "to": "score.Dataset"},
            {"from": "score", "to": "scored"},
        ],
    }


class Serving:
    """The model, as an endpoint answers with it: rows of texts."""

    def __init__(self, train: str, model: bytes) -> None:
        self.scorer = Scorer(parse_experiment(predictive(train)), {MODEL: model})

    def score(self, rows: Any) -> list[dict[str, str | None]]:
        names = list(rows[0])
        table = table_of(names, [[row[name] for name in names] for row in rows])
        return rows_of(self.scorer.score({"input1": table})["output1"], dict(self.scorer.output_schema))


@pytest.mark.parametrize("task", EXAMPLES)
def test_the_same_rows_come_to_the_same_metrics(task):
    """To the last digits, over the wire's texts."""
    learner, train, table, label = EXAMPLES[task]
    trained = run(parse_experiment(graph(learner, train, bool(label))), {"input1": table()})
    evaluated = read_metrics(write_table(trained["output2"]))
    data = MemoryContainer("data")
    data.put("held.csv", write_table(trained["output3"]))
    blobs = {blob.name: blob.etag for blob in data.list()}
    holdout = Holdout.read(data, blobs, truth_of(TASKS[task], label))
    found = holdout.measure(Serving(train, trained["output1"]), OpenGuard())
    assert not found.problem
    names = {one.name for one in TASKS[task].metrics} - {ROWS.name}
    assert names <= set(evaluated)
    for name in names:
        assert found.metrics[name] == pytest.approx(float(evaluated[name]), abs=1e-9, nan_ok=True), name
