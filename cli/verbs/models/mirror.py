"""`./dev runs mirror`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from cli.console import out, print_json
from cli.errors import CliError, warn
from cli.options import AsJson, Stack


def mirror(
    to: Annotated[
        str,
        typer.Option(
            metavar="URI",
            help="The tracking server; else the stack's mlflow:trackingUri, or MLFLOW_TRACKING_URI.",
        ),
    ] = "",
    prefix: Annotated[
        str,
        typer.Option(
            help="Before the names of experiments and models there; else the stack's mlflow:prefix."
        ),
    ] = "",
    stack: Stack = "dev",
    as_json: AsJson = False,
) -> None:
    """Mirror runs, verdicts, models and what is bound to an MLflow tracking server; what is there already is left.

    Example: MLFLOW_TRACKING_TOKEN=… ./dev runs mirror --to https://mlflow.example.com
    """
    from dataclasses import asdict

    from cli.mirroring.facts import facts_of
    from cli.mirroring.mirror import mirror as mirrored
    from cli.mirroring.server import Server
    from cli.project import stack_config
    from cli.services.registry import open_registry
    from cli.stacks.names import known

    config = stack_config(known(stack))
    uri = to or str(config.get("mlflow:trackingUri") or "") or os.environ.get("MLFLOW_TRACKING_URI", "")
    if not uri:
        raise CliError("no tracking server is named", "give one: --to URI, or set MLFLOW_TRACKING_URI")
    server = Server.at(uri)
    container = open_registry(stack).container
    done = mirrored(facts_of(container), container, server, prefix or str(config.get("mlflow:prefix") or ""))
    if as_json:
        print_json(asdict(done))
        return
    for note in done.notes:
        warn(note)
    told = f"{done.runs} runs, {done.models} models and {done.aliases} aliases written"
    out().print(f"{uri}: {told if server.writes else 'nothing has changed'}", markup=False, soft_wrap=True)
