"""Which deployment answers a call: the split of the live traffic, and who gets copies of it.

The split is exact over any stretch of calls, and even within it: of 90 to 10, each tenth call goes to the second.
"""

from __future__ import annotations

from collections.abc import Mapping


class Split:
    """Draws from weights in turn (smooth weighted round-robin); starts anew when they change."""

    def __init__(self) -> None:
        self._weights: dict[str, int] = {}
        self._credit: dict[str, int] = {}

    def next(self, weights: Mapping[str, int]) -> str | None:
        """Whose turn it is; None where nobody has a weight."""
        weights = {name: weight for name, weight in weights.items() if weight > 0}
        if weights != self._weights:
            self._weights, self._credit = weights, dict.fromkeys(weights, 0)
        if not weights:
            return None
        for name, weight in weights.items():
            self._credit[name] += weight
        chosen = max(self._credit, key=self._credit.__getitem__)
        self._credit[chosen] -= sum(weights.values())
        return chosen


class Copies:
    """Draws which calls are copied, by the mirror's percentage of them."""

    _NOT = ""

    def __init__(self) -> None:
        self._split = Split()

    def next(self, mirror: Mapping[str, int]) -> str | None:
        """The deployment that gets a copy of this call, if one does."""
        rest = 100 - sum(mirror.values())
        return self._split.next({self._NOT: rest, **mirror}) or None
