"""The embedded deployment engine: what the `pulumi` CLI's engine does for a Pulumi Python program.

    ws = Workspace.open(Path("."), "dev")
    result = up(ws, Options(), print)

It keeps Pulumi's state format, so that a stack goes back and forth between it and the CLI. What it doesn't
implement it refuses by name.
"""

from backend.errors import StackError
from backend.stacks import cancel, export_stack, import_stack, list_stacks, remove_stack, stack_outputs
from backend.workspace import Workspace
from engine.deployment import destroy, preview, refresh, up
from engine.events import (
    Diagnostic,
    Event,
    Listener,
    OutputsSet,
    Result,
    Step,
    StepFailed,
    StepFinished,
    StepStarted,
)
from engine.property_changes import PropertyDiff
from engine.runs import Options

__all__ = [
    "Diagnostic",
    "Event",
    "Listener",
    "Options",
    "OutputsSet",
    "PropertyDiff",
    "Result",
    "StackError",
    "Step",
    "StepFailed",
    "StepFinished",
    "StepStarted",
    "Workspace",
    "cancel",
    "destroy",
    "export_stack",
    "import_stack",
    "list_stacks",
    "preview",
    "refresh",
    "remove_stack",
    "stack_outputs",
    "up",
]
