"""What a gate asks is settled by the task: its default rules, its metrics, the form of its label."""

from __future__ import annotations

import json

import pytest

from clients.errors import ConfigurationError
from retrain_hooks.experiments.task import Aim, aim_of
from retrain_hooks.gate.inputs import GateInputs
from retrain_hooks.gate.measuring.labels import AnomalyLabel, Label
from retrain_hooks.gate.measuring.truths import ClassTruth, NoTruth, NumberTruth
from retrain_hooks.gate.settling import settled
from tasks import TASKS

LEARNERS = {
    "two-class": "Two-Class Boosted Decision Tree",
    "regression": "Boosted Decision Tree Regression",
}


def graph(learner: str, label: str = "price") -> dict:
    return {
        "name": "sales",
        "nodes": {
            "data": {"input": "input1"},
            "learner": {"module": learner},
            "train": {"module": "Train Model", "parameters": {"Label column": [label]}},
            "model": {"output": "output1"},
        },
        "edges": [
            {"from": "data", "to": "train.Dataset"},
            {"from": "learner", "to": "train.Untrained model"},
            {"from": "train", "to": "model"},
        ],
    }


@pytest.fixture
def sales(tmp_path, monkeypatch):
    """The experiment `sales` below the working directory, with a learner of that task."""
    monkeypatch.chdir(tmp_path)

    def make(task: str) -> str:
        folder = tmp_path / "experiments" / task
        folder.mkdir(parents=True)
        (folder / "training.json").write_text(json.dumps(graph(LEARNERS[task])), encoding="utf-8")
        return task

    return make


@pytest.mark.parametrize("task", LEARNERS)
def test_the_graph_tells_the_task_and_the_label(sales, task):
    """By the learner that feeds the training, and the column that it is trained on as it is."""
    assert aim_of(sales(task)) == Aim(TASKS[task], "price" if task == "regression" else "")


def test_the_flights_are_two_classes_with_todays_default():
    """So that their gate's digest stays."""
    found = settled(GateInputs(), "flights", holdout=False)
    assert (found.task.name, found.gate.rules) == ("two-class", ("auc >= 0.65",))
    assert aim_of("flights").label == "arr_delay >= 15"  # as the graph makes it


@pytest.mark.parametrize("task", TASKS)
def test_a_gate_without_rules_gets_those_of_its_task(task):
    """Each task has its own, and they are none that is doubted."""
    found = settled(GateInputs(task=task), "", holdout=False)
    assert found.gate.rules == TASKS[task].default_rules


def test_a_metric_that_the_task_lacks_is_refused_with_those_it_has(sales):
    """Before anything is trained."""
    with pytest.raises(ConfigurationError) as refused:
        settled(GateInputs(("auc >= 0.6",)), sales("regression"), holdout=False)
    assert refused.value.cause == (
        "gateRules: the rule `auc >= 0.6` asks for auc, and a regression has none; "
        "it has: mae, rmse, rae, rse, r2, rows"
    )
    assert refused.value.remedy == "write it like r2 >= 0"


def test_the_likeliest_is_offered(sales):
    """`macro_recall` of two classes is `recall`."""
    with pytest.raises(ConfigurationError, match=r"did you mean recall\?"):
        settled(GateInputs(("macro_recall >= 0.6",)), sales("two-class"), holdout=False)


@pytest.mark.parametrize(
    ("gate", "metrics", "task"),
    [
        (GateInputs(("rows >= 5",)), {"rmse": 1.0, "r2": 0.1}, "regression"),
        (GateInputs(("rows >= 5",)), {"Overall accuracy": 1.0, "macro_recall": 0.1}, "multiclass"),
        (GateInputs(("rows >= 5",)), {"auc": 1.0, "accuracy": 0.1}, "two-class"),
        (GateInputs(("rmse <= 5",)), None, "regression"),
        (GateInputs(("simplified_silhouette >= 0",)), {}, "clustering"),
        (GateInputs(("rows >= 5",)), None, "two-class"),
        (GateInputs(("rows >= 5",), task="anomaly"), {"auc": 1.0}, "anomaly"),
    ],
)
def test_of_own_code_the_task_is_declared_logged_or_named_by_the_rules(gate, metrics, task):
    """In this order; else it is two classes."""
    assert settled(gate, "", metrics, holdout=False).task.name == task


def test_what_own_code_logs_besides_may_be_asked_for():
    """A metric of another task that its runs have."""
    logged = {"mae": 1.0, "rmse": 2.0, "r2": 0.1, "log_loss": 0.4}
    assert settled(GateInputs(("log_loss <= 1",)), "", logged, holdout=False).task.name == "regression"


def test_a_task_that_is_not_the_graphs_is_refused(sales):
    """The graph is what trains."""
    with pytest.raises(
        ConfigurationError, match=r"'regression' is for regression, and `task` says multiclass"
    ):
        settled(GateInputs(task="multiclass"), sales("regression"), holdout=False)
    with pytest.raises(ConfigurationError, match="task: 'sorting' is not one of two-class, multiclass"):
        GateInputs.parse({"task": "sorting"})


@pytest.mark.parametrize(
    ("task", "label", "wanted"),
    [
        ("two-class", "delay >= 15", Label("delay", ">=", 15.0)),
        ("anomaly", "fraud == 1", AnomalyLabel("fraud", "==", 1.0)),
        ("multiclass", "species", ClassTruth("species")),
        ("multiclass", " a species ", ClassTruth("a species")),
        ("regression", "price", NumberTruth("price")),
    ],
)
def test_the_label_is_written_as_its_task_needs_it(task, label, wanted):
    """A rule for the positive rows, or a column."""
    found = settled(GateInputs(task=task, label=label), "", holdout=True)
    assert found.truth == wanted
    assert type(found.truth) is type(wanted)


def test_a_clustering_has_no_label():
    """Nobody knows the right group."""
    found = settled(GateInputs(task="clustering"), "", holdout=True)
    assert isinstance(found.truth, NoTruth)
    with pytest.raises(ConfigurationError, match="a clustering has no outcome that 'kind' could be"):
        settled(GateInputs(task="clustering", label="kind"), "", holdout=True)


@pytest.mark.parametrize(
    ("task", "label", "words"),
    [
        ("two-class", "", "does not know which of its rows are positive"),
        ("two-class", "delay", "gateLabel: 'delay' does not say which rows"),
        ("regression", "", "does not know which of its columns is the label"),
        ("regression", "price >= 3", "'price >= 3' is a rule, and a regression has no positive rows"),
        ("multiclass", "species == cat", "is a rule, and a multiclass classification has no positive rows"),
    ],
)
def test_a_label_of_another_task_is_refused(task, label, words):
    """With the form that its own has."""
    with pytest.raises(ConfigurationError, match=words):
        settled(GateInputs(task=task, label=label), "", holdout=True)


def test_without_a_label_a_regressions_is_the_column_that_it_is_trained_on(sales):
    """As its graph tells."""
    assert settled(GateInputs(), sales("regression"), holdout=True).truth == NumberTruth("price")


@pytest.mark.parametrize("rule", ["precision at 0.8 >= 0.9", "metrics.py: profit >= 0"])
def test_what_is_measured_on_rows_needs_a_holdout(tmp_path, monkeypatch, rule):
    """A run's own evaluation has no rows."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "metrics.py").write_text("def profit(a, b):\n    return 1\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="is measured on rows, and the gate has no holdout"):
        settled(GateInputs((rule,)), "", holdout=False)
    settled(GateInputs((rule,), label="y == 1"), "", holdout=True)


def test_a_positive_class_of_a_regression_is_refused():
    """It could never be."""
    with pytest.raises(ConfigurationError, match="positiveClass: a regression has no positive class"):
        settled(GateInputs(task="regression", positive_class="late"), "", holdout=False)


def test_the_files_of_functions_are_part_of_the_gate(tmp_path, monkeypatch):
    """By their digests, which another content changes."""
    monkeypatch.chdir(tmp_path)
    digests = []
    for number in (1, 2):
        (tmp_path / "metrics.py").write_text(f"def profit(a, b):\n    return {number}\n", encoding="utf-8")
        gate = GateInputs(("metrics.py:profit >= 0",), label="y == 1")
        digests.append(settled(gate, "", holdout=True).gate.functions["metrics.py: profit"])
    assert len(set(digests)) == 2
