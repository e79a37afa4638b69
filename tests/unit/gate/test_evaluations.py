"""What a run's own evaluation says is read for every task, by the titles that Studio gives its metrics."""

from __future__ import annotations

import pytest

from graph.modules import find, names
from graph.needs import comparison, task_of
from retrain_hooks.gate.doubts import doubts
from retrain_hooks.gate.rules import MetricRule, RuleSet, evaluation, judge
from retrain_hooks.serving.probe import Look, look, shift
from retrain_hooks.training.evaluation import read_metrics
from tasks import ROWS, TASKS
from tests.graph.graphs import FLIGHTS, edited, learner, set_
from tests.unit.fakes import ManualClock


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_each_title_becomes_the_name_that_rules_use(task):
    """Whatever the order, and whatever stands beside them."""
    titles = [one.title for one in task.metrics]
    text = ",".join(["True Positive", *titles]) + "\n" + ",".join(["7", *["0.5"] * len(titles)]) + "\n"
    found = read_metrics(text.encode())
    assert found.pop("true_positive") == 7
    assert found.pop("number_of_examples") == 0.5
    assert set(found) == {one.name for one in task.metrics} - {ROWS.name}
    assert judge(
        RuleSet.parse([f"{one} >= 0.5" for one in found]), evaluation(found | {"rows": 9}), None
    ).passed


def test_of_clusters_all_rows_together_are_judged():
    """Whichever row that is."""
    head = "Result Description,Average Distance to Cluster Center,Number of Points"
    text = f"{head}\nEvaluation For Cluster No.0,1,5\nCombined Evaluation,3,20\nEvaluation For Cluster No.1,4,15\n"
    assert read_metrics(text.encode()) == {"average_distance_to_cluster_center": 3, "rows": 20}


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ("rmse >= 80", "a lower rmse is better"),
        ("rmse >= champion", "a lower rmse is better"),
        ("r2 <= 0.5", "a higher r2 is better"),
        ("mae >= 0", "lets every model through"),
        ("mae < 0", "lets no model through"),
        ("r2 > 1", "lets no model through"),
        ("simplified_silhouette >= -1", "lets every model through"),
        ("simplified_silhouette >= champion - 1", "lets every model through"),
        ("rmse <= 10; rmse >= 20", "contradict each other"),
        ("metrics.py: profit >= 10; metrics.py: profit <= 5", "contradict each other"),
        ("precision at 0.8 <= 0.9", "a higher precision at 0.8 is better"),
    ],
)
def test_a_doubtful_rule_of_any_task_is_warned_of(rules, words):
    """By the direction and the range of its metric."""
    assert words in "; ".join(doubts([MetricRule.parse(rule) for rule in rules.split("; ")]))


@pytest.mark.parametrize(
    "rule",
    [
        "rmse <= 80",
        "rmse <= champion + 5",
        "r2 >= -0.5",
        "metrics.py: profit <= 3",
        "metrics.py: profit >= champion",
    ],
)
def test_a_rule_that_is_meant_is_not_doubted(rule):
    """Of a function of one's own nobody knows what is better."""
    assert doubts([MetricRule.parse(rule)]) == []


def test_every_learner_is_of_the_task_of_its_room():
    """The graph tells the task by it."""
    found = {}
    for name in names():
        module = find(name)
        task = getattr(module, "task", None)
        if task and not module.trains and not module.inputs:
            found[name] = ("two-class" if task == "binary" else task, task_of(learner(name)))
    assert len(found) > 20
    assert all(declared == told for declared, told in found.values()), found


def test_the_comparison_that_makes_the_label_is_told():
    """Only where it is what the label is, and no parameter sets it."""
    assert comparison(FLIGHTS) == "arr_delay >= 15"
    assert comparison(edited(set_("late", "Comparison function", "LessThan"))) == "arr_delay < 15"
    assert comparison(edited(set_("late", "Category", "Operations"))) == ""
    assert comparison(learner("Linear Regression")) == ""
    linked = {
        "Late": {
            "type": "Float",
            "default": "15",
            "links": [{"node": "late", "parameter": "Constant value to compare"}],
        }
    }
    assert comparison(edited(lambda d: d.update(parameters={**d.get("parameters", {}), **linked}))) == ""


def scored(*rows: dict[str, str]) -> Look:
    class Endpoint:
        def score(self, _rows):
            return list(rows)

    return look(Endpoint, [{}] * len(rows), ManualClock())


def test_a_shift_is_told_of_every_task():
    """Of probabilities of each class, of numbers, of distances; of classes alone it is not known."""

    def chances(one: float) -> dict[str, str]:
        name = "Scored Probabilities for Class"
        return {f'{name} "a"': str(one), f'{name} "b"': str(1 - one), "Scored Labels": "a"}

    assert scored(chances(0.9), chances(0.2)).scores == pytest.approx((0.9, 0.1, 0.2, 0.8))
    assert shift(scored(chances(0.9)).scores, scored(chances(0.6)).scores) == pytest.approx(0.3)
    assert scored({"Scored Labels": "17.5"}).scores == (17.5,)
    distances = {
        "Assignments": "1",
        "DistancesToClusterCenter no.0": "2",
        "DistancesToClusterCenter no.1": "1",
    }
    assert scored(distances).scores == (2, 1)
    assert scored({"Scored Labels": "cat"}).scores == ()
