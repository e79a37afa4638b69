"""`./dev test`."""

from __future__ import annotations

from typing import Annotated

import typer


def test(
    arguments: Annotated[list[str] | None, typer.Argument(help="What pytest is given.")] = None,  # noqa: PT028  # a verb, no test
) -> None:
    """Run all linters and all tests; with arguments, only pytest with these."""
    from cli.checks import linters, pytest, run_all

    raise typer.Exit(run_all([pytest(arguments)] if arguments else [*linters(), pytest([])]))
