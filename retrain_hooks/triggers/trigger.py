"""What every kind of trigger is given, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from retrain_hooks.host.lifecycle import Context
from retrain_hooks.registry.ledger import Ledger, Run


@dataclass(frozen=True)
class Decision:
    """Whether to retrain, and why; *next_look* is when the trigger wants to be asked again.

    *cause* identifies what made it fire, so that the same cause asks for the same run however often it is seen. *keep* is
    what the trigger is given back at its next look: plain JSON.
    """

    fire: bool
    reason: str
    next_look: datetime | None = None
    cause: str = ""
    keep: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scene:
    """What a trigger may read at *now*: the services of *target* through *context*, the stack's *config* (by key) and
    *outputs*, and what it *kept* at its last look (empty at first).
    """

    context: Context
    target: str
    config: Mapping[str, Any]
    outputs: Mapping[str, Any]
    kept: Mapping[str, Any]
    now: datetime

    @property
    def address(self) -> str:
        """The model that the stack's endpoint serves; empty where its outputs don't tell."""
        return str(self.outputs.get("modelAddress") or "")

    def served(self) -> Run | None:
        """The run that left the model that is served; None where no record that can be trusted tells."""
        return Ledger(self.context.registry(self.target)).finished(self.address)


def days(seconds: float) -> str:
    """A length of time in words: ``30 days``, ``15 minutes``."""
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            count = f"{seconds / size:.3g}"
            return f"{count} {unit}{'' if count == '1' else 's'}"
    return f"{seconds:.3g} s"
