"""What every kind of trigger is given, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
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
    """What a trigger may read at *now*: the services of *target* through *context*, the stack's *config* (by key), what it
    *kept* at its last look (empty at first), and the stack's outputs, which are read where they are asked for.
    """

    context: Context
    target: str
    config: Mapping[str, Any]
    kept: Mapping[str, Any]
    now: datetime
    read_outputs: Callable[[], Mapping[str, Any]] = dict

    @cached_property
    def outputs(self) -> Mapping[str, Any]:
        """The stack's outputs, secrets masked."""
        return self.read_outputs()

    @property
    def address(self) -> str:
        """The model that the stack's endpoint serves; empty where its outputs don't tell."""
        return str(self.outputs.get("modelAddress") or "")

    def served(self) -> Run | None:
        """The run that left the model that is served; None where no record that can be trusted tells."""
        return Ledger(self.context.registry(self.target)).finished(self.address)


def days(seconds: float) -> str:
    """A length of time in words: ``30 days``, ``15 minutes``."""
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 3 * size:
            return f"{int(seconds // size)} {unit}"
    return f"{seconds:.3g} s"
