"""What an experiment says of its input: types of columns, and how missing values are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from graph.errors import GraphError
from graph.steps import TYPES
from tables import number

MOST_MARKS: Final = 20


@dataclass(frozen=True)
class Declared:
    """Types (.NET's) of columns by name, where values do not say them, and the marks of missing values beside the usual ones.

    A mark that is a number stands for that number, however it is written.
    """

    types: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    @classmethod
    def parse(cls, node: str, body: Mapping[str, Any]) -> Declared:
        """Of a node of a package. Raises GraphError."""
        types, missing = body.get("types") or {}, body.get("missing") or []
        if not isinstance(types, Mapping) or not all(kind in TYPES for kind in types.values()):
            raise GraphError(
                f'node "{node}": "types" gives a column one of: ' + ", ".join(TYPES), f"{node}.types"
            )
        if not isinstance(missing, list) or not all(isinstance(mark, str) for mark in missing):
            raise GraphError(f'node "{node}": "missing" is a list of texts', f"{node}.missing")
        if len(missing) > MOST_MARKS:
            raise GraphError(f'node "{node}": "missing" has more than {MOST_MARKS} texts', f"{node}.missing")
        return cls(dict(types), tuple(missing))

    @cached_property
    def _numbers(self) -> frozenset[float]:
        return frozenset(each for each in map(_number, self.missing) if each is not None)

    def is_missing(self, value: Any) -> bool:
        """Whether a value is one of the marks."""
        if isinstance(value, str):
            return value in self.missing or (bool(self._numbers) and _number(value) in self._numbers)
        return isinstance(value, int | float) and value in self._numbers

    def known(self, cells: list[Any]) -> list[Any]:
        """The values, None for those that are marks."""
        if not self.missing:
            return cells
        marks = {cell for cell in {*cells} if self.is_missing(cell)}
        return [None if cell in marks else cell for cell in cells] if marks else cells


NOTHING: Final = Declared()


def _number(text: str) -> float | None:
    try:
        return float(number(text))
    except ValueError:
        return None
