"""What a step comes to, where Pulumi's word for its operation would say too much.

What was there before is adopted or taken over, not created; what a stack lets go of is left, not deleted. The engine's
operations, and what is counted by them, stay Pulumi's: these are words for people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cli.stacks.resources import OURS

if TYPE_CHECKING:
    from backend.checkpoint import State
    from engine.events import Result, Step

# Resources whose deletion deletes nothing.
_RECORDS = {"DataVersion", "TrainedModel", "Promotion", "ModelBinding", "Fleet", "FleetVerdict"}


def stays(before: Mapping[str, Any]) -> bool:
    """Whether what a resource stands for stays where it is when the stack lets go of it; *before* as in a checkpoint."""
    kind = str(before.get("type", ""))
    if before.get("retainOnDelete") or before.get("external"):
        return True
    inputs = before.get("inputs") or {}
    kept = kind.rpartition(":")[2] in _RECORDS or _adopted(inputs)
    return kind.startswith(OURS) and bool(kept or _withheld(before))


def outcome(
    op: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, *, takes_over: bool = False
) -> str:
    """The operation, or in its place: adopt, take over, withhold, leave; *takes_over* is what this run was asked to."""
    if op in ("delete", "delete-replaced") and before is not None:
        return "leave" if stays(before) else op
    if op == "update" and before and after and _withheld(before) and not _withheld(after):
        return "create"
    if op not in ("create", "create-replacement") or after is None:
        return op
    kind, inputs = str(after.get("type", "")), after.get("inputs") or {}
    if kind.startswith(OURS):
        if _adopted(inputs):
            return "adopt"
        if inputs.get("remark") or inputs.get("holder"):
            return "take over"
        return "withhold" if _withheld(after) else op
    # Which of the two, its provider does not tell.
    return "create or take over" if takes_over and kind.startswith("azure-native:") else op


def _adopted(inputs: Mapping[str, Any]) -> bool:
    """Whether it stands for what was there before the program: not for what this declares beside it."""
    return bool(inputs.get("existing")) and not inputs.get("declared")


def _withheld(state: Mapping[str, Any]) -> bool:
    """Whether it stands for an endpoint that is not made before a model has passed its gate."""
    return str(state.get("type", "")).startswith(OURS) and bool((state.get("inputs") or {}).get("withheld"))


def of_step(step: Step, *, takes_over: bool = False) -> str:
    """What a step of a run comes to."""
    return outcome(step.op, as_written(step.before), as_written(step.after), takes_over=takes_over)


def counted(result: Result, *, takes_over: bool = False) -> dict[str, int]:
    """How many resources came to what."""
    found = Counter(result.changes)
    for step in result.steps:
        said = of_step(step, takes_over=takes_over)
        if said != step.op and found[step.op]:
            found[step.op] -= 1
            found[said] += 1
    return {said: count for said, count in found.items() if count}


def remarks(said: Iterable[tuple[str, str]]) -> list[str]:
    """A line for each outcome (of *said*: outcome, resource) that Pulumi's own display has another word for."""
    lines = []
    for word, text in _REMARKS.items():
        names = list(dict.fromkeys(name for each, name in said if each == word))
        if names:
            lines.append(f"{text}: {', '.join(names)}")
    return lines


_REMARKS = {
    "adopt": "adopted, not created",
    "take over": "taken over, not created",
    "create or take over": "created, or taken over where it was there",
    "withhold": "not made before a model has passed the gate",
    "leave": "left as it is, not deleted",
}


def as_written(state: State | None) -> dict[str, Any] | None:
    """A state as far as it matters here, as a checkpoint writes it."""
    if state is None:
        return None
    return {
        "type": state.type,
        "inputs": state.inputs,
        "retainOnDelete": state.retain_on_delete,
        "external": state.external,
        "custom": state.custom,
    }
