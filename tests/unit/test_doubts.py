"""Rules that cannot fail, reward the worse model or contradict each other are warned of in the preview."""

from __future__ import annotations

import pytest

from clients.errors import ConfigurationError, JobFailed
from retrain_hooks.gate.inputs import AWAITING, PASSED
from retrain_hooks.training.evaluation import read_metrics
from tests.unit.promotion_world import World, key

DOUBTFUL = {
    "auc >= 0": "every model",
    "auc <= 1": "every model",
    "rows >= 0": "every model",
    "auc >= champion - 0.9999": "every model",
    "auc > champion - 0.5": "every model",
    "recall <= champion + 0.8": "every model",
    "auc > 1": "no model",
    "log_loss < 0": "no model",
    "auc <= 0.65": "a higher auc is better",
    "auc < champion": "a higher auc is better",
    "rows <= 100": "a higher rows is better",
    "log_loss >= 0.2": "a lower log_loss is better",
    "auc >= 0.9; auc <= 0.8": "`auc >= 0.9` and `auc <= 0.8` contradict",
    "auc > 0.8; auc <= 0.8": "contradict",
    "auc >= champion + 0.1; auc < champion": "contradict",
}
MEANT = (
    "auc >= 0.65",
    "auc >= champion",
    "auc >= champion - 0.01",
    "auc >= 0.6; auc <= 0.99",
    "log_loss <= 0.6",
    "auc >= 0.8; auc <= 0.8",
    "log_loss <= champion + 0.9",
    "auc >= 0.8; recall <= 0.99; recall >= 0.2",
)


def told(rules: str) -> list[str]:
    world = World()
    world.trained("new", 0.9, recall=0.5, log_loss=0.3)
    world.preview(world.props(rules=tuple(rules.split("; ")), onRejected="hold"))
    return [line for line in world.told.lines if "warning" in line]


@pytest.mark.parametrize("rules", DOUBTFUL)
def test_a_doubtful_rule_is_warned_of(rules):
    """With the rule; the gate is judged by it all the same."""
    (line,) = told(rules)
    assert DOUBTFUL[rules] in line


@pytest.mark.parametrize("rules", MEANT)
def test_a_rule_that_is_meant_is_not(rules):
    """Bounds on both sides among them: too good may be a leak."""
    assert told(rules) == []


@pytest.mark.parametrize(
    "given", ["1", "abcdef", "g" * 7, "ABCDEF0", "0" * 65, " 1234567", "1234567\n", "0x12345"]
)
def test_what_is_no_run_key_is_refused(given):
    """Seven digits are the least, of hexadecimal ones as keys are written."""
    world = World()
    with pytest.raises(ConfigurationError, match="is not a run key"):
        world.preview(world.props(approve=given, approval=True))


def test_an_approval_of_another_run_says_so():
    """With what was approved, and what waits."""
    world = World()
    world.trained("new", 0.9)
    assert world.up(world.props(approval=True, approve="abcdef0"))["verdict"] == AWAITING
    assert f"`approve` is abcdef0, which is another run: set it to {key('new')}" in world.told.lines[-1]
    assert world.up(world.props(approval=True, approve=key("new")[:7]))["verdict"] == PASSED


@pytest.mark.parametrize("head", ["AUC,AUC", "AUC,auc", "F-Score,F1 Score", "AUC, AUC ", "Log Loss,log_loss"])
def test_an_evaluation_that_names_a_metric_twice_is_refused(head):
    """Whichever were taken, it might be the other's."""
    with pytest.raises(JobFailed, match="evaluation"):
        read_metrics(f"{head}\n0.5,0.9\n".encode())
