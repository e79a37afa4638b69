"""`./dev lint`."""

from __future__ import annotations

import typer


def lint() -> None:
    """Check style, form and types: ruff and mypy."""
    from cli.checks import linters, run_all

    raise typer.Exit(run_all(linters()))
