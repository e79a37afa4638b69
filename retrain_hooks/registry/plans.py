"""Which plans were carried out: each once, whichever machine does it."""

from __future__ import annotations

from dataclasses import dataclass

from clients.errors import Conflict
from clients.storage import Container
from retrain_hooks.registry.records import Records


@dataclass(frozen=True)
class Applied:
    """An update has begun to carry out a plan: of which *stack*, and when (UTC, ISO 8601)."""

    stack: str
    at: str
    version: int = 1


class AppliedPlans:
    """The plans that updates have begun to carry out, by their keys."""

    def __init__(self, registry: Container) -> None:
        self._records = Records(registry, "plans", Applied)

    def find(self, key: str) -> Applied | None:
        """When it was begun; None where it was not."""
        found = self._records.find(key)
        return found.value if found else None

    def begin(self, key: str, stack: str, at: str) -> bool:
        """Record that one begins to carry it out; False where another has begun already."""
        try:
            self._records.write(key, Applied(stack, at), None)
        except Conflict:
            return False
        return True
