"""`./dev help`."""

from __future__ import annotations

from typing import Annotated

import typer


def help_(
    context: typer.Context,
    verb: Annotated[list[str] | None, typer.Argument(help="The verb; all of them when left out.")] = None,
) -> None:
    """Show what there is, or one verb's options."""
    root = context.find_root()
    root.command.main([*(verb or []), "--help"], prog_name=root.info_name)
