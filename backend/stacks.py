"""What can be done with a stack without a run: read its outputs, free its lock, copy its state, list it, remove it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from backend.checkpoint import State, compact, load_checkpoint
from backend.errors import ProjectError, StateError
from backend.files import Backend
from backend.urns import STACK_TYPE, is_stack, urn_name
from backend.values import Props, masked
from backend.workspace import Workspace


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
    """Free the stack's lock; tells whose it was.

    Raises:
        ProjectError: there is neither a lock nor such a stack.
    """
    holders = ws.backend.cancel()
    if not holders and ws.backend.read() is None:
        raise ProjectError(f"no stack named '{ws.stack}' found", "./dev stack ls")
    if not holders:
        return f"stack {ws.stack} isn't locked"
    return "freed the lock of " + "; ".join(str(h) for h in holders)


def list_stacks(backend: Backend) -> list[dict[str, Any]]:
    """The project's stacks: `name`, `lastUpdate` (None before the first), `resourceCount`."""
    found = []
    for path in sorted(backend.file.parent.glob("*.json")):
        latest = Backend(backend.base.parent, backend.project, path.stem).deployment()
        time = (latest.get("manifest") or {}).get("time")
        updated = time and f"{time[:19]}.{(time[20:-1] + '000')[:3]}Z"
        count = len(latest.get("resources") or [])
        found.append({"name": path.stem, "lastUpdate": updated, "resourceCount": count})
    return found


def export_stack(ws: Workspace) -> dict[str, Any]:
    """The stack's deployment as `pulumi stack export` gives it; secrets stay encrypted.

    Raises:
        ProjectError: there is no such stack.
    """
    text = ws.backend.read()
    if text is None:
        raise ProjectError(f"no stack named '{ws.stack}' found", "./dev stack ls")
    data = json.loads(text)
    features = {"features": data["features"]} if data.get("features") else {}
    return {"version": data["version"], **features, "deployment": data["checkpoint"].get("latest")}


def import_stack(ws: Workspace, exported: Any, warn: Callable[[str], None], *, force: bool = False) -> None:
    """Make an exported deployment the stack's state; what was under way when it was exported is dropped with a warning.

    Raises:
        StateError: it isn't one; or it isn't this stack's or names what it doesn't hold, unless `force`.
    """
    try:
        latest = dict(exported["deployment"])
        head = {"version": exported["version"]}
        if exported.get("features"):
            head["features"] = exported["features"]
        for pending in latest.pop("pending_operations", None) or []:
            warn(f"removing pending operation '{pending['type']}' on '{pending['resource']['urn']}'")
        text = compact({**head, "checkpoint": {"stack": ws.backend.qualified_stack, "latest": latest}})
        resources = load_checkpoint(text, ws.crypter_for).resources
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise StateError("this is not an exported deployment", "give what `stack export` wrote") from error
    if problems := problems_of(resources, ws.stack):
        if not force:
            raise StateError(
                "importing this could be dangerous: " + "; ".join(problems),
                "see what you import, or --force it",
            )
        for problem in problems:
            warn(problem)
    with ws.backend.locked(warn):
        ws.backend.write(text)


def problems_of(resources: list[State], stack: str) -> list[str]:
    """What is wrong with a state: resources of another stack, or that rest on what does not come before them."""
    found: list[str] = []
    there: set[str] = set()
    for state in resources:
        if (other := state.urn.split(":")[2:3]) != [stack]:
            found.append(f"resource '{state.urn}' is from a different stack ({''.join(other)} != {stack})")
        missing = sorted(state.depends_on() - there)
        found += [f"{urn_name(state.urn)} rests on {urn}, which doesn't come before it" for urn in missing]
        there.add(state.urn)
    return found


def remove_stack(ws: Workspace, *, force: bool = False) -> None:
    """Remove the stack's state and history; the stack's file stays.

    Raises:
        ProjectError: there is no such stack, or it still has resources and isn't removed by `force`.
    """
    if ws.backend.read() is None:
        raise ProjectError(f"no stack named '{ws.stack}' found", "./dev stack ls")
    if not force and any(s.type != STACK_TYPE for s in ws.snapshot().resources):
        raise ProjectError(
            f"'{ws.stack}' still has resources; removal rejected",
            "destroy it first, or --force it and leave them behind",
        )
    with ws.backend.locked(lambda _: None):
        ws.backend.remove()
