"""`./dev help`."""

from __future__ import annotations

from typing import Annotated

import typer


def help_(
    verb: Annotated[list[str] | None, typer.Argument(help="The verb; all of them when left out.")] = None,
) -> None:
    """Show what there is, or one verb's options."""
    from cli.app import main

    main(["help", *(verb or [])])
