"""Each task is measured on the rows of a holdout as its metrics say, by whatever columns an endpoint answers with."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics as sk

from clients.errors import ConfigurationError, ServiceError
from retrain_hooks.gate.measures import measure
from retrain_hooks.gate.measuring.holdout import Holdout
from retrain_hooks.gate.measuring.labels import Label
from retrain_hooks.gate.measuring.own_metrics import OwnMetric
from retrain_hooks.gate.measuring.truths import ClassTruth, NoTruth, NumberTruth, Truth
from retrain_hooks.gate.rules import Evidence, RuleSet, judge
from tests.unit.fakes import MemoryContainer, OpenGuard

NEAR = 1e-9
RANDOM = np.random.default_rng(7)
ROWS = 2300
CLASSES = ("cat", "dog", "eel")


class Answering:
    """An endpoint that answers a row by its number, in the column `at`."""

    def __init__(self, answer) -> None:
        self.answer = answer

    def score(self, rows):
        assert all("label" not in row for row in rows)
        return [self.answer(int(row["at"])) for row in rows]


def holdout(truth: Truth, labels) -> Holdout:
    data = MemoryContainer("data")
    lines = "".join(f"{at},{label}\n" for at, label in enumerate(labels))
    data.put("holdout.csv", f"at,label\n{lines}".encode())
    return Holdout.read(data, {blob.name: blob.etag for blob in data.list()}, truth)


def measured(truth: Truth, labels, answer, *texts: str, own=None) -> Evidence:
    return holdout(truth, labels).measure(Answering(answer), OpenGuard(), map(measure, texts), own)


def test_a_regression_is_measured_by_its_numbers():
    """As scikit-learn does, over several requests."""
    actual = RANDOM.normal(100, 20, ROWS)
    said = actual + RANDOM.normal(0, 5, ROWS)
    found = measured(NumberTruth("label"), actual, lambda at: {"Scored Labels": str(said[at])}).metrics
    assert found["rmse"] == pytest.approx(math.sqrt(sk.mean_squared_error(actual, said)), abs=NEAR)
    assert found["mae"] == pytest.approx(sk.mean_absolute_error(actual, said), abs=NEAR)
    assert found["r2"] == pytest.approx(sk.r2_score(actual, said), abs=NEAR)
    assert found["rows"] == ROWS


def answer_of(chances):
    def answer(at: int) -> dict[str, str]:
        named = {
            f'Scored Probabilities for Class "{name}"': str(chances[at, number])
            for number, name in enumerate(CLASSES)
        }
        return {**named, "Scored Labels": CLASSES[chances[at].argmax()]}

    return answer


def test_several_classes_are_measured_by_labels_and_probabilities():
    """As scikit-learn does."""
    actual = RANDOM.choice(CLASSES, ROWS)
    chances = RANDOM.dirichlet(np.ones(3), ROWS)
    said = np.array(CLASSES)[chances.argmax(axis=1)]
    found = measured(ClassTruth("label"), actual, answer_of(chances)).metrics
    assert found["overall_accuracy"] == pytest.approx(sk.accuracy_score(actual, said), abs=NEAR)
    assert found["macro_recall"] == pytest.approx(sk.recall_score(actual, said, average="macro"), abs=NEAR)
    assert found["log_loss"] == pytest.approx(sk.log_loss(actual, chances, labels=list(CLASSES)), abs=NEAR)


def test_classes_that_are_numbers_are_the_same_however_they_are_written():
    """1 and 1.0 are one class, true and True another."""
    found = measured(
        ClassTruth("label"), ["1", "2.0", "true"], lambda at: {"Scored Labels": ("1.0", "2", "True")[at]}
    )
    assert found.metrics["overall_accuracy"] == 1


def test_a_class_that_the_holdout_lacks_makes_no_average_over_classes():
    """The metrics of all rows alike stay."""
    chances = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1]])
    found = measured(ClassTruth("label"), ["cat", "dog"], answer_of(chances))
    verdict = judge(RuleSet.parse(["macro_recall >= 0.1", "overall_accuracy >= 1"]), found, None)
    assert [ruling.passed for ruling in verdict.rulings] == [True, False, True]
    assert "no row of the holdout is of the class 'eel', which the model knows" in verdict.reason


def test_a_class_that_the_model_does_not_know_has_no_probability():
    """It is wrong all the same."""
    chances = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.1, 0.8], [0.5, 0.2, 0.3]])
    found = measured(ClassTruth("label"), ["cat", "dog", "eel", "fox"], answer_of(chances))
    assert found.metrics["overall_accuracy"] == 0.75
    assert "does not know the holdout's class 'fox'" in found.undefined["log_loss"]


def test_without_probabilities_there_is_no_log_loss():
    """A model of a team's own code may answer with classes only."""
    found = measured(ClassTruth("label"), ["a", "b"], lambda at: {"Scored Labels": "ab"[at]})
    assert found.metrics["macro_recall"] == 1
    assert "Scored Probabilities for Class" in found.undefined["log_loss"]


def test_a_clustering_is_measured_by_its_distances():
    """Which cluster is right nobody knows."""
    distances = RANDOM.random((ROWS, 4))
    at = distances.argmin(axis=1)

    def answer(row: int) -> dict[str, str]:
        named = {f"DistancesToClusterCenter no.{n}": str(d) for n, d in enumerate(distances[row])}
        return {"Assignments": str(at[row]), **named}

    data = MemoryContainer("data")
    data.put("holdout.csv", ("at\n" + "".join(f"{row}\n" for row in range(ROWS))).encode())
    rows = Holdout.read(data, {blob.name: blob.etag for blob in data.list()}, NoTruth())
    found = rows.measure(Answering(answer), OpenGuard()).metrics
    assert found["average_distance_to_cluster_center"] == pytest.approx(distances.min(axis=1).mean())
    assert 0 < found["simplified_silhouette"] < 1
    assert found["rows"] == ROWS


@pytest.mark.parametrize(
    ("truth", "labels", "answer", "words"),
    [
        (NumberTruth("label"), "12", {"Scored Labels": "nan"}, "2 of 2 answers are no finite number"),
        (
            ClassTruth("label"),
            "ab",
            {"Scored Labels": "a", 'Scored Probabilities for Class "a"': "1.5"},
            "2 of 2",
        ),
        (
            NoTruth(),
            "12",
            {"Assignments": "3", "DistancesToClusterCenter no.0": "1"},
            "2 of 2 answers name no cluster",
        ),
    ],
)
def test_answers_that_are_nonsense_refuse_the_model(truth, labels, answer, words):
    """The model's verdict, which can be kept."""
    found = holdout(truth, labels).measure(_Saying(answer), OpenGuard())
    assert words in found.problem


class _Saying:
    def __init__(self, answer) -> None:
        self.answer = answer

    def score(self, rows):
        return [self.answer for _row in rows]


@pytest.mark.parametrize(
    ("truth", "answer", "words"),
    [
        (NumberTruth("label"), {"Scored Labels": "cheap"}, "no 'Scored Labels' that can be used"),
        (NumberTruth("label"), {}, "no 'Scored Labels' that can be used"),
        (ClassTruth("label"), {"Scored Probabilities": "1"}, "no 'Scored Labels' that can be used"),
        (NoTruth(), {"Assignments": "0"}, "no 'DistancesToClusterCenter no.0'"),
        (NoTruth(), {"DistancesToClusterCenter no.0": "1"}, "no 'Assignments'"),
    ],
)
def test_an_answer_of_another_task_is_an_error(truth, answer, words):
    """Nothing is concluded from it."""
    with pytest.raises(ServiceError, match=words):
        holdout(truth, "12").measure(_Saying(answer), OpenGuard())


def test_a_label_that_is_no_number_is_refused_with_its_line():
    """As training refuses it."""
    with pytest.raises(ConfigurationError, match=r"'dear' in the column 'label', line 3"):
        holdout(NumberTruth("label"), ["1", "dear"])


def test_a_label_that_never_changes_tells_no_share_of_its_spread():
    """The errors themselves are numbers."""
    found = measured(NumberTruth("label"), "333", lambda _at: {"Scored Labels": "4"})
    verdict = judge(RuleSet.parse(["rmse <= 2", "r2 >= -1"]), found, None)
    assert not verdict.passed
    assert verdict.reason == "label is the same in all rows of the holdout (`r2 >= -1`)"


def test_a_threshold_of_ones_own_calls_other_rows_positive():
    """Those of that probability and more, for candidate and champion alike."""
    chance = [0.9, 0.7, 0.6, 0.4]
    found = measured(
        Label.parse("label >= 1"),
        [1, 0, 1, 0],
        lambda at: {"Scored Labels": str(int(chance[at] >= 0.5)), "Scored Probabilities": str(chance[at])},
        "precision at 0.8",
        "recall at 0.8",
        "precision at 0.6",
    ).metrics
    assert found["precision"] == pytest.approx(2 / 3)
    assert (found["precision at 0.8"], found["recall at 0.8"]) == (1, 0.5)
    assert found["precision at 0.6"] == pytest.approx(2 / 3)


def test_a_function_of_ones_own_sees_the_rows_with_what_happened(tmp_path):
    """The label's cell as it is written, and the answers."""
    (tmp_path / "metrics.py").write_text(
        "def profit(actual, scored, rows, scores):\n"
        "    assert [row['label'] for row in rows] == ['20', '3']\n"
        "    assert [row['at'] for row in rows] == ['0', '1']\n"
        "    return sum(a * s for a, s in zip(actual, scored)) + (scores is None)\n",
        encoding="utf-8",
    )
    own = {"metrics.py: profit": OwnMetric.find("metrics.py", "profit", "", tmp_path)}
    found = measured(
        NumberTruth("label"),
        ["20", "3"],
        lambda at: {"Scored Labels": str(2 + at)},
        "metrics.py: profit",
        own=own,
    )
    assert found.metrics["metrics.py: profit"] == 20 * 2 + 3 * 3 + 1
