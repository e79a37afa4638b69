"""Each task's metrics are scikit-learn's own, within their declared ranges, whatever the rows."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances

from tasks import TASKS, Outcome, by_title, metric

NEAR = 1e-9
rows = st.integers(3, 40)


@st.composite
def outcomes(draw, task):
    count, seed = draw(rows), draw(st.integers(0, 2**31))
    random = np.random.default_rng(seed)
    if task == "regression":
        return Outcome(random.normal(size=count), random.normal(size=count))
    if task == "multiclass":
        classes = ("cat", "dog", "eel", "fox")[: draw(st.integers(3, 4))]
        scores = random.dirichlet(np.ones(len(classes)), size=count)
        return Outcome(
            np.array(classes)[scores.argmax(axis=1)], random.choice(classes, count), scores, classes
        )
    if task == "clustering":
        points = random.normal(size=(count, 2))
        found = KMeans(3, n_init=1, random_state=0).fit(points)
        return Outcome(found.labels_, None, found.transform(points))
    scores = random.random(count)
    return Outcome(scores >= 0.5, random.random(count) >= 0.5, scores)


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
@given(data=st.data())
def test_a_metric_lies_in_its_range_or_is_not_defined(task, data):
    measured = task.measure(data.draw(outcomes(task.name)))
    assert set(measured) == {each.name for each in task.metrics}
    for each in task.metrics:
        value = measured[each.name]
        assert math.isnan(value) or each.lowest - NEAR <= value <= each.highest + NEAR, each.name


@given(outcome=outcomes("regression"))
def test_regression_is_scikit_learns(outcome):
    measured, pair = TASKS["regression"].measure(outcome), (outcome.actual, outcome.predicted)
    assert measured["mae"] == pytest.approx(sk.mean_absolute_error(*pair), rel=NEAR)
    assert measured["rmse"] == pytest.approx(sk.root_mean_squared_error(*pair), rel=NEAR)
    assert measured["r2"] == pytest.approx(sk.r2_score(*pair), rel=NEAR, abs=NEAR)
    assert measured["rse"] == pytest.approx(1 - sk.r2_score(*pair), rel=NEAR, abs=NEAR)


@given(outcome=outcomes("multiclass"))
def test_multiclass_is_scikit_learns(outcome):
    measured, pair = TASKS["multiclass"].measure(outcome), (outcome.actual, outcome.predicted)
    assert measured["micro_precision"] == pytest.approx(sk.precision_score(*pair, average="micro"))
    assert measured["micro_recall"] == pytest.approx(sk.recall_score(*pair, average="micro"))
    binary = [sk.accuracy_score(pair[0] == name, pair[1] == name) for name in outcome.classes]
    assert measured["average_accuracy"] == pytest.approx(np.mean(binary), rel=NEAR)
    assert measured["log_loss"] == pytest.approx(
        sk.log_loss(pair[0], outcome.scores, labels=list(outcome.classes)), rel=NEAR
    )


def test_a_class_that_the_model_does_not_know_has_an_infinite_log_loss():
    outcome = Outcome(
        np.array(["a", "b"]), np.array(["a", "z"]), np.array([[0.9, 0.1], [0.2, 0.8]]), ("a", "b")
    )
    assert TASKS["multiclass"].measure(outcome)["log_loss"] == math.inf


@given(outcome=outcomes("two-class"))
def test_one_class_alone_has_no_auc(outcome):
    alone = Outcome(outcome.predicted, np.zeros(len(outcome.predicted), dtype=bool), outcome.scores)
    assert math.isnan(TASKS["two-class"].measure(alone)["auc"])


def test_clusters_are_measured_by_their_centres():
    points = np.array([[0.0], [1.0], [10.0], [12.0]])
    centres = np.array([[0.5], [11.0]])
    measured = TASKS["clustering"].measure(
        Outcome(np.array([0, 0, 1, 1]), None, pairwise_distances(points, centres))
    )
    assert measured["average_distance_to_cluster_center"] == pytest.approx(0.75)
    assert measured["average_distance_to_other_center"] == pytest.approx((11 + 10 + 9.5 + 11.5) / 4)
    assert measured["maximal_distance_to_cluster_center"] == 1.0
    assert 0.9 < measured["simplified_silhouette"] < 1


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_metrics_are_found_by_name_and_by_the_title_that_studio_gives_them(task):
    for each in task.metrics:
        assert metric(each.name) == each
        assert by_title(each.title.upper()) == each.name
    assert metric("charm") is by_title("Charm") is None
