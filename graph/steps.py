"""Fitted steps: what modules learnt from a table, as data that travels with it and into the model that is trained from it.

A model that was retrained thus brings the transformations of the data that it was trained on; nothing in one is code. A
step says which columns it asks of a table, with their types and an example, and which columns it makes of which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from graph.errors import InvalidModel

Made = tuple[tuple[str, ...], tuple[str, ...]]
"""Columns, and those that are made of them."""

TYPES: Final = ("Boolean", "Int32", "Int64", "Double", "String", "DateTime")
_MOST: Final = 100_000


@dataclass(frozen=True)
class Asked:
    """A column that is asked for: its .NET type, and a value of it where there is one."""

    type: str
    example: Any = None


@dataclass(frozen=True, eq=False)
class Step:
    """What the module of that name has learnt: `values` is JSON, empty where there was nothing to learn."""

    module: str
    asks: Mapping[str, Asked]
    makes: tuple[Made, ...]
    values: Mapping[str, Any]

    def data(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "module": self.module,
            "asks": [{"name": n, "type": a.type, "example": a.example} for n, a in self.asks.items()],
            "makes": [{"of": list(of), "are": list(are)} for of, are in self.makes],
            "values": self.values,
        }

    @classmethod
    def read(cls, data: Any) -> Step:
        """From JSON; raises InvalidModel. Whether the values are such as the module learns is for who applies it to see."""
        try:
            asks = {each["name"]: Asked(each["type"], each["example"]) for each in data["asks"]}
            makes = tuple((_names(each["of"]), _names(each["are"])) for each in data["makes"])
            _names(asks)
            fit = isinstance(data["module"], str) and isinstance(data["values"], dict) and len(data) == 4
            fit = fit and all(a.type in TYPES and _plain(a.example) for a in asks.values())
            if not fit or len(asks) != len(data["asks"]):
                raise ValueError
        except (TypeError, KeyError, ValueError):
            raise InvalidModel("manifest.json: a fitted step is not valid") from None
        return cls(data["module"], asks, makes, data["values"])


def written(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Steps as JSON: all of them, by their numbers, or none where none has learnt anything."""
    return [step.data() for step in steps] if any(step.values for step in steps) else []


def read(data: Any) -> tuple[Step, ...]:
    """Steps from JSON; raises InvalidModel."""
    if not isinstance(data, list) or len(data) > _MOST:
        raise InvalidModel("manifest.json: the fitted steps are not a list")
    return tuple(map(Step.read, data))


def asked(steps: Sequence[Step], columns: Mapping[str, Asked]) -> dict[str, Asked]:
    """The columns that a table needs for these *columns* to be there after the steps."""
    needed = dict(columns)
    for step in reversed(steps):
        made = {name: of for of, are in step.makes for name in are}
        found: dict[str, Asked] = {}
        for name, column in needed.items():
            for source in made.get(name, (name,)):
                found[source] = step.asks.get(source, column)
        needed = found
    return needed


def fits(values: Any, form: Any) -> bool:
    """Whether JSON values have a form: a type, several, [of each], {"*": of each} or {name: of that}."""
    match form:
        case dict() if "*" in form:
            return isinstance(values, dict) and all(fits(each, form["*"]) for each in values.values())
        case dict():
            return (
                isinstance(values, dict)
                and values.keys() == form.keys()
                and all(fits(values[name], each) for name, each in form.items())
            )
        case list():
            return isinstance(values, list) and all(fits(each, form[0]) for each in values)
        case tuple():
            return any(fits(values, each) for each in form)
    return type(values) is form if form is not None else values is None


def _names(names: Iterable[Any]) -> tuple[str, ...]:
    found = tuple(names)
    if not all(isinstance(name, str) for name in found):
        raise ValueError(found)
    return found


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)
