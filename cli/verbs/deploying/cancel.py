"""`./dev cancel`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.console import out
from cli.errors import warn
from cli.options import Engine, EngineOption, Stack


def cancel(
    stack: Stack = "dev",
    jobs: Annotated[
        bool, typer.Option("--jobs", help="Cancel the stack's unfinished training jobs at the service, too.")
    ] = False,
    engine: EngineOption = Engine.auto,
) -> None:
    """Free the lock that another run holds on the stack; its training job goes on, unless --jobs says otherwise."""
    from cli.runners import open_runner
    from cli.stacks.names import known

    stack = known(stack, deployed=True)
    open_runner(stack, {}, engine, cloud=False).cancel()
    if jobs:
        _cancel_jobs(stack)


def _cancel_jobs(stack: str) -> None:
    from cli.services.registry import open_registry, workspace_of
    from retrain_hooks.training.cancelled_jobs import cancel_all

    workspace = workspace_of(stack)
    registry = open_registry(stack)

    found = cancel_all(
        registry.ledger,
        workspace,
        lambda service: registry.context.services(
            registry.target, {"id": service, "workspace": workspace or {}}
        ).jobs(service),
        registry.context.clock,
    )
    for run in found.cancelled:
        job = run.job.id if run.job else ""
        out().print(f"cancelled job {job}: run {run.key[:12]} of {run.experiment}", markup=False)
    for run in found.elsewhere:
        where = run.job.workspace["resource"].rpartition("/")[2] if run.job else ""
        out().print(f"left alone: run {run.key[:12]}, whose job runs in {where}", markup=False)
    for problem in found.problems:
        warn(problem)
    if not found.cancelled:
        out().print(f"no unfinished job of {stack} was there to cancel", markup=False)
