"""`./dev output`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.console import as_text, out, print_json
from cli.errors import CliError
from cli.options import AsJson, Engine, EngineOption, ShowSecrets, Stack


def output(
    name: Annotated[str, typer.Argument(help="One output; all when left out.")] = "",
    stack: Stack = "dev",
    engine: EngineOption = Engine.auto,
    show_secrets: ShowSecrets = False,
    as_json: AsJson = False,
) -> None:
    """Show the stack's outputs: the endpoint's URL, the model's address, run key, data version, metrics."""
    from cli.project import backend_of
    from cli.runners import open_runner
    from cli.stacks.names import known

    stack = known(stack, deployed=True)
    backend = backend_of(stack)
    if backend is not None and not backend.file.exists():
        raise CliError(f"the stack {stack} was never deployed", f"./dev up -s {stack}")
    values = open_runner(stack, {}, engine).outputs()
    if show_secrets:
        from cli.services.report import secret_outputs

        values |= secret_outputs(values)
    if name and name not in values:
        there = ", ".join(sorted(values)) or "none"
        raise CliError(f"the stack {stack} has no output {name!r}", f"use one of: {there}")
    if as_json:
        print_json(values[name] if name else values)
    elif name:
        out().print(as_text(values[name]), markup=False)
    else:
        width = max(map(len, values), default=0)
        for key in sorted(values):
            out().print(f"{key:<{width}}  {as_text(values[key])}", markup=False)
