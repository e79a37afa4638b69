"""Choosing and judging models: sweeps, folds, importance, and the evaluation of every task."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from graph import run
from graph.columns import ColumnSelection
from graph.data.datasets import Dataset
from graph.definition import parse_experiment
from graph.errors import ModuleError, ModuleFailure
from graph.learning.scoring import scored
from graph.learning.training import train
from graph.learning.untrained import MODE, RANGE
from graph.models.ilearner import TrainedModel
from tests.graph.graphs import BY_NAME
from tests.graph.test_learners import rows, untrained

LABEL = ColumnSelection.of("label")


def called(module: str, inputs: dict[str, Any], **given: Any) -> dict[str, Any]:
    """A module run with its defaults and these parameters, blanks of whose names are written as `_`."""
    values = {p.name: p.default for p in BY_NAME[module].parameters}
    values |= {name.replace("_", " "): value for name, value in given.items()}
    return dict(BY_NAME[module].run(inputs, values))


def forest(**ranges: Any) -> Any:
    return untrained("Two-Class Decision Forest", **{MODE.name: RANGE}, **ranges)


GRID = {
    "Number of decision trees range": (1, 8),
    "Maximum depth of the decision trees range": (1, 16),
    "Number of random splits per node range": (128,),
    "Minimum number of samples per leaf node range": (1,),
}


def test_the_best_of_a_grid_is_trained_and_every_combination_is_listed() -> None:
    """Judged on the validation dataset; the best model is that which its own parameters train."""
    frame, other = rows("binary", 200), rows("binary", 300)[200:]
    inputs = {
        "Untrained model": forest(**GRID),
        "Training dataset": Dataset(frame),
        "Validation dataset": Dataset(other),
    }
    found = called(
        "Tune Model Hyperparameters",
        inputs,
        Label_column=LABEL,
        Specify_parameter_sweeping_mode="Entire grid",
        Metric_for_measuring_performance_for_classification="Average Log Loss",
    )
    sweep = found["Sweep results"].frame
    assert len(sweep) == 4
    assert sweep["Average Log Loss"].is_monotonic_increasing
    best = {name.removesuffix(" range"): int(sweep[name.removesuffix(" range")][0]) for name in GRID}
    again = train(untrained("Two-Class Decision Forest", **best), frame, "label")
    assert found["Trained best model"].to_bytes() == again.to_bytes()
    probability = again.scored(other)["Scored Probabilities"]
    assert sweep["Average Log Loss"][0] == pytest.approx(
        sk.log_loss(other["label"] == "yes", probability), abs=1e-9
    )


def test_a_random_sweep_draws_as_many_as_asked_and_the_same_by_the_same_seed() -> None:
    """Over folds, when there is no validation dataset."""
    inputs = {"Untrained model": forest(), "Training dataset": Dataset(rows("binary", 60))}
    given = {"Label_column": LABEL, "Maximum_number_of_runs_on_random_sweep": 2}
    first, second = (called("Tune Model Hyperparameters", inputs, **given) for _ in range(2))
    assert len(first["Sweep results"].frame) == 2
    assert first["Sweep results"].frame.equals(second["Sweep results"].frame)


def test_a_learner_without_ranges_is_judged_and_trained() -> None:
    """Single Parameter is a grid of one."""
    model = untrained("Linear Regression")
    assert (model.combinations, model.combination(0)[0]) == (1, {})


def test_every_combination_is_there_once() -> None:
    """By their numbers, in the order of the ranges."""
    model = forest(**GRID)
    found = [tuple(model.combination(at)[0].values()) for at in range(model.combinations)]
    assert found == [(1, 1, 128, 1), (1, 16, 128, 1), (8, 1, 128, 1), (8, 16, 128, 1)]


@pytest.mark.parametrize(("task", "learner"), [("binary", "Two-Class"), ("multiclass", "Multiclass")])
def test_every_row_is_scored_by_a_model_that_has_not_seen_it(task: str, learner: str) -> None:
    """Ten folds with the classes alike in each; metrics of each, then mean and standard deviation."""
    frame = rows(task, 120)
    inputs = {"Untrained model": untrained(f"{learner} Decision Forest"), "Dataset": Dataset(frame)}
    found = called("Cross Validate Model", inputs, Label_column=LABEL)
    results, evaluation = found["Scored results"].frame, found["Evaluation results by fold"].frame
    assert results.index.tolist() == frame.index.tolist()
    shares = results.groupby("Fold Assignments")["label"].value_counts().unstack().fillna(0)
    assert (shares.max() - shares.min() <= 1).all()
    fold = results["Fold Assignments"] == 3
    alone = train(inputs["Untrained model"], frame[~fold], "label").scored(frame[fold])
    assert alone["Scored Labels"].tolist() == results["Scored Labels"][fold].tolist()
    assert evaluation["Fold Number"].tolist() == [*map(str, range(10)), "Mean", "Standard Deviation"]
    title = "Accuracy" if task == "binary" else "Overall accuracy"
    right = float((results["Scored Labels"] == results["label"])[fold].mean())
    assert evaluation[title][3] == pytest.approx(right, abs=1e-9)
    assert evaluation[title][10] == pytest.approx(evaluation[title][:10].mean(), abs=1e-9)


def test_folds_that_were_assigned_before_are_kept() -> None:
    """Partition and Sample says which rows are in which."""
    halves = (np.arange(0, 60, 2), np.arange(1, 60, 2))
    dataset = Dataset(rows("regression", 60), folds=halves)
    found = called(
        "Cross Validate Model",
        {"Untrained model": untrained("Linear Regression"), "Dataset": dataset},
        Label_column=LABEL,
    )
    assert found["Scored results"].frame["Fold Assignments"].tolist() == [0, 1] * 30


def test_fewer_rows_than_folds_are_refused() -> None:
    """The line says how many there are of both."""
    inputs = {"Untrained model": untrained("Linear Regression"), "Dataset": Dataset(rows("regression", 9))}
    with pytest.raises(ModuleFailure, match="9 rows with a label for 10 folds") as caught:
        called("Cross Validate Model", inputs, Label_column=LABEL)
    assert caught.value.code == "0021"


@pytest.mark.parametrize("metric", ["Classification - Accuracy", "Classification - Average Log Loss"])
def test_what_the_model_needs_is_most_important(metric: str) -> None:
    """A column that the label does not depend on scores about nothing, in either direction of the metric."""
    frame = rows("binary", 300).assign(noise=np.random.default_rng(1).normal(size=300))
    model = train(untrained("Two-Class Logistic Regression"), frame, "label")
    found = called(
        "Permutation Feature Importance",
        {"Trained model": model, "Test data": Dataset(frame)},
        Metric_for_measuring_performance=metric,
    )
    table = found["Feature importance"].frame
    assert table["Feature"][0] == "x"
    assert abs(table.set_index("Feature")["Score"]["noise"]) < 0.02 < table["Score"][0]


def test_a_metric_of_another_task_is_refused() -> None:
    """The importance for a number is not measured in accuracy."""
    frame = rows("regression")
    model = train(untrained("Linear Regression"), frame, "label")
    with pytest.raises(ModuleFailure, match="the model is for regression"):
        called("Permutation Feature Importance", {"Trained model": model, "Test data": Dataset(frame)})


def evaluated(
    name: str, frame: pd.DataFrame, label: str | None = "label"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Evaluate Model's rows for a model of that learner, and what was scored."""
    dataset = scored(train(untrained(name), frame, label), Dataset(frame))
    inputs = {"Scored dataset": dataset}
    return called("Evaluate Model", inputs)["Evaluation results"].frame, dataset.frame


def test_several_classes_are_evaluated_as_scikit_learn_does() -> None:
    """To 1e-9."""
    found, answers = evaluated("Multiclass Logistic Regression", rows("multiclass"))
    actual, predicted = answers["label"], answers["Scored Labels"]
    chances = answers[[f'Scored Probabilities for Class "{one}"' for one in ("high", "low", "mid")]]
    own = {
        "Overall accuracy": sk.accuracy_score(actual, predicted),
        "Macro-averaged precision": sk.precision_score(actual, predicted, average="macro"),
        "Macro-averaged recall": sk.recall_score(actual, predicted, average="macro"),
        "Average Log Loss": sk.log_loss(actual, chances.to_numpy()),
    }
    assert {title: found[title][0] for title in own} == pytest.approx(own, abs=1e-9)


def test_clusters_are_evaluated_together_and_each() -> None:
    """Distances are those of the rows to the centres that the columns say."""
    found, answers = evaluated("K-Means Clustering", rows("clustering"), None)
    names = ["Combined Evaluation", "Evaluation For Cluster No.0", "Evaluation For Cluster No.1"]
    assert found["Result description"].tolist() == names
    distances = answers[["DistancesToClusterCenter no.0", "DistancesToClusterCenter no.1"]]
    assert found["Average Distance to Cluster Center"][0] == pytest.approx(distances.min(axis=1).mean())
    assert found["Number of examples"][0] == found["Number of examples"][1:].sum() == len(answers)
    assert answers["Assignments"].tolist() == distances.to_numpy().argmin(axis=1).tolist()


@pytest.mark.parametrize("name", ["PCA-Based Anomaly Detection", "One-Class Support Vector Machine"])
def test_anomalies_are_found_and_measured_where_there_is_a_label(name: str) -> None:
    """Rows of another kind score higher; without a label the evaluation says that there is none."""
    chance = np.random.default_rng(2)
    usual = chance.normal(size=(200, 1)) @ np.array([[1.0, 2.0, -1.0]]) + chance.normal(size=(200, 3)) / 10
    frame = pd.DataFrame(np.vstack([usual, chance.normal(size=(12, 3)) * 4]), columns=["a", "b", "c"])
    frame["label"] = [0] * 200 + [1] * 12
    found, answers = evaluated(name, frame)
    assert found["AUC"][0] == pytest.approx(sk.roc_auc_score(frame["label"], answers["Scored Probabilities"]))
    assert found["AUC"][0] > 0.9
    with pytest.raises(ModuleFailure, match="the model was trained without one") as caught:
        evaluated(name, frame[["a", "b", "c"]], None)
    assert caught.value.code == "0024"


def graph(learner: str, trainer: str, scorer: str, **parameters: Any) -> Any:
    """Data through a learner's trainer and a scoring module: the model and the scored rows."""
    return parse_experiment(
        {
            "name": "g",
            "nodes": {
                "data": {"input": "input1"},
                "learner": {"module": learner},
                "train": {"module": trainer, "parameters": parameters},
                "score": {"module": scorer},
                "model": {"output": "model"},
                "rows": {"output": "rows"},
            },
            "edges": [
                {"from": "data", "to": "train.Dataset"},
                {"from": "data", "to": "score.Dataset"},
                {"from": "learner", "to": "train.Untrained model"},
                {"from": "train.Trained model", "to": "score.Trained model"},
                {"from": "train.Trained model", "to": "model"},
                {"from": "score", "to": "rows"},
            ],
        }
    )


def test_clusters_and_anomalies_are_trained_by_their_modules() -> None:
    """Through a whole graph; the model that comes out says the same of the rows."""
    frame = rows("clustering").drop(columns="group")
    for parts in (
        ("K-Means Clustering", "Train Clustering Model", "Assign Data to Clusters"),
        ("PCA-Based Anomaly Detection", "Train Anomaly Detection Model", "Score Model"),
    ):
        outputs: dict[str, Any] = run(graph(*parts), {"input1": frame})
        again = TrainedModel.from_bytes(outputs["model"]).scored(frame)
        assert all(outputs["rows"][name].tolist() == again[name].tolist() for name in again)


@pytest.mark.parametrize(
    ("learner", "trainer", "why"),
    [
        ("K-Means Clustering", "Train Model", "is trained by Train Clustering Model"),
        ("PCA-Based Anomaly Detection", "Train Model", "is trained by Train Anomaly Detection Model"),
        ("Linear Regression", "Train Clustering Model", "Linear Regression does not find clusters"),
        ("Linear Regression", "Train Anomaly Detection Model", "Linear Regression does not find anomalies"),
    ],
)
def test_a_learner_of_another_trainer_is_refused(learner: str, trainer: str, why: str) -> None:
    """Studio's 0013, before anything is trained."""
    parameters = {"Label column": "x"} if trainer == "Train Model" else {}
    with pytest.raises(ModuleError, match=why) as caught:
        run(graph(learner, trainer, "Score Model", **parameters), {"input1": rows("clustering")})
    assert caught.value.code == "0013"


def test_fewer_rows_than_clusters_are_refused() -> None:
    """Before the search for centres."""
    frame = rows("clustering", 1)
    with pytest.raises(ModuleError, match="1 rows for 2 clusters"):
        run(graph("K-Means Clustering", "Train Clustering Model", "Score Model"), {"input1": frame})
