"""Every learner as data: what it answers is what scikit-learn answers, and the same for a row as for a table."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_circles

from graph.data.datasets import Dataset
from graph.errors import InvalidModel, ModuleFailure
from graph.learning.local_tree import LocalTree
from graph.learning.scoring import measured, scored
from graph.learning.training import prepare, train
from graph.learning.untrained import Learner, UntrainedModel
from graph.models import forms
from graph.models.answers import link
from graph.models.features import width
from graph.models.ilearner import TrainedModel
from tests.graph.graphs import BY_NAME

ROOT = Path(__file__).parents[2]
LEARNERS = [name for name, module in BY_NAME.items() if isinstance(module, Learner)]
QUICK = {
    "Number of iterations": 1500,
    "Number of learning iterations": 40,
    "Number of Trees": 10,
    "Number of trees constructed": 10,
}
GOOD = {"binary": ("auc", 0.9), "multiclass": ("overall_accuracy", 0.75), "regression": ("r2", 0.3)}


def untrained(name: str, **given: Any) -> UntrainedModel:
    """The learner with its defaults, quicker where it is slow; made of another one where it needs one."""
    module = BY_NAME[name]
    values = {p.name: QUICK.get(p.name, p.default) for p in module.parameters} | given
    inner = {port.name: untrained("Two-Class Logistic Regression") for port in module.inputs}
    found: UntrainedModel = module.run(inner, values)["Untrained model"]
    return found


def rows(task: str, count: int = 150) -> pd.DataFrame:
    """Numbers with gaps, categories, and a label that depends on them."""
    chance = np.random.default_rng(3)
    x, whole = chance.normal(size=count), chance.integers(0, 6, count)
    group = chance.choice(["a", "b", "c"], count)
    value = 2 * x + (group == "b") + whole / 4
    frame = pd.DataFrame({"x": x, "whole": whole, "group": pd.Categorical(group)})
    frame.loc[::15, "x"] = np.nan
    match task:
        case "binary":
            frame["label"] = np.where(value > 0.5, "yes", "no")
        case "multiclass":
            frame["label"] = np.select([value < -1, value < 1.5], ["low", "mid"], "high")
        case "regression":
            frame["label"] = np.round(np.exp(value / 3), 0)
    return frame


def trained(name: str) -> tuple[TrainedModel, pd.DataFrame]:
    learner = untrained(name)
    frame = rows(learner.task)
    return train(learner, frame, "label" if "label" in frame else None), frame


@pytest.mark.parametrize("name", LEARNERS)
def test_a_learner_trains_repeats_and_answers_a_row_as_a_table(name: str) -> None:
    """Equal training gives equal bytes, these read back as the model, and a row alone gets the same to the last bit."""
    model, frame = trained(name)
    data = model.to_bytes()
    assert trained(name)[0].to_bytes() == data
    read = TrainedModel.from_bytes(data)
    assert read.to_bytes() == data
    together = read.scored(frame)
    assert list(together) == [column for column, _ in read.outputs]
    for at in range(0, len(frame), 11):
        alone = read.scored(frame.iloc[[at]])
        assert all(alone[column][0] == together[column][at] for column in together)
    if model.task in GOOD:
        metric, least = GOOD[model.task]
        assert measured(scored(read, Dataset(frame)))[metric] > least * ("Neural Network R" not in name)


def directly(name: str) -> tuple[Any, np.ndarray[Any, Any], TrainedModel]:
    """The fitted estimator, the matrix that it was fitted to, and the model that was made of it."""
    learner = untrained(name)
    frame = rows(learner.task)
    _, matrix, target, _ = prepare(learner, frame, "label" if "label" in frame else None)
    return learner.fit(matrix, target), matrix, trained(name)[0]


def filled(fitted: Any, matrix: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    found: np.ndarray[Any, Any] = (
        np.where(np.isnan(matrix), fitted.mean, matrix) - fitted.shift
    ) / fitted.scale
    return found


OWN: dict[str, Callable[[Any, Any], Any]] = {
    "Two-Class Decision Forest": lambda f, m: f.forest.predict_proba(m)[:, 1],
    "Two-Class Decision Jungle": lambda f, m: f.forest.predict_proba(m)[:, 1],
    "Multiclass Decision Forest": lambda f, m: f.forest.predict_proba(m),
    "Decision Forest Regression": lambda f, m: f.forest.predict(m),
    "Two-Class Neural Network": lambda f, m: f.model.predict_proba(filled(f, m))[:, 1],
    "Multiclass Neural Network": lambda f, m: f.model.predict_proba(filled(f, m)),
    "Neural Network Regression": lambda f, m: f.model.predict(filled(f, m)),
    "Multiclass Logistic Regression": lambda f, m: f.model.predict_proba(filled(f, m)),
    "Two-Class Averaged Perceptron": lambda f, m: link(f.model.decision_function(filled(f, m)), "logistic"),
    "One-Class Support Vector Machine": lambda f, m: link(
        f.model.decision_function(filled(f, m)) / f.model.intercept_[0], "logistic"
    ),
    "K-Means Clustering": lambda f, m: np.sqrt(
        ((np.where(np.isnan(m), f.mean, m)[:, None] - f.centres) ** 2).sum(axis=2)
    ),
}


@pytest.mark.parametrize("name", OWN)
def test_a_model_as_data_answers_what_scikit_learn_answers(name: str) -> None:
    """To 1e-9, whatever the form."""
    fitted, matrix, model = directly(name)
    assert link(model.raw(matrix), model.link) == pytest.approx(OWN[name](fitted, matrix), abs=1e-9)


SAME = [
    "K-Means Clustering",
    "Two-Class Neural Network",
    "Multiclass Logistic Regression",
    "Poisson Regression",
]
PRINT = f"""
import hashlib
from tests.graph.test_learners import trained
print([hashlib.sha256(trained(name)[0].to_bytes()).hexdigest() for name in {SAME}])
"""


def test_the_number_of_threads_changes_no_model() -> None:
    """Sums that threads share differ in the last digit by their number."""
    said = set()
    for threads in ("1", "3"):
        environment = os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        command = [sys.executable, "-c", PRINT]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        said.add(done.stdout)
    assert len(said) == 1


def test_quantiles_are_those_of_all_leaves_together() -> None:
    """Each leaf has equal weight; the columns are in order, and the middle one is the answer."""
    learner = untrained("Fast Forest Quantile Regression", **{"Quantiles to be estimated": "0.9; 0.1;0.5"})
    frame = rows("regression")
    _, matrix, target, _ = prepare(learner, frame, "label")
    fitted = learner.fit(matrix, target)
    answers = train(learner, frame, "label").scored(frame)
    assert list(answers) == ["Quantile 0.1", "Quantile 0.5", "Quantile 0.9", "Scored Labels"]
    assert answers["Scored Labels"].tolist() == answers["Quantile 0.5"].tolist()
    leaves = [tree.apply(matrix.astype(np.float32)) for tree in fitted.trees]
    for at in (0, 7, 20):
        pool = np.concatenate([values[leaf[at]] for values, leaf in zip(fitted.samples, leaves, strict=True)])
        assert answers["Quantile 0.1"][at] == pytest.approx(np.quantile(pool, 0.1), abs=1e-9)


ARRAYS = [
    "Multiclass Decision Forest",
    "Multiclass Neural Network",
    "One-Class Support Vector Machine",
    "K-Means Clustering",
    "PCA-Based Anomaly Detection",
    "Two-Class Locally-Deep Support Vector Machine",
    "One-vs-All Multiclass",
    "Ordinal Regression",
]


@pytest.mark.parametrize("name", ARRAYS)
def test_damaged_arrays_are_refused_or_still_a_model(name: str) -> None:
    """Whatever byte changes and however much is cut off, a model is refused or scores."""
    model, frame = trained(name)
    columns = width(model.features, model.encoding)
    matrix = np.random.default_rng(0).normal(size=(4, columns))
    scores = len(model.label.classes) if model.task == "multiclass" else len(model.scores) or 1
    chance, refused = random.Random(4), 0
    for turn in range(120):
        damaged = bytearray(model.arithmetic)
        if turn % 2 == 0:
            del damaged[chance.randrange(len(damaged)) :]
        else:
            damaged[chance.randrange(min(len(damaged), 700))] = chance.randrange(256)
        try:
            with np.errstate(all="ignore"):
                forms.load(model.form, bytes(damaged), columns, scores)(matrix)
        except InvalidModel:
            refused += 1
    assert refused >= 40
    assert frame.shape[0]


def test_a_child_that_comes_before_its_parent_is_refused() -> None:
    """A cycle of nodes would never end."""
    from graph.models.arrays import read, write
    from graph.models.forms import forest

    model, _ = trained("Multiclass Decision Forest")
    arrays = read(model.arithmetic, forest.ARRAYS)
    left = arrays["left"].copy()
    left[5] = 0
    with pytest.raises(InvalidModel):
        forms.load("forest", write(arrays | {"left": left}), len(model.features), 3)


def test_a_manifest_and_arithmetic_of_different_forms_are_refused() -> None:
    """The form says which entry the file has."""
    model, _ = trained("Multiclass Decision Forest")
    data = model.to_bytes()
    for wrong in (b"kernel", b"absent", b"onnx01"):
        with pytest.raises(InvalidModel):
            TrainedModel.from_bytes(data.replace(b'"form": "forest"', b'"form": "%s"' % wrong))


@pytest.mark.parametrize(
    ("name", "label", "why"),
    [
        ("Multiclass Logistic Regression", ["a"] * 20, "it needs two or more"),
        ("Two-Class Decision Forest", ["a"] * 20, "it needs two distinct values and has 1 (a)"),
        ("Linear Regression", [3.0] * 20, "all its values are 3"),
        ("Decision Forest Regression", ["a", "b"] * 10, "it is String, not numeric"),
        ("Poisson Regression", [-1.0, 2.0] * 10, "it has negative values"),
        ("Linear Regression", [np.nan] * 20, "is missing or has insufficient number of labeled rows"),
    ],
)
def test_a_label_that_a_learner_cannot_be_trained_on_is_named(name: str, label: list[Any], why: str) -> None:
    """The line names the column and what is wrong with it."""
    frame = pd.DataFrame({"x": range(20), "label": label})
    with pytest.raises(ModuleFailure, match="label") as caught:
        train(untrained(name), frame, "label")
    assert why in caught.value.message


@pytest.mark.parametrize("name", ["Linear Regression", "Two-Class Neural Network", "K-Means Clustering"])
@pytest.mark.parametrize("large", [np.inf, 1e300])
def test_values_that_cannot_be_added_up_are_refused(name: str, large: float) -> None:
    """In a line of its own, not in one of the library's about missing values."""
    learner = untrained(name)
    frame = rows(learner.task, 40)
    frame.loc[3, "x"] = large
    with pytest.raises(ModuleFailure, match="infinite or too large to be added up") as caught:
        train(learner, frame, "label" if "label" in frame else None)
    assert caught.value.code == "0018"


def test_a_learner_of_another_kind_is_refused() -> None:
    """One-vs-All is made of a learner for two classes."""
    module = BY_NAME["One-vs-All Multiclass"]
    with pytest.raises(ModuleFailure, match="Linear Regression is not for two classes") as caught:
        module.run({module.inputs[0].name: untrained("Linear Regression")}, {})
    assert caught.value.code == "0013"


def local_tree(**given: Any) -> LocalTree:
    module = BY_NAME["Two-Class Locally-Deep Support Vector Machine"]
    return LocalTree({each.name: each.default for each in module.parameters} | given)


def test_the_slope_of_a_local_tree_is_that_of_its_loss() -> None:
    """By differences of the mean hinge loss, as the paper has it: shares of the sides, local kernels, linear classifiers."""
    chance = np.random.default_rng(5)
    tree = local_tree(**{"Depth of the tree": 2, "Sigmoid sharpness": 0.7})
    x, signs = chance.normal(size=(9, 3)), chance.choice([-1.0, 1.0], 9)
    weights = chance.normal(size=(3, 3 + 7 + 7)) / 2

    def loss(at: np.ndarray[Any, Any]) -> float:
        values = x @ at
        side, local, linear = np.tanh(1.3 * values[:, :3]), np.tanh(0.7 * values[:, 3:10]), values[:, 10:]
        total = np.zeros(9)
        for node in range(7):
            share, below = np.ones(9), node
            while below:
                above = (below - 1) // 2
                share *= (1 + (1 if below % 2 else -1) * side[:, above]) / 2
                below = above
            total += share * local[:, node] * linear[:, node]
        return float(np.maximum(0, 1 - signs * total).mean())

    found = tree._slope(x, signs, weights, 1.3)
    for row, column in itertools.product(range(3), range(17)):
        step = np.zeros_like(weights)
        step[row, column] = 1e-6
        assert found[row, column] == pytest.approx(
            (loss(weights + step) - loss(weights - step)) / 2e-6, abs=1e-6
        )


def test_a_local_tree_tells_apart_what_no_line_does() -> None:
    """A ring around a disc."""
    x, inside = make_circles(400, noise=0.05, factor=0.4, random_state=0)
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "label": inside})
    weak = dict.fromkeys(("Lambda W", "Lambda Theta", "Lambda Theta Prime"), 0.001)
    for name, given, wanted in (
        ("Two-Class Locally-Deep Support Vector Machine", weak, 0.97),
        ("Two-Class Logistic Regression", {}, 0.4),
    ):
        model = train(untrained(name, **given), frame.iloc[::2], "label")
        accuracy = measured(scored(model, Dataset(frame.iloc[1::2])))["accuracy"]
        assert accuracy >= wanted
    assert accuracy < 0.7
