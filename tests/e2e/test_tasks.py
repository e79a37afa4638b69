"""Experiments of other tasks than two classes, as a user meets them: trained, gated on a holdout by own metrics too, bound, retrained."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from tests.e2e.checkout import Checkout, Done, jobs

pytestmark = pytest.mark.cloud

MODEL = "Model [trained model]"


@dataclass(frozen=True)
class Example:
    """An experiment: its *learner*, its *table* from scikit-learn with its *label*, the gate's *rules*, those that are too
    strict, and a *foreign* one.
    """

    learner: str
    table: str
    label: str
    rules: tuple[str, ...]
    strict: str
    foreign: str
    metrics: str
    headline: str


EXAMPLES = {
    "sugar": Example(
        "Boosted Decision Tree Regression",
        "diabetes",
        "target",
        ("rmse <= 90", "r2 >= champion - 0.5", "metrics.py: within >= 0.2"),
        "rmse <= 1",
        "auc >= 0.6",
        "def within(actual, scored, rows):\n"
        "    assert all(float(row['target']) == really for row, really in zip(rows, actual))\n"
        "    return sum(abs(a - s) < 40 for a, s in zip(actual, scored)) / len(actual)\n",
        "r2",
    ),
    "wines": Example(
        "Multiclass Decision Forest",
        "wine",
        "target",
        ("macro_recall >= 0.7", "overall_accuracy >= champion - 0.2", "metrics.py: sure >= 0.5"),
        "log_loss <= 0.0001",
        "rmse <= 80",
        "def sure(actual, scored, scores):\n"
        "    assert set(actual) == {'0', '1', '2'}\n"
        "    return sum(max(each) for each in scores) / len(scores)\n",
        "macro_recall",
    ),
}


def packages(name: str, example: Example) -> dict[str, Any]:
    """The training and the predictive graph."""
    training = {
        "name": name,
        "nodes": {
            "table": {"input": "input1"},
            "split": {
                "module": "Split Data",
                "parameters": {"Fraction of rows in the first output dataset": 0.7},
            },
            "learner": {"module": example.learner},
            "train": {"module": "Train Model", "parameters": {"Label column": [example.label]}},
            "score": {"module": "Score Model"},
            "evaluate": {"module": "Evaluate Model"},
            "model": {"output": "output1"},
            "evaluation": {"output": "output2"},
        },
        "edges": [
            {"from": "table", "to": "split.Dataset"},
            {"from": "learner", "to": "train.Untrained model"},
            {"from": "split.Results dataset1", "to": "train.Dataset"},
            {"from": "train.Trained model", "to": "score.Trained model"},
            {"from": "split.Results dataset2", "to": "score.Dataset"},
            {"from": "score.Scored dataset", "to": "evaluate.Scored dataset"},
            {"from": "train.Trained model", "to": "model"},
            {"from": "evaluate.Evaluation results", "to": "evaluation"},
        ],
    }
    predictive = {
        "name": f"{name}-predictive",
        "nodes": {
            "table": {"input": "input1"},
            "model": {"trainedModel": MODEL},
            "score": {"module": "Score Model"},
            "scored": {"output": "output1"},
        },
        "edges": [
            {"from": "model", "to": "score.Trained model"},
            {"from": "table", "to": "score.Dataset"},
            {"from": "score", "to": "scored"},
        ],
    }
    return {"training": training, "predictive": predictive}


def table(example: Example) -> Any:
    """Its rows in an order of no meaning."""
    from sklearn import datasets

    frame = getattr(datasets, f"load_{example.table}")(as_frame=True).frame
    return frame.sample(frac=1, random_state=0)


class Stack:
    """One example's stack in a checkout with its data: two versions, and rows that no model is trained from."""

    def __init__(self, checkout: Checkout, name: str) -> None:
        self.checkout, self.name, self.example = checkout, name, EXAMPLES[name]
        folder = checkout.root / "experiments" / name
        folder.mkdir()
        for part, package in packages(name, self.example).items():
            (folder / f"{part}.json").write_text(json.dumps(package), encoding="utf-8")
        (folder / "metrics.py").write_text(self.example.metrics, encoding="utf-8")
        frame, cloud = table(self.example), checkout.cloud
        third = len(frame) // 3
        credential = {"account_name": cloud["account"], "account_key": cloud["accountKey"]}
        with BlobServiceClient(cloud["azurite"], credential=credential) as account:
            for version, rows in {
                "v1": frame[:third],
                "v2": frame[: 2 * third],
                "later": frame[2 * third :],
            }.items():
                blob = account.get_blob_client(cloud["dataContainer"], f"{name}/{version}.csv")
                blob.upload_blob(rows.to_csv(index=False).encode(), overwrite=True)
        config = {
            "experiment": name,
            "dataPath": f"{name}/{{version}}.csv",
            "dataVersion": "v1",
            "baselineDataVersion": "v1",
            "gateRules": list(self.example.rules),
            "holdoutDataVersion": "later",
        }
        named = {f"retraining:{key}": value for key, value in config.items()}
        # JSON is YAML.
        (checkout.root / "Pulumi.dev.yaml").write_text(json.dumps({"config": named}), encoding="utf-8")

    def run(self, verb: str, **values: str) -> Done:
        """``./dev`` *verb* with these values over the configuration."""
        more = [part for name, value in values.items() for part in ("-c", f"{name}={value}")]
        yes = ["--yes"] if verb == "up" else []
        return self.checkout.dev(verb, *yes, "--engine", "embedded", *more)

    def outputs(self) -> dict[str, Any]:
        return dict(self.checkout.succeed("output", "--json").json)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_experiment_of_another_task_is_gated_bound_and_retrained(checkouts, name):
    """By its own metrics, on its own holdout, with the label that its graph tells; a metric of another task is refused."""
    stack = Stack(checkouts.fresh(), name)
    example = stack.example
    first = stack.run("up")
    assert first.status == 0, first.text
    told = stack.outputs()
    assert told["verdict"] == "passed"
    assert [rule["text"] for rule in told["rules"]] == ["rows >= 1", *example.rules]
    assert all(rule["passed"] for rule in told["rules"])
    assert example.headline in told["metrics"]
    assert example.headline in first.out

    foreign = stack.run("preview", gateRules=json.dumps([example.foreign]))
    assert foreign.status != 0
    assert f"the rule `{example.foreign}` asks for" in foreign.text
    assert f"it has: {', '.join(_metrics(example))}" in " ".join(foreign.text.split())
    assert "Traceback" not in foreign.text

    stack.checkout.reset_journal()
    refused = stack.run("up", dataVersion="v2", gateRules=json.dumps([example.strict]))
    assert refused.status != 0
    assert f"must be {example.strict.partition(' ')[2]}" in refused.text
    assert jobs(stack.checkout.journal()) == 1
    assert stack.outputs()["modelAddress"] == told["modelAddress"]

    stack.checkout.reset_journal()
    again = stack.run("up", dataVersion="v2")
    assert again.status == 0, again.text
    assert jobs(stack.checkout.journal()) == 0  # the refused model is there
    bound = stack.outputs()
    assert bound["verdict"] == "passed"
    assert bound["modelAddress"] != told["modelAddress"]
    listed = stack.checkout.succeed("runs", "--json").json
    assert {row["metric"] for row in listed} == {example.headline}

    metrics = stack.checkout.root / "experiments" / name / "metrics.py"
    metrics.write_text(example.metrics.replace("return", "return 1 / 0 *"), encoding="utf-8")
    thrown = stack.run("up", dataVersion="v2")
    assert thrown.status != 0
    assert "metrics.py, line 3" in thrown.text
    assert "ZeroDivisionError" in thrown.text
    assert stack.outputs()["modelAddress"] == bound["modelAddress"]
    metrics.write_text("def nothing(actual, scored):\n    return 1\n", encoding="utf-8")
    missing = stack.run("preview", dataVersion="v2")
    assert missing.status != 0
    assert "metrics.py has no function" in missing.text


def _metrics(example: Example) -> list[str]:
    from tasks import TASKS

    name = "regression" if "Regression" in example.learner else "multiclass"
    return [one.name for one in TASKS[name].metrics]
