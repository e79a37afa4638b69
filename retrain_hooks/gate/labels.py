"""The rule that says which rows of a holdout are positive, such as ``arr_delay >= 15`` or ``Diagnosis == malignant``."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from clients.errors import ConfigurationError
from clients.names import likeliest
from tables import MISSING, number

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
_EXAMPLE = "write it like arr_delay >= 15, or like Diagnosis == malignant"
_SHOWN = 10


@dataclass(frozen=True)
class Label:
    """What happened to a row: whether *column* *op* *value* holds. A *value* that is a number is compared with numbers."""

    column: str
    op: str
    value: float | str

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
        return _OPERATORS[self.op](_finite(value), self.value)

    def find(self, columns: Sequence[str], holdout: str) -> None:
        """Raise ConfigurationError, with the nearest, where the rule's column is not one of the *columns* of *holdout*."""
        if self.column not in columns:
            raise ConfigurationError(
                f"the holdout {holdout} has no column {self.column!r}" + _nearest(self.column, columns),
                "correct the gate's label, or the holdout's path and version",
            )

    def find_value(self, values: Collection[str], holdout: str) -> None:
        """Raise ConfigurationError, with the nearest, where the rule's text is none of the *values* of its column."""
        if isinstance(self.value, str) and values and self.value not in values:
            shown = ", ".join(sorted(values)[:_SHOWN]) + (", …" if len(values) > _SHOWN else "")
            raise ConfigurationError(
                f"no row of the holdout {holdout} has {self.value!r} in the column {self.column!r}; it has: {shown}"
                + _nearest(self.value, values),
                "correct the gate's label, or the holdout's path and version",
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


def _finite(text: str) -> float:
    value = float(number(text))
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _nearest(name: str, names: Collection[str]) -> str:
    near = likeliest(name, names, 0.5)
    return f" (the nearest is {near!r})" if near else ""
