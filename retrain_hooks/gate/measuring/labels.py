"""What a gate's label says of a holdout, by the task that models are trained for.

::

    two classes     which rows are positive: delay >= 15, or Diagnosis == malignant
    anomalies       which rows are anomalies: fraud == 1
    several         the column of the classes: species
    regression      the column of the numbers: price
    clustering      nothing: nobody knows the right answer
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from clients.errors import ConfigurationError
from retrain_hooks.gate.measuring.truths import (
    CORRECT,
    LABELS,
    PROBABILITIES,
    Answers,
    ClassTruth,
    Measured,
    NoTruth,
    NumberTruth,
    Truth,
    finite,
    nearest,
    unusable,
)
from tables import MISSING, number
from tasks import TASKS, Outcome, Task

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}
_OF_TEXT = ("==", "!=")
_RULE = re.compile(
    r"\s*(?P<column>.*?[^\s=<>!])\s*(?P<op>>=|>|<=|<|==|!=)\s*"
    r"(?P<value>\"[^\"]*\"|'[^']*'|[^\s=<>!](?:[^=<>!]*[^\s=<>!])?)\s*",
    re.DOTALL,
)
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_EXAMPLE = "write it like delay >= 15, or like Diagnosis == malignant"
_SHOWN = 10
_HALF = 0.5
_TRUTH = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}


@dataclass(frozen=True)
class Label(Truth):
    """Of two classes: whether *column* *op* *value* holds. A *value* that is a number is compared with numbers."""

    column: str
    op: str
    value: float | str
    task: ClassVar[Task] = TASKS["two-class"]

    @classmethod
    def parse(cls, text: object) -> Label:
        """Read a rule. Raises ConfigurationError saying how one is written."""
        found = _RULE.fullmatch(text) if isinstance(text, str) else None
        value = _value(found["value"]) if found else None
        if not found or value is None or (isinstance(value, str) and found["op"] not in _OF_TEXT):
            raise ConfigurationError(
                f"{text!r} does not say which rows of the holdout are positive", _EXAMPLE
            )
        return cls(found["column"], found["op"], value)

    def of(self, value: str) -> bool:
        """The label of a row with this *value*. Raises ValueError for one that is no number where the rule has one."""
        if isinstance(self.value, str):
            return _OPERATORS[self.op](value, self.value)
        return _OPERATORS[self.op](finite(value), self.value)

    def problem(self, actual: Sequence[Any]) -> str:
        """See Truth."""
        if len(set(actual)) == 1:
            which = "positive" if actual[0] else "negative"
            return f"all {len(actual)} rows of the holdout are {which}, so that auc is undefined"
        return super().problem(actual)

    def outcome(self, actual: Sequence[Any], answers: Answers) -> Measured:
        """See Truth."""
        import numpy as np

        answered = [str(row.get(LABELS)).strip() for row in answers]
        predicted, probabilities = self._told(answered, [_probability(row) for row in answers])
        if wrong := sum(not 0.0 <= probability <= 1.0 for probability in probabilities):
            return Measured(
                problem=f"{wrong} of {len(actual)} scored probabilities do not lie between 0 and 1"
            )
        return Measured(Outcome(np.array(predicted), np.array(actual), np.array(probabilities)))

    def _told(
        self, answered: Sequence[str], probabilities: Sequence[float]
    ) -> tuple[Sequence[bool], Sequence[float]]:
        """Which rows the model calls positive, and how probable it holds that.

        A model answers with truth values, or with the values of the column. Its probability is that of one of its two
        classes: of the one that it answers with where the probability is a half at least.
        """
        if isinstance(self.value, float) and all(text.lower() in _TRUTH for text in answered):
            return [_TRUTH[text.lower()] for text in answered], probabilities
        if self.op not in _OF_TEXT:
            raise unusable(LABELS, "a column of 0 and 1")
        try:
            predicted = [self.of(text) for text in answered]
        except ValueError:
            raise unusable(LABELS, f"a column of the values of {self.column!r}") from None
        agreeing = sum(one is (p >= _HALF) for one, p in zip(predicted, probabilities, strict=True))
        if 2 * agreeing >= len(predicted):
            return predicted, probabilities
        return predicted, [1.0 - probability for probability in probabilities]

    def find_value(self, values: Collection[str], holdout: str) -> None:
        """Raise ConfigurationError, with the nearest, where the rule's text is none of the *values* of its column."""
        if isinstance(self.value, str) and values and self.value not in values:
            shown = ", ".join(sorted(values)[:_SHOWN]) + (", …" if len(values) > _SHOWN else "")
            raise ConfigurationError(
                f"no row of the holdout {holdout} has {self.value!r} in the column {self.column!r}; it has: {shown}"
                + nearest(self.value, values),
                CORRECT,
            )


def _value(text: str) -> float | str | None:
    """A number or a text as a rule writes it; None for what is no value."""
    if quoted := _QUOTED.fullmatch(text):
        return quoted[1] or quoted[2] or None
    try:
        value = float(number(text))
    except ValueError:
        return None if text in MISSING else text
    return value if math.isfinite(value) else None


def _probability(row: Any) -> float:
    try:
        return float(str(row.get(PROBABILITIES)).strip())
    except ValueError:
        raise unusable(PROBABILITIES, "a column of numbers") from None


class AnomalyLabel(Label):
    """Of anomalies: the same, of a model that answers with truth values whatever the column holds."""

    task: ClassVar[Task] = TASKS["anomaly"]

    def _told(
        self, answered: Sequence[str], probabilities: Sequence[float]
    ) -> tuple[Sequence[bool], Sequence[float]]:
        if all(text.lower() in _TRUTH for text in answered):
            return [_TRUTH[text.lower()] for text in answered], probabilities
        return super()._told(answered, probabilities)


def truth_of(task: Task, text: str) -> Truth:
    """What *text*, the gate's label, says of a holdout. Raises ConfigurationError saying how one is written."""
    if task.name in ("two-class", "anomaly"):
        kind = Label if task.name == "two-class" else AnomalyLabel
        if not text:
            raise ConfigurationError(
                "gateLabel: the gate has a holdout and does not know which of its rows are positive", _EXAMPLE
            )
        try:
            return kind.parse(text)
        except ConfigurationError as error:
            raise ConfigurationError(f"gateLabel: {error.cause}", error.remedy) from None
    if not task.labelled:
        if text:
            raise ConfigurationError(
                f"gateLabel: {task.one} has no outcome that {text!r} could be", "leave out gateLabel"
            )
        return NoTruth()
    what = "numbers" if task.name == "regression" else "classes"
    wanted = f"name the holdout's column of {what}, such as {'price' if what == 'numbers' else 'species'}"
    if not text.strip():
        raise ConfigurationError(
            "gateLabel: the gate has a holdout and does not know which of its columns is the label", wanted
        )
    if _RULE.fullmatch(text):
        raise ConfigurationError(
            f"gateLabel: {text!r} is a rule, and {task.one} has no positive rows", wanted
        )
    return NumberTruth(text.strip()) if what == "numbers" else ClassTruth(text.strip())
