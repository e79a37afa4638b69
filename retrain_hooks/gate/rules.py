"""The gate's rules: what a trained model must show before an endpoint serves it.

::

    rule   = metric op number                              auc >= 0.65
           | metric op "champion" [("+" | "-") number]     auc >= champion - 0.01
    metric = a metric of the experiment's task, such as rmse; what else a rule measures is in ``measures.py``
    op     = >= | > | <= | <

``champion`` is the same metric of the model that the endpoint serves now, measured on the same rows. The gate fails
closed: what is missing, not finite, outside its range, or measured on too few rows is refused, never let through. A
tie passes ``>=`` and fails ``>``; sums are decimal, so that ``champion + 0.01`` is what a person would compute.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from clients.errors import ConfigurationError
from retrain_hooks.gate.measures import EXAMPLE, MEASURE, NUMBER, Measure, measure
from tasks import by_title

_OPERATORS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
}
_RULE = re.compile(
    rf"\s*(?P<metric>{MEASURE})\s*(?P<op>>=|>|<=|<)\s*"
    rf"(?:(?P<number>[+-]?{NUMBER})|champion(?:\.(?P<other>\w+))?(?:\s*(?P<sign>[+-])\s*(?P<offset>{NUMBER}))?)\s*"
)


@dataclass(frozen=True)
class MetricRule:
    """One comparison: *metric* *op* *number*, which is added to the champion's metric where *champion* is set."""

    metric: str
    op: str
    number: Decimal
    champion: bool = False

    def __post_init__(self) -> None:
        measured, metric = self.measure, self.measure.metric
        if self.op not in _OPERATORS:
            raise ConfigurationError(
                f"the gate knows no comparison {self.op!r}; it knows: >=, >, <=, <", EXAMPLE
            )
        if self.champion and abs(self.number) >= metric.highest - metric.lowest:
            raise ConfigurationError(
                f"the rule `{self.text}` allows more than {self.metric} can differ by: it {measured.span}",
                EXAMPLE,
            )
        if not self.champion and not measured.takes(self.number):
            raise ConfigurationError(
                f"the rule `{self.text}` compares with {self.number}, and {self.metric} {measured.span}",
                f"{EXAMPLE}: a share is written 0.65, not 65" if metric.share else EXAMPLE,
            )

    @property
    def measure(self) -> Measure:
        """What it measures. Raises ConfigurationError where there is no such thing."""
        return measure(self.metric)

    @classmethod
    def parse(cls, text: object) -> MetricRule:
        """Read a rule. Raises ConfigurationError saying how one is written."""
        found = _RULE.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            raise ConfigurationError(f"{text!r} is not a rule of a gate", EXAMPLE)
        measured = measure(found["metric"])
        if found["other"] not in (None, measured.function or measured.metric.name):
            raise ConfigurationError(
                f"the rule `{text}` compares {measured.text} with the champion's {found['other']}",
                "compare a metric with the same metric of the champion",
            )
        champion = found["number"] is None
        number = Decimal(found["number"] or found["offset"] or 0)
        return cls(measured.text, found["op"], -number if found["sign"] == "-" else number, champion)

    @property
    def text(self) -> str:
        """The rule as it is written; two rules of the same meaning have the same text."""
        number = f"{self.number.normalize():f}" if self.number else "0"
        if not self.champion:
            return f"{self.metric} {self.op} {number}"
        sign, size = ("-", number[1:]) if number.startswith("-") else ("+", number)
        return f"{self.metric} {self.op} champion" + (f" {sign} {size}" if self.number else "")

    def holds(self, value: Decimal, limit: Decimal) -> bool:
        """Whether *value* is on the right side of *limit*."""
        return _OPERATORS[self.op](value, limit)


@dataclass(frozen=True)
class RuleSet:
    """All *rules* must hold, on at least *minimum_rows* rows (0 asks for none)."""

    rules: tuple[MetricRule, ...]
    minimum_rows: int = 1

    def __post_init__(self) -> None:
        if not self.rules:
            raise ConfigurationError("the gate has no rule, and would let every model through", EXAMPLE)

    @classmethod
    def parse(cls, rules: Iterable[str], minimum_rows: int = 1) -> RuleSet:
        """Read the rules as they are written. Raises ConfigurationError."""
        return cls(tuple(MetricRule.parse(rule) for rule in rules), minimum_rows)

    @property
    def needs_champion(self) -> bool:
        """Whether any rule compares with the champion."""
        return any(rule.champion for rule in self.rules)


@dataclass(frozen=True)
class Evidence:
    """What is known of one model: its *metrics*, and the *problem* that makes them worthless, if there is one.

    *undefined* says of a metric why these rows do not tell it.
    """

    metrics: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    undefined: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ruling:
    """How one rule came out: the model's *value*, and the limit it was compared with (None where there is none), which
    states and verdicts call its *bound*.
    """

    text: str
    value: float | None
    bound: float | None
    passed: bool
    reason: str


@dataclass(frozen=True)
class Verdict:
    """The gate's word on one model."""

    rulings: tuple[Ruling, ...]

    @property
    def passed(self) -> bool:
        """Whether every rule passed, and there was one."""
        return bool(self.rulings) and all(ruling.passed for ruling in self.rulings)

    @property
    def outcome(self) -> str:
        """``passed`` or ``refused``."""
        return "passed" if self.passed else "refused"

    @property
    def reason(self) -> str:
        """Rules and numbers: those that failed, or all where none did."""
        told = [ruling.reason for ruling in self.rulings if ruling.passed is self.passed]
        return "; ".join(told) or "nothing was judged"


def judge(gate: RuleSet, candidate: Evidence, champion: Evidence | None, *, alone: bool = False) -> Verdict:
    """Judge *candidate* by the gate's rules, and against *champion* where a rule asks for it (None: not known).

    *alone* says that there is no champion: the endpoint serves the candidate already, or no model yet.
    """
    rulings = []
    if candidate.problem:
        rulings.append(Ruling("evidence", None, None, False, candidate.problem))
    if gate.minimum_rows:
        rulings.append(_compare(MetricRule("rows", ">=", Decimal(gate.minimum_rows)), candidate, None))
    rulings += [_rule(rule, candidate, champion, alone) for rule in gate.rules]
    return Verdict(tuple(rulings))


def _rule(rule: MetricRule, candidate: Evidence, champion: Evidence | None, alone: bool) -> Ruling:
    if not rule.champion:
        return _compare(rule, candidate, None)
    if alone:
        value, problem = _measured(candidate, rule.metric)
        reason = problem or "there is no other model to compare with"
        return Ruling(rule.text, _float(value), None, value is not None, f"{reason} (`{rule.text}`)")
    if champion is None:
        return _refused(rule, "there are no metrics of the champion")
    best, problem = _measured(champion, rule.metric)
    if best is None:
        return _refused(rule, f"of the champion: {problem}")
    return _compare(rule, candidate, best)


def _compare(rule: MetricRule, candidate: Evidence, champion: Decimal | None) -> Ruling:
    limit = rule.number if champion is None else champion + rule.number
    value, problem = _measured(candidate, rule.metric)
    if value is None:
        return _refused(rule, problem, limit)
    passed = rule.holds(value, limit)
    seen, asked = _show(value, limit)
    told = (
        f"{rule.metric} {seen} {rule.op} {asked}"
        if passed
        else f"{rule.metric} is {seen}, must be {rule.op} {asked}"
    )
    reason = told if champion is None else f"{told} (`{rule.text}`)"
    return Ruling(rule.text, float(value), float(limit), passed, reason)


def _refused(rule: MetricRule, problem: str, limit: Decimal | None = None) -> Ruling:
    return Ruling(rule.text, None, _float(limit), False, f"{problem} (`{rule.text}`)")


def _measured(evidence: Evidence, metric: str) -> tuple[Decimal | None, str]:
    """The metric's value, or what is wrong with it."""
    if problem := evidence.problem or evidence.undefined.get(metric, ""):
        return None, problem
    value = evidence.metrics.get(metric)
    if value is None:
        return None, f"{metric} is missing from the evaluation"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None, f"{metric} is {value!r}, not a number"
    if not math.isfinite(value):
        return None, f"{metric} is {value}"
    if not measure(metric).takes(value):
        return None, f"{metric} is {value:g}, and {measure(metric).span}"
    return Decimal(repr(value)), ""


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _show(value: Decimal, limit: Decimal) -> tuple[str, str]:
    """Both numbers, rounded unless that would make two of one."""
    short = f"{float(value):.6g}", f"{float(limit):.6g}"
    return short if value == limit or short[0] != short[1] else (str(value), str(limit))


def evaluation(metrics: object) -> Evidence:
    """The evidence in a training run's own evaluation; its ``rows`` are the rows that it was evaluated on."""
    if not isinstance(metrics, Mapping) or not metrics:
        return Evidence(problem="there is no evaluation that can be read")
    counts = [
        metrics.get(f"{truth}_{side}") for truth in ("true", "false") for side in ("positive", "negative")
    ]
    numbers = [count for count in counts if isinstance(count, int | float)]
    rows = metrics.get("rows", metrics.get("number_of_examples", sum(numbers) if len(numbers) == 4 else None))
    # What earlier releases recorded of a regression has the names of Studio's titles.
    return Evidence({by_title(name) or name: value for name, value in metrics.items()} | {"rows": rows})
