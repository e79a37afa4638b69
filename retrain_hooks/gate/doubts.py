"""What is doubtful about the rules of a gate: rules that cannot fail, that reward the worse model, or that no model passes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from retrain_hooks.gate.rules import MetricRule


def doubts(rules: Sequence[MetricRule]) -> list[str]:
    """In words, one for each; a gate in doubt is a gate all the same."""
    return [*_alone(rules), *_together(rules)]


def _alone(rules: Sequence[MetricRule]) -> Iterator[str]:
    for rule in rules:
        if _vacuous(rule):
            yield f"the rule `{rule.text}` lets every model through"
        elif _impossible(rule):
            yield f"the rule `{rule.text}` lets no model through"
        elif not rule.measure.function and not any(
            _asks_for_better(other) for other in rules if other.metric == rule.metric
        ):
            better = rule.measure.metric.better or "higher"
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
    return (rule.op in ("<=", "<")) is (rule.measure.metric.better == "lower")


def _vacuous(rule: MetricRule) -> bool:
    metric = rule.measure.metric
    if rule.champion:
        slack = -rule.number if rule.op in (">=", ">") else rule.number
        # Of two shares: one of a coin toss is within half of their span of any other.
        return metric.share and 2 * slack >= metric.highest - metric.lowest
    return rule.number == {">=": metric.lowest, "<=": metric.highest}.get(rule.op)


def _impossible(rule: MetricRule) -> bool:
    metric = rule.measure.metric
    end = {"<": metric.lowest, ">": metric.highest}.get(rule.op)
    return not rule.champion and rule.number == end
