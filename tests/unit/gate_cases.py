"""What the gate must do, case by case: run against the gate itself, and against each of its mutants.

A case takes the gate's module, so that the same words judge both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from clients.errors import ConfigurationError
from retrain_hooks.gate.measures import METRICS

Case = Callable[[ModuleType], None]
CASES: dict[str, Case] = {}

NAN, INFINITY = math.nan, math.inf
OTHERS = {"rows": 100}


def case(function: Case) -> Case:
    CASES[function.__name__] = function
    return function


def verdict(
    gate: ModuleType,
    rules: list[str],
    metrics: object,
    champion: Any = None,
    *,
    minimum: int = 0,
    **options: Any,
) -> Any:
    """The gate's word on a model with *metrics*, and a *champion* with these."""
    return gate.judge(
        gate.RuleSet.parse(rules, minimum),
        gate.evaluation(metrics),
        None if champion is None else gate.evaluation(champion),
        **options,
    )


def passes(gate: ModuleType, rule: str, metrics: object, champion: Any = None, **options: Any) -> bool:
    """Whether one rule lets a model through; rulings, verdict and outcome must agree."""
    found = verdict(gate, [rule], metrics, champion, **options)
    assert [ruling.text for ruling in found.rulings][-1] == gate.MetricRule.parse(rule).text
    assert found.passed is all(ruling.passed for ruling in found.rulings)
    assert found.outcome == ("passed" if found.passed else "refused")
    assert found.reason
    return bool(found.passed)


def refuses(make: Callable[[], object], *words: str) -> None:
    """Making it is refused, in words that teach."""
    with pytest.raises(ConfigurationError) as refused:
        make()
    for word in words:
        assert word in str(refused.value)


@case
def each_operator_is_itself_below_at_and_above_its_bound(gate: ModuleType) -> None:
    """A tie passes >= and <=, and fails > and <."""
    wanted = {
        ">=": (False, True, True),
        ">": (False, False, True),
        "<=": (True, True, False),
        "<": (True, False, False),
    }
    for op, answers in wanted.items():
        found = tuple(passes(gate, f"auc {op} 0.65", {"auc": value}) for value in (0.6499, 0.65, 0.6501))
        assert found == answers, op


@case
def each_operator_is_itself_against_the_champion(gate: ModuleType) -> None:
    """The same, with the champion's metric as the bound."""
    wanted = {
        ">=": (False, True, True),
        ">": (False, False, True),
        "<=": (True, True, False),
        "<": (True, False, False),
    }
    for op, answers in wanted.items():
        found = tuple(
            passes(gate, f"f1 {op} champion", {"f1": value}, {"f1": 0.5, "auc": 0.1})
            for value in (0.4, 0.5, 0.6)
        )
        assert found == answers, op


@case
def the_metric_that_is_named_decides(gate: ModuleType) -> None:
    """Not the first, not the best: the one the rule names."""
    metrics = dict.fromkeys(METRICS, 0.9)
    assert {"auc", "rmse", "macro_recall", "simplified_silhouette", "rows"} < set(METRICS)
    for name in METRICS:
        assert passes(gate, f"{name} >= 0.8", metrics)
        assert not passes(gate, f"{name} >= 0.8", metrics | {name: 0.7})


@case
def an_offset_is_added_or_taken_away_in_decimal(gate: ModuleType) -> None:
    """0.1 + 0.2 is 0.3: the bound is what a person computes."""
    assert passes(gate, "auc >= champion + 0.2", {"auc": 0.3}, {"auc": 0.1})
    assert not passes(gate, "auc > champion + 0.2", {"auc": 0.3}, {"auc": 0.1})
    assert not passes(gate, "auc >= champion + 0.2", {"auc": 0.29}, {"auc": 0.1})
    assert passes(gate, "auc >= champion - 0.1", {"auc": 0.6}, {"auc": 0.7})
    assert not passes(gate, "auc >= champion - 0.1", {"auc": 0.59}, {"auc": 0.7})


@case
def every_rule_must_hold_whatever_its_place(gate: ModuleType) -> None:
    """One that fails, first, second or last, refuses."""
    rules = ["auc >= 0.6", "recall >= 0.6", "log_loss <= 0.6"]
    good = {"auc": 0.7, "recall": 0.7, "log_loss": 0.5}
    assert verdict(gate, rules, good).passed
    for name, value in (("auc", 0.5), ("recall", 0.5), ("log_loss", 0.7)):
        found = verdict(gate, rules, good | {name: value})
        assert not found.passed
        assert [ruling.passed for ruling in found.rulings].count(False) == 1
        assert name in found.reason
        assert not any(other in found.reason for other in {"auc", "recall", "log_loss"} - {name})


@case
def a_ruling_holds_text_value_bound_and_reason(gate: ModuleType) -> None:
    """The numbers of each rule are there to be read."""
    found = verdict(gate, ["auc >= .650", "auc>=champion.auc-0.010"], {"auc": 0.7}, {"auc": 0.75})
    first, second = found.rulings
    assert (first.text, first.value, first.bound, first.passed) == ("auc >= 0.65", 0.7, 0.65, True)
    assert (second.text, second.value, second.bound, second.passed) == (
        "auc >= champion - 0.01",
        0.7,
        0.74,
        False,
    )
    assert first.reason == "auc 0.7 >= 0.65"
    assert second.reason == "auc is 0.7, must be >= 0.74 (`auc >= champion - 0.01`)"
    assert found.reason == second.reason


@case
def a_pass_tells_all_its_numbers(gate: ModuleType) -> None:
    """Nothing failed: every rule is told."""
    assert (
        verdict(gate, ["auc >= 0.6", "f1 > 0.1"], {"auc": 0.7, "f1": 0.5}).reason
        == "auc 0.7 >= 0.6; f1 0.5 > 0.1"
    )


@case
def numbers_that_differ_are_shown_as_different(gate: ModuleType) -> None:
    """No "0.65, must be >= 0.65"."""
    assert "0.64999999999 " in verdict(gate, ["auc >= 0.65"], {"auc": 0.64999999999}).reason.replace(",", " ")
    assert "0.123457" in verdict(gate, ["auc >= 0.65"], {"auc": 0.123456789}).reason
    assert verdict(gate, ["auc >= 0.650000000"], {"auc": 0.65}).reason == "auc 0.65 >= 0.65"


@case
def nothing_that_is_no_finite_number_passes(gate: ModuleType) -> None:
    """NaN, infinities, text, booleans, null and lists are refused under every operator."""
    for value in (NAN, INFINITY, -INFINITY, "0.9", "NaN", True, False, None, [0.9], {}):
        for metric in ("auc", "log_loss", "rows"):
            for op in (">=", ">", "<=", "<"):
                assert not passes(gate, f"{metric} {op} 0.5", {"auc": 0.5, metric: value}), (value, op)


@case
def a_champion_with_such_a_metric_is_beaten_by_nobody(gate: ModuleType) -> None:
    """NaN on the other side is no excuse."""
    for value in (NAN, INFINITY, -INFINITY, "0.1", True, None):
        for op in (">=", ">", "<=", "<"):
            found = verdict(gate, [f"auc {op} champion"], {"auc": 0.9}, {"f1": 0.5, "auc": value})
            assert not found.passed, (value, op)
            assert "champion" in found.reason


@case
def a_missing_metric_is_refused_and_named(gate: ModuleType) -> None:
    """What was not measured did not pass."""
    found = verdict(gate, ["recall >= 0"], {"auc": 0.9})
    assert not found.passed
    assert "recall is missing" in found.reason
    assert "`recall >= 0`" in found.reason


@case
def a_value_outside_its_range_is_refused(gate: ModuleType) -> None:
    """An AUC of 1.2 is no good AUC but a broken one; the ends belong to the range."""
    for name in ("auc", "accuracy", "precision", "recall", "f1"):
        assert not passes(gate, f"{name} >= 0.5", {name: 1.0001})
        assert not passes(gate, f"{name} <= 0.5", {name: -0.0001})
        assert passes(gate, f"{name} >= 1", {name: 1})
        assert passes(gate, f"{name} <= 0", {name: 0})
    for name in ("log_loss", "rows"):
        assert not passes(gate, f"{name} <= 5", {"auc": 1, name: -1})
        assert passes(gate, f"{name} >= 5", {"auc": 1, name: 1e6})
        assert passes(gate, f"{name} <= 0", {"auc": 1, name: 0})
    assert "lies between 0 and 1" in verdict(gate, ["auc >= 0.5"], {"auc": 2}).reason
    assert "is at least 0" in verdict(gate, ["log_loss < 5"], {"log_loss": -2}).reason


@case
def each_task_has_its_metrics_with_their_ranges(gate: ModuleType) -> None:
    """An error has no upper end, r2 no lower one, and a silhouette lies between -1 and 1."""
    assert passes(gate, "rmse <= 80", {"rmse": 79.5})
    assert not passes(gate, "rmse <= 80", {"rmse": 80.5})
    assert passes(gate, "r2 >= -0.5", {"r2": -0.2})
    assert not passes(gate, "r2 >= 0", {"r2": 1.01})
    assert "r2 is 1.01, and is at most 1" in verdict(gate, ["r2 >= 0"], {"r2": 1.01}).reason
    assert passes(gate, "simplified_silhouette >= -0.1", {"simplified_silhouette": 0})
    refuses(lambda: gate.MetricRule.parse("simplified_silhouette >= -2"), "lies between -1 and 1")
    refuses(lambda: gate.MetricRule.parse("simplified_silhouette >= champion + 2"), "can differ by")
    assert gate.MetricRule.parse("simplified_silhouette >= champion - 1.5").champion
    with pytest.raises(ConfigurationError) as beyond:
        gate.MetricRule.parse("r2 >= 2")
    assert "is at most 1" in beyond.value.cause
    assert "share" not in beyond.value.remedy
    refuses(lambda: gate.MetricRule.parse("mae <= -1"), "is at least 0")
    assert passes(gate, "rmse <= champion - 5", {"rmse": 45}, {"rmse": 50})
    assert not passes(gate, "rmse <= champion - 5", {"rmse": 46}, {"rmse": 50})


@case
def a_metric_by_studios_title_is_the_same(gate: ModuleType) -> None:
    """What an earlier release recorded of a regression."""
    assert passes(gate, "rmse <= 80", {"root_mean_squared_error": 79})
    assert passes(gate, "r2 >= 0.2", {"coefficient_of_determination": 0.3}, {"r2": 0.1})


@case
def a_threshold_of_ones_own_is_another_measure(gate: ModuleType) -> None:
    """Its number is not the one at a half, and the champion's is at the same threshold."""
    metrics = {"precision": 0.9, "precision at 0.8": 0.6}
    assert not passes(gate, "precision at 0.80 >= 0.7", metrics)
    assert passes(gate, "precision >= 0.7", metrics)
    assert (
        gate.MetricRule.parse("recall at .50>=champion.recall-0.10").text == "recall at 0.5 >= champion - 0.1"
    )
    assert passes(gate, "precision at 0.8 >= champion", metrics, {"precision": 1, "precision at 0.8": 0.5})
    refuses(lambda: gate.MetricRule.parse("auc at 0.5 >= 0.7"), "the same at every threshold")
    refuses(lambda: gate.MetricRule.parse("precision at 1.5 >= 0.7"), "a threshold is a probability")


@case
def a_function_of_ones_own_is_a_measure_without_ends(gate: ModuleType) -> None:
    """Any finite number, in whatever direction."""
    rule = gate.MetricRule.parse("metrics.py:profit>=-1000")
    assert rule.text == "metrics.py: profit >= -1000"
    assert (rule.measure.file, rule.measure.function) == ("metrics.py", "profit")
    assert passes(gate, "metrics.py: profit >= 1000", {"metrics.py: profit": 1000.5})
    assert not passes(gate, "metrics.py: profit >= 1000", {"metrics.py: profit": 999, "profit": 5000})
    told = {"metrics.py: profit": 10}
    assert passes(gate, "metrics.py: profit >= champion.profit + 5", told, {"metrics.py: profit": 5})
    assert not passes(gate, "metrics.py: profit > champion + 5", told, {"metrics.py: profit": 5})
    assert not passes(gate, "metrics.py: profit >= 0", {"metrics.py: profit": NAN})


@case
def what_the_rows_do_not_tell_is_refused_with_the_reason(gate: ModuleType) -> None:
    """Whatever number came out."""
    told = gate.Evidence({"r2": 0.9, "mae": 1.0}, "", {"r2": "price is the same in all rows"})
    found = gate.judge(gate.RuleSet.parse(["r2 >= 0.1", "mae <= 2"], 0), told, None)
    assert [ruling.passed for ruling in found.rulings] == [False, True]
    assert found.reason == "price is the same in all rows (`r2 >= 0.1`)"


@case
def an_evaluation_that_is_none_is_refused(gate: ModuleType) -> None:
    """Nothing, an empty table, a list and text prove nothing, even where no rows are asked for."""
    for metrics in (None, {}, [], [1], "auc", 0.9, UNREADABLE):
        found = verdict(gate, ["log_loss >= 0"], metrics)
        assert not found.passed
        assert "no evaluation" in found.reason


UNREADABLE = object()


@case
def a_problem_refuses_whatever_the_metrics_say(gate: ModuleType) -> None:
    """A worthless measurement does not pass with good numbers."""
    good = gate.Evidence({"auc": 0.9, "rows": 100}, "the holdout has no rows")
    for champion in (None, gate.Evidence({"auc": 0.1})):
        found = gate.judge(gate.RuleSet.parse(["auc >= 0.5"], 1), good, champion)
        assert not found.passed
        assert found.rulings[0].text == "evidence"
        assert "the holdout has no rows" in found.reason
        assert not any(ruling.passed for ruling in found.rulings)
    found = gate.judge(gate.RuleSet.parse(["auc >= champion"], 0), gate.Evidence({"auc": 0.9}), good)
    assert not found.passed
    assert "of the champion: the holdout has no rows" in found.reason


@case
def fewer_rows_than_the_minimum_are_refused(gate: ModuleType) -> None:
    """One row less is too few; exactly the minimum is enough; an unknown number is none."""
    for rows, enough in ((99, False), (100, True), (101, True), (None, False), (NAN, False)):
        found = verdict(gate, ["auc >= 0.5"], {"auc": 0.9, "rows": rows}, minimum=100)
        assert found.passed is enough, rows
        assert found.rulings[0].text == "rows >= 100"
    assert not verdict(gate, ["auc >= 0.5"], {"auc": 0.9, "rows": 0}, minimum=1).passed
    assert len(verdict(gate, ["auc >= 0.5"], {"auc": 0.9}, minimum=0).rulings) == 1


@case
def rows_are_counted_however_the_evaluation_says_it(gate: ModuleType) -> None:
    """By name, as Studio's number of examples, or as the four counts of a confusion matrix."""
    counts = {"true_positive": 30, "true_negative": 40, "false_positive": 10, "false_negative": 20}
    for metrics in ({"rows": 100}, {"number_of_examples": 100}, counts, counts | {"number_of_examples": 100}):
        assert passes(gate, "rows >= 100", metrics)
        assert not passes(gate, "rows > 100", metrics)
    for missing in counts:
        rest = {name: count for name, count in counts.items() if name != missing}
        assert not passes(gate, "rows >= 1", rest)
        assert not passes(gate, "rows >= 1", rest | {missing: "20"})


@case
def a_comparison_needs_a_champion(gate: ModuleType) -> None:
    """Without the champion's metrics there is no comparison, and so no promotion."""
    for rule in ("auc >= champion", "auc >= champion - 0.99", "auc <= champion + 0.99"):
        found = verdict(gate, [rule], {"auc": 0.99})
        assert not found.passed
        assert found.rulings[0].reason == f"there are no metrics of the champion (`{rule}`)"
    assert verdict(gate, ["auc >= 0.5"], {"auc": 0.99}).passed


@case
def a_model_that_is_served_already_has_no_champion_to_beat(gate: ModuleType) -> None:
    """It need not beat itself, and must still be good enough and measured."""
    for rule in ("auc > champion", "auc >= champion + 0.1"):
        assert passes(gate, rule, {"auc": 0.7}, alone=True)
        ruling = verdict(gate, [rule], {"auc": 0.7}, alone=True).rulings[0]
        assert (ruling.value, ruling.bound) == (0.7, None)
        assert ruling.reason == f"there is no other model to compare with (`{rule}`)"
        assert verdict(gate, [rule], {"f1": 1}, alone=True).reason.startswith("auc is missing")
        for value in (NAN, None, "x", 7):
            assert not passes(gate, rule, {"f1": 1, "auc": value}, alone=True)
    assert not passes(gate, "auc >= 0.8", {"auc": 0.7}, alone=True)
    assert not verdict(gate, ["auc > champion", "auc >= 0.8"], {"auc": 0.7}, alone=True).passed


@case
def nothing_judged_is_nothing_passed(gate: ModuleType) -> None:
    """A verdict without rulings is a refusal."""
    assert not gate.Verdict(()).passed
    assert gate.Verdict(()).outcome == "refused"
    assert gate.Verdict(()).reason == "nothing was judged"


@case
def a_gate_without_rules_is_refused(gate: ModuleType) -> None:
    """It would let every model through."""
    refuses(lambda: gate.RuleSet(()), "no rule", "auc >= 0.65")
    refuses(lambda: gate.RuleSet.parse([]), "no rule")
    assert gate.RuleSet.parse(("auc >= 0.5",)) == gate.RuleSet.parse(["auc>=0.50"])


@case
def one_row_is_the_least_unless_another_minimum_is_set(gate: ModuleType) -> None:
    """A gate that says nothing of it asks for one row."""
    assert gate.RuleSet.parse(["auc >= 0.5"]).minimum_rows == 1
    assert gate.RuleSet.parse(["auc >= 0.5"], 7).minimum_rows == 7


@case
def what_is_no_rule_is_refused_with_an_example(gate: ModuleType) -> None:
    """A typo never becomes a rule that passes."""
    lines = (
        "|auc|auc 0.65|auc = 0.65|auc == 0.65|auc != 0.65|>= 0.65|auc >=|auc >= x|auc >= 0.65 0.7"
        "|auc >= 0.65; f1 >= 1|auc >= nan|auc >= inf|auc >= 1e-3|auc => 0.65|auc >= champion +"
        "|auc >= champion 0.1|auc >= champion * 2|auc >= champions|0.65 <= auc|auc >= champion - -0.1"
        "|auc >= 0,65|auc >= ."
    )
    wrong = [*lines.split("|"), None, 0.65, ["auc >= 0.65"], b"auc >= 0.65"]
    for text in wrong:
        words = ("is not a rule of a gate", "auc >= 0.65", "auc >= champion - 0.01")
        refuses(lambda text=text: gate.MetricRule.parse(text), *words)
        refuses(lambda text=text: gate.RuleSet.parse(["auc >= 0.5", text]), "is not a rule of a gate")


@case
def what_cannot_be_meant_is_refused(gate: ModuleType) -> None:
    """Unknown metrics and comparisons, numbers out of range, other metrics of the champion, boundless offsets."""
    refuses(lambda: gate.MetricRule.parse("mse <= 0.5"), "'mse'", "did you mean rmse?", "log_loss")
    refuses(lambda: gate.MetricRule.parse("qqq <= 0.5"), "'qqq'; it knows: auc")
    refuses(lambda: gate.MetricRule("auc", "==", Decimal("0.5")), "'=='")
    refuses(lambda: gate.MetricRule.parse("auc >= 65"), "auc >= 65", "lies between 0 and 1", "not 65")
    refuses(lambda: gate.MetricRule.parse("auc >= 1.0001"))
    refuses(lambda: gate.MetricRule.parse("auc >= -0.0001"))
    refuses(lambda: gate.MetricRule.parse("rows >= -1"), "is at least 0")
    refuses(lambda: gate.MetricRule.parse("auc >= champion.f1"), "champion's f1", "same metric")
    for offset in ("- 1", "- 5", "+ 1"):
        refuses(lambda offset=offset: gate.MetricRule.parse(f"auc >= champion {offset}"), "can differ by")
    for text in ("auc >= 0", "auc <= 1", "log_loss <= 700", "rows >= 1000000", "rows >= champion - 500"):
        assert gate.MetricRule.parse(text).text == text


@case
def a_rule_is_written_in_one_way(gate: ModuleType) -> None:
    """Blanks, zeros and the long name of the champion's metric mean nothing."""
    for written, text in {
        "auc>=0.650": "auc >= 0.65",
        "  auc  >  .5 ": "auc > 0.5",
        "log_loss <= 1.": "log_loss <= 1",
        "rows >= 1000": "rows >= 1000",
        "auc < +0.5": "auc < 0.5",
        "auc >= 0.0": "auc >= 0",
        "auc >= -0": "auc >= 0",
        "auc >= champion": "auc >= champion",
        "auc >= champion + 0.00": "auc >= champion",
        "auc>=champion.auc": "auc >= champion",
        "auc>champion.auc+.10": "auc > champion + 0.1",
        "auc >= champion-0.01": "auc >= champion - 0.01",
    }.items():
        rule = gate.MetricRule.parse(written)
        assert rule.text == text
        assert rule.champion is ("champion" in text)
        assert gate.MetricRule.parse(rule.text) == rule


@case
def a_gate_knows_whether_it_needs_the_champion(gate: ModuleType) -> None:
    """One rule that compares is enough."""
    assert gate.RuleSet.parse(["auc >= 0.5", "f1 >= champion"]).needs_champion is True
    assert gate.RuleSet.parse(["auc >= 0.5", "f1 >= 0.5"]).needs_champion is False


@case
def nothing_is_changed_after_it_was_made(gate: ModuleType) -> None:
    """Neither a rule nor a verdict can be bent afterwards."""
    found = verdict(gate, ["auc >= 0.5"], {"auc": 0.7})
    for value, name in (
        (gate.MetricRule.parse("auc >= 0.5"), "number"),
        (gate.RuleSet.parse(["auc >= 0.5"]), "rules"),
        (gate.Evidence(), "problem"),
        (found.rulings[0], "passed"),
        (found, "rulings"),
    ):
        with pytest.raises(FrozenInstanceError):
            setattr(value, name, None)
