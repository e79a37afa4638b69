"""What runs a stack's verbs: the Pulumi CLI where it is on PATH, the embedded engine elsewhere.

`open_runner` chooses, after it has seen to it that the stack's target is there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from cli.options import Engine


@dataclass(frozen=True)
class Run:
    """What every verb on a stack knows: which stack, this run's configuration, the environment it runs in."""

    stack: str
    overrides: dict[str, str]  # by qualified key
    env: dict[str, str] = field(repr=False)


@dataclass(frozen=True)
class Wishes:
    """How a verb is to be run. `ask`: show what would happen first, and ask. `targets` are URNs, `*` allowed."""

    ask: bool = False
    as_json: bool = False
    refresh: bool = False
    expect_no_changes: bool = False
    diff: bool = False
    targets: tuple[str, ...] = ()
    parallel: int | None = None
    continue_on_error: bool = False
    clear_pending_creates: bool = False
    run_program: bool = False


class Runner(Protocol):
    """A deployment engine; every method leaves with `typer.Exit` when the run failed and has said why."""

    def up(self, wishes: Wishes) -> None:
        """Make the resources as the program declares them."""

    def preview(self, wishes: Wishes) -> None:
        """Show what `up` would do; writes nothing."""

    def refresh(self, wishes: Wishes) -> None:
        """Read how the resources really are into the state."""

    def destroy(self, wishes: Wishes) -> None:
        """Delete all that the stack created."""

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets masked."""

    def cancel(self) -> None:
        """Free the stack's lock."""


def environment(stack: str, overrides: dict[str, str], *, cloud: bool = True) -> dict[str, str]:
    """What the program and the providers find in their environment; starts the local cloud where it is the target."""
    from cli.project import cloud_file, is_local

    if not cloud or not is_local(stack, overrides):
        return {}
    from cli.cloud.supervisor import Supervisor
    from cli.console import say

    local = Supervisor(say=say).start()
    return {
        "RETRAIN_CLOUD_FILE": str(cloud_file()),
        "PULUMI_DEBUG_PROVIDERS": f"azure-native:{local.azureNative}",
    }


def open_runner(stack: str, overrides: dict[str, str], engine: Engine, *, cloud: bool = True) -> Runner:
    """The engine for one verb on one stack; `cloud=False` for verbs that call no service."""
    from cli.project import qualified
    from cli.runners import pulumi

    named = {qualified(key, stack): value for key, value in overrides.items()}
    executable = None if engine is Engine.embedded else pulumi.find(required=engine is Engine.pulumi)
    run = Run(stack, named, environment(stack, overrides, cloud=cloud))
    if executable:
        return pulumi.PulumiRunner(run, executable)
    from cli.runners.embedded import EmbeddedRunner

    return EmbeddedRunner(run)
