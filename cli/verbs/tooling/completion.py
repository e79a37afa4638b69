"""`./dev completion`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.guidance.completing import Shell, script


def completion(shell: Annotated[Shell, typer.Argument(help="Your shell.")]) -> None:
    """Print what a shell needs to complete verbs, options, stacks, run keys, settings and experiments.

    It is for the shell to read: eval "$(./dev completion bash)"
    """
    print(script(shell))
