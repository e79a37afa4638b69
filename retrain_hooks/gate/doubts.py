"""What is doubtful about the rules of a gate: rules that cannot fail, that reward the worse model, or that no model passes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from retrain_hooks.gate.rules import MetricRule

_LOWER_IS_BETTER = ("log_loss",)
_SHARES = ("auc", "accuracy", "precision", "recall", "f1")  # lie between 0 and 1
_COIN = Decimal("0.5")  # of two shares: one of a coin toss is within this of any other


def doubts(rules: Sequence[MetricRule]) -> list[str]:
    """In words, one for each; a gate in doubt is a gate all the same."""
    return [*_alone(rules), *_together(rules)]


def _alone(rules: Sequence[MetricRule]) -> Iterator[str]:
    for rule in rules:
        if _vacuous(rule):
            yield f"the rule `{rule.text}` lets every model through"
        elif _impossible(rule):
            yield f"the rule `{rule.text}` lets no model through"
        elif not _asks_for_better(rule) and not any(
            _asks_for_better(other) for other in rules if other.metric == rule.metric
        ):
            better = "lower" if rule.metric in _LOWER_IS_BETTER else "higher"
            yield f"the rule `{rule.text}` lets the worse models through: a {better} {rule.metric} is better"


def _together(rules: Sequence[MetricRule]) -> Iterator[str]:
    """Pairs of rules that no value meets both."""
    for least in rules:
        for most in rules:
            if (
                least.op in (">=", ">")
                and most.op in ("<=", "<")
                and (least.metric, least.champion) == (most.metric, most.champion)
                and (
                    least.number > most.number
                    or (least.number == most.number and (least.op, most.op) != (">=", "<="))
                )
            ):
                yield f"the rules `{least.text}` and `{most.text}` contradict each other: no model passes"


def _asks_for_better(rule: MetricRule) -> bool:
    return (rule.op in ("<=", "<")) is (rule.metric in _LOWER_IS_BETTER)


def _vacuous(rule: MetricRule) -> bool:
    share = rule.metric in _SHARES
    if rule.champion:
        slack = -rule.number if rule.op in (">=", ">") else rule.number
        return share and slack >= _COIN
    return (rule.op == ">=" and rule.number == 0) or (rule.op == "<=" and share and rule.number == 1)


def _impossible(rule: MetricRule) -> bool:
    if rule.champion:
        return False
    return (rule.op == "<" and rule.number == 0) or (
        rule.op == ">" and rule.metric in _SHARES and rule.number == 1
    )
