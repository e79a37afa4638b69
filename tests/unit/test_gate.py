"""The gate: fails closed, says why in numbers, and understands only what it can judge."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.errors import ConfigurationError
from retrain_hooks.gate import rules as gate
from retrain_hooks.gate.measures import METRICS
from tests.unit.gate_cases import CASES

SHARES = st.floats(0, 1)
OPERATORS = {
    ">=": lambda value, bound: value >= bound,
    ">": lambda value, bound: value > bound,
    "<=": lambda value, bound: value <= bound,
    "<": lambda value, bound: value < bound,
}


@pytest.mark.parametrize("name", CASES)
def test_the_gate(name):
    """Each case's own sentence says what it proves."""
    CASES[name](gate)


@given(st.sampled_from(sorted(OPERATORS)), SHARES, st.decimals(0, 1, places=4))
def test_a_threshold_is_plain_arithmetic(op, value, bound):
    """For every value and bound the rule says what the operator says."""
    found = gate.judge(gate.RuleSet.parse([f"auc {op} {bound:f}"], 0), gate.Evidence({"auc": value}), None)
    assert found.passed is OPERATORS[op](gate.Decimal(repr(value)), bound)


@given(SHARES, SHARES)
def test_a_champion_is_never_replaced_by_a_worse_model(value, best):
    """Under `auc >= champion` what is promoted is at least as good."""
    judged = gate.judge(
        gate.RuleSet.parse(["auc >= champion"], 0),
        gate.Evidence({"auc": value}),
        gate.Evidence({"auc": best}),
    )
    assert judged.passed is (value >= best)


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=5),
    st.floats(allow_nan=True, allow_infinity=True),
    st.lists(st.integers(), max_size=2),
)


@given(st.dictionaries(st.sampled_from([*METRICS, "number_of_examples"]), ANYTHING), ANYTHING, st.booleans())
def test_only_a_finite_number_in_its_range_ever_passes(metrics, best, alone):
    """Whatever an evaluation holds: a pass means that the metric was a sound number, and rows were counted."""
    judged = gate.judge(
        gate.RuleSet.parse(["auc <= champion + 0.9"], 1),
        gate.evaluation(metrics),
        gate.evaluation({"auc": best}),
        alone=alone,
    )
    if judged.passed:
        assert type(metrics["auc"]) is float
        assert math.isfinite(metrics["auc"])
        assert 0 <= metrics["auc"] <= 1
        assert metrics.get("rows", metrics.get("number_of_examples")) >= 1
        assert alone or (type(best) is float and 0 <= best <= 1)


@given(st.text(max_size=30))
def test_any_text_is_a_rule_or_refused(text):
    """No text breaks the parser; what it accepts, it writes back as the same rule."""
    try:
        rule = gate.MetricRule.parse(text)
    except ConfigurationError:
        return
    assert gate.MetricRule.parse(rule.text) == rule


@given(st.lists(SHARES, min_size=1, max_size=5), SHARES)
def test_one_more_rule_never_turns_a_refusal_into_a_pass(bounds, value):
    """Rules only take away."""
    rules = [f"auc >= {gate.Decimal(repr(bound)):f}" for bound in bounds]
    evidence = gate.Evidence({"auc": value})
    all_, fewer = (
        gate.judge(gate.RuleSet.parse(some, 0), evidence, None).passed for some in (rules, rules[:1])
    )
    assert fewer or not all_
