"""`./dev help`."""

from __future__ import annotations

from typing import Annotated

import typer


def help_(
    context: typer.Context,
    verb: Annotated[list[str] | None, typer.Argument(help="The verb; all of them when left out.")] = None,
) -> None:
    """Show what there is, or one verb's options."""
    from cli.app import build

    build()([*(verb or []), "--help"], prog_name=context.find_root().info_name)
