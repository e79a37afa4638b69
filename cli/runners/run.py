"""What every engine is told of a run, and what it can do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from cli.planning import Planning
from cli.wishes import Wishes
from plans.plan import Plan


@dataclass(frozen=True)
class Run:
    """What every verb on a stack knows: which stack, this run's configuration, the environment it runs in."""

    stack: str
    overrides: dict[str, str]  # by qualified key
    env: dict[str, str] = field(repr=False)


class Runner(Protocol):
    """A deployment engine; every method leaves with `typer.Exit` when the run failed and has said why."""

    def up(self, wishes: Wishes, planning: Planning) -> None:
        """Make the resources as the program declares them, once a preview has found nothing wrong."""

    def preview(self, wishes: Wishes, planning: Planning) -> Plan:
        """Show what `up` would do, and answer that; writes nothing."""

    def refresh(self, wishes: Wishes) -> None:
        """Read how the resources really are into the state."""

    def destroy(self, wishes: Wishes) -> None:
        """Delete all that the stack created."""

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets masked."""

    def cancel(self) -> None:
        """Free the stack's lock."""
