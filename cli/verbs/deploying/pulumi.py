"""`./dev pulumi …`: the Pulumi CLI itself, in the environment that the local cloud needs."""

from __future__ import annotations

import subprocess
from typing import Annotated

import typer

from cli.errors import warn

# Verbs of the CLI that run the program or its providers, so that the local cloud has to be there.
DEPLOYING = {"up", "update", "preview", "pre", "refresh", "destroy", "down", "dn", "watch", "import"}


def pulumi(
    arguments: Annotated[list[str] | None, typer.Argument(help="What the CLI is given.")] = None,
) -> None:
    """Run the Pulumi CLI: the same program, the same state, the local cloud's environment."""
    from cli.project import ROOT, backend_of, stack_file
    from cli.runners import environment
    from cli.runners.pulumi import call, ensure_stack, find
    from cli.runners.pulumi import environment as cli_environment
    from cli.stacks.files import salt_kept_out

    executable = find(required=True)
    assert executable is not None
    given = arguments or []
    env = cli_environment({})
    if given and given[0] in DEPLOYING and not {"--help", "-h"} & set(given):
        stack = _named(given)
        if stack is None:
            show = [executable, "stack", "--show-name"]
            shown = subprocess.run(show, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
            stack = shown.stdout.strip() if shown.returncode == 0 else None
        if stack is None:
            stack = "dev"
            ensure_stack(executable, stack, env)
            select = [executable, "stack", "select", stack, "--non-interactive"]
            subprocess.run(select, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, check=True)
        if backend := backend_of(stack):
            backend.free_dead_locks(warn)
        env |= environment(stack, {})
    with salt_kept_out(stack_file(_named(given) or "dev")):
        status = call([executable, *given], env)
    raise typer.Exit(status)


def _named(arguments: list[str]) -> str | None:
    """The stack that the arguments name."""
    for i, argument in enumerate(arguments):
        if argument in ("-s", "--stack"):
            return arguments[i + 1] if i + 1 < len(arguments) else None
        if argument.startswith("--stack="):
            return argument.removeprefix("--stack=")
    return None
