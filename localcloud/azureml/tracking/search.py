"""MLflow's filters and orders: `metrics.auc > 0.8 and params.depth = '3' and tags.kind LIKE 'a%'`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from localcloud.azureml.tracking.errors import invalid

_NAME = r"[\w.]+(?:\.(?:`[^`]*`|\"[^\"]*\"))?"
_VALUE = r"'[^']*'|\"[^\"]*\"|-?[\d.]+(?:[eE][+-]?\d+)?|\([^)]*\)"
_CLAUSE = re.compile(
    rf"\s*({_NAME})\s*(!=|>=|<=|=|>|<|NOT\s+IN|IN|I?LIKE|IS\s+NOT\s+NULL|IS\s+NULL)\s*({_VALUE})?\s*(?:AND\b|$)",
    re.IGNORECASE,
)
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda held, given: bool(held == given),
    "!=": lambda held, given: bool(held != given),
    ">": lambda held, given: bool(held > given),
    ">=": lambda held, given: bool(held >= given),
    "<": lambda held, given: bool(held < given),
    "<=": lambda held, given: bool(held <= given),
    "LIKE": lambda held, given: fnmatchcase(held, _glob(given)),
    "ILIKE": lambda held, given: fnmatchcase(held.lower(), _glob(given.lower())),
    "IN": lambda held, given: held in given,
    "NOT IN": lambda held, given: held not in given,
}
_SECTIONS = {
    **dict.fromkeys(("metrics", "metric"), "metrics"),
    **dict.fromkeys(("params", "parameters", "param", "parameter"), "params"),
    **dict.fromkeys(("tags", "tag"), "tags"),
    **dict.fromkeys(("attributes", "attribute", "attr", "run"), "attributes"),
}
# What a filter calls them, and how they are kept.
_CALLED = {"created": "start_time", "run id": "run_id", "run name": "run_name"}

Fields = Mapping[str, Mapping[str, Any]]
Condition = Callable[[Fields], bool]


def matches(fields: Fields, conditions: Iterable[Condition]) -> bool:
    """Whether all conditions hold for metrics, params, tags and attributes."""
    return all(condition(fields) for condition in conditions)


def conditions(text: Any) -> list[Condition]:
    """The conditions of a filter. Raises TrackingError where it is none."""
    if not isinstance(text, str | None):
        raise invalid("filter is not a string")
    rest, found = (text or "").strip(), []
    while rest:
        clause = _CLAUSE.match(rest)
        if clause is None:
            raise invalid(f"Invalid clause(s) in filter string: '{rest}'")
        section, name = _field(clause[1])
        found.append(_condition(section, name, " ".join(clause[2].upper().split()), clause[3]))
        rest = rest[clause.end() :].strip()
    return found


def ordered(rows: list[Any], orders: Iterable[str], fields: Callable[[Any], Fields]) -> list[Any]:
    """Rows by `metrics.auc DESC` and the like; those without a value come last. Raises TrackingError."""
    for order in reversed(list(orders)):
        words = order.split()
        if not words or len(words) > 2:
            raise invalid(f"Invalid order_by clause '{order}'")
        section, name = _field(words[0])
        descending = len(words) == 2 and words[1].upper() == "DESC"
        have = [row for row in rows if fields(row)[section].get(name) is not None]
        have.sort(key=lambda row: fields(row)[section][name], reverse=descending)
        rows = have + [row for row in rows if fields(row)[section].get(name) is None]
    return rows


def _field(text: str) -> tuple[str, str]:
    first, dot, rest = text.partition(".")
    if not dot:
        return "attributes", _CALLED.get(text, text)
    section = _SECTIONS.get(first.lower())
    if section is None:
        raise invalid(f"Invalid entity type '{first}': it is metrics, params, tags or attributes")
    name = rest.strip('`"')
    return section, _CALLED.get(name, name) if section == "attributes" else name


def _condition(section: str, name: str, operator: str, given: str | None) -> Condition:
    if operator.startswith("IS"):
        return lambda fields: (fields[section].get(name) is None) == (operator == "IS NULL")
    if given is None:
        raise invalid(
            f"Invalid clause(s) in filter string: {section}.{name} {operator} compares with nothing"
        )
    value = _value(given)

    def holds(fields: Fields) -> bool:
        held = fields[section].get(name)
        try:
            return held is not None and _COMPARE[operator](held, value)
        except (TypeError, AttributeError):
            raise invalid(f"{section}.{name} cannot be compared with {given}") from None

    return holds


def _value(text: str) -> Any:
    if text.startswith("("):
        return tuple(part.strip().strip("'\"") for part in text[1:-1].split(",") if part.strip())
    if text[0] in "'\"":
        return text[1:-1]
    try:
        return float(text)
    except ValueError:
        raise invalid(f"'{text}' is no number") from None


def _glob(pattern: str) -> str:
    escaped = re.sub(r"([\[?*])", r"[\1]", pattern)
    return escaped.replace("%", "*").replace("_", "?")
