"""What a run tells its caller: steps, events, and the result.

Operations have Pulumi's names: same, create, update, delete, replace, create-replacement,
delete-replaced, read, read-replacement, refresh, discard, discard-replaced, remove-pending-replace.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from backend.checkpoint import State
from engine.property_changes import Diff, PropertyDiff

Severity = Literal["debug", "info", "warning", "error"]


@dataclass
class Step:
    """One operation on one resource; `old` and `new` are inputs with secrets masked.

    `before` and `after` are the states themselves, secrets and unknowns as such, `compared` is the provider's diff of
    them: for those who show more than what changed.
    """

    op: str
    urn: str
    type: str
    name: str
    old: dict[str, Any] | None = None
    new: dict[str, Any] | None = None
    diff: list[PropertyDiff] = field(default_factory=list)
    replace_keys: list[str] = field(default_factory=list)
    cause: str = ""
    custom: bool = True
    parent: str = ""
    before: State | None = field(default=None, repr=False)
    after: State | None = field(default=None, repr=False)
    compared: Diff | None = field(default=None, repr=False)


@dataclass(frozen=True)
class StepStarted:
    """A step begins."""

    step: Step


@dataclass(frozen=True)
class StepFinished:
    """A step ended well after `seconds`; `step.op` is what it came to (a refresh may be a delete)."""

    step: Step
    seconds: float


@dataclass(frozen=True)
class OutputsSet:
    """A component or the stack has its outputs, which are in `step.after`."""

    step: Step


@dataclass(frozen=True)
class StepFailed:
    """A step failed; `message` is what the provider or the engine said."""

    step: Step
    message: str


@dataclass(frozen=True)
class Diagnostic:
    """A message of the program, a provider or the engine; `ephemeral` ones only show progress."""

    severity: Severity
    message: str
    urn: str = ""
    ephemeral: bool = False


Event = StepStarted | StepFinished | OutputsSet | StepFailed | Diagnostic
Listener = Callable[[Event], None]


@dataclass
class Result:
    """What a run came to.

    `outputs` are the stack's, plain, secrets as `[secret]` and what isn't known as `[unknown]`;
    `old_outputs` those before the run. `changes` counts operations as the CLI's summary does.
    """

    ok: bool
    steps: list[Step]
    outputs: dict[str, Any]
    changes: dict[str, int]
    duration: float
    failures: list[str] = field(default_factory=list)
    old_outputs: dict[str, Any] = field(default_factory=dict)
    preview: bool = False
