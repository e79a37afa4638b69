"""What can be done with a stack without a run: read its outputs, free its lock, remove it."""

from __future__ import annotations

from typing import Any

from engine.errors import ProjectError
from engine.state import State
from engine.steps import is_stack
from engine.urns import STACK_TYPE
from engine.values import Props, masked
from engine.workspace import Workspace


def outputs_of(resources: list[State]) -> Props:
    """The stack's outputs among its resources."""
    for state in resources:
        if state.type == STACK_TYPE and is_stack(state.urn):
            return state.outputs
    return {}


def stack_outputs(ws: Workspace, show_secrets: bool = False) -> dict[str, Any]:
    """The stack's outputs as the state has them."""
    shown: dict[str, Any] = masked(outputs_of(ws.snapshot().resources), show_secrets=show_secrets)
    return shown


def cancel(ws: Workspace) -> str:
    """Free the stack's lock; tells whose it was."""
    holders = ws.backend.cancel()
    if not holders:
        return f"stack {ws.stack} isn't locked"
    return "freed the lock of " + "; ".join(str(h) for h in holders)


def remove_stack(ws: Workspace) -> None:
    """Remove the stack's state and history.

    Raises:
        ProjectError: it still has resources.
    """
    if ws.snapshot().resources:
        raise ProjectError(f"stack {ws.stack} still has resources", "destroy it first")
    ws.backend.remove()
