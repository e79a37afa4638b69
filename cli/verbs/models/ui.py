"""`./dev ui`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.console import say
from cli.options import Engine, EngineOption, Stack


def ui(
    stack: Stack = "dev",
    allow_approve: Annotated[
        bool,
        typer.Option(
            "--allow-approve",
            help="Let whoever is signed in approve a plan, which carries it out, and a model.",
        ),
    ] = False,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Where it listens; a free port where 0.")
    ] = 0,
    engine: EngineOption = Engine.auto,
) -> None:
    """Serve a page about the stack on this machine: what serves, runs, jobs, the plan, drift, a row to score.

    It reads only, unless --allow-approve is given. Each link that it prints signs in once; Ctrl-C ends it.

    Example: ./dev ui -s dev --allow-approve
    """
    from cli.paging.serving import serve
    from cli.stacks.names import known

    name = known(stack, deployed=True)
    say(f"the page of {name} is open until Ctrl-C; this link signs in once:")
    serve(name, engine, port, may_approve=allow_approve, say=lambda link: print(link, flush=True))
