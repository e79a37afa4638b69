r"""Conditions on one column, as Split Data's expressions write them.

`\"Text" ^a` and `(\1) ^a` name a column, by name or index, and a regular expression; `\"Year" > 2010 & <= 2015 | == 1999`
comparisons, of which those joined by `&` go before those joined by `|`. A value compared with is a number or a date.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graph.data.datasets import is_numeric, net_type
from graph.data.dates import dates, moment
from graph.errors import column_not_found, column_type, unparsed
from graph.libraries import Array, Series, Table, np
from tables import real

_COLUMN: Final = re.compile(r'\s*(?:\\"([^"]+)"|\(\\"?([^")]+)"?\))\s*(.*?)\s*', re.DOTALL)
_COMPARISON: Final = re.compile(r"\s*(<=|>=|==|!=|<|>)\s*(.+?)\s*", re.DOTALL)
_OPERATORS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True)
class Condition:
    """On the column of a name or index: a pattern, or comparisons of which all of some row of them are to hold."""

    column: str | int
    pattern: re.Pattern[str] | None
    either: tuple[tuple[tuple[str, str], ...], ...] = ()


def parse(parameter: str, text: str, regular: bool) -> Condition:
    """Read an expression; raises 0002 for what is none."""
    found = _COLUMN.fullmatch(text)
    if found is None or not found[3]:
        raise unparsed(parameter, text, 'it begins with a column, as \\"name" or (\\0)')
    named = found[1] or found[2]
    column = int(named) if found[1] is None and named.isascii() and named.isdigit() else named
    if regular:
        try:
            return Condition(column, re.compile(found[3]))
        except (re.error, OverflowError, RecursionError) as error:
            raise unparsed(parameter, text, str(error)) from None
    either = []
    for alternative in found[3].split("|"):
        parts = [_COMPARISON.fullmatch(part) for part in alternative.split("&")]
        together = [(part[1], part[2]) for part in parts if part]
        if len(together) != len(parts) or not all(map(_is_value, (value for _, value in together))):
            raise unparsed(
                parameter, text, "a comparison is one of <, >, <=, >=, ==, != and a number or a date"
            )
        either.append(tuple(together))
    return Condition(column, None, tuple(either))


def matches(frame: Table, condition: Condition) -> Array:
    """Which rows the condition holds for; for a missing value none does. Raises 0001 and 0017."""
    name = condition.column
    if isinstance(name, int):
        if name >= len(frame.columns):
            raise column_not_found(str(name))
        name = str(frame.columns[name])
    elif name not in frame.columns:
        raise column_not_found(name)
    values = frame[name]
    known = values.notna().to_numpy()
    if condition.pattern is not None:
        if net_type(values) != "String":
            raise column_type(name, net_type(values), "a text column")
        search = condition.pattern.search
        return np.array([isinstance(value, str) and search(value) is not None for value in values], bool)
    result = np.zeros(len(values), bool)
    for together in condition.either:
        holds = known.copy()
        for sign, text in together:
            holds &= np.asarray(_compared(values, sign, text), bool)
        result |= holds
    return result


def _compared(values: Series, sign: str, text: str) -> Any:
    try:
        number = real(text)
    except ValueError:
        return _OPERATORS[sign](dates(values), moment(text))
    if not is_numeric(values):
        raise column_type(str(values.name), net_type(values), "a numeric column")
    return _OPERATORS[sign](values.to_numpy(dtype="float64"), number)


def _is_value(text: str) -> bool:
    try:
        real(text)
    except ValueError:
        return moment(text) is not None
    return True
