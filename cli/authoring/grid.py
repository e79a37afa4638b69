"""Small tables on the terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from cli.console import out


def print_grid(titles: Sequence[str], rows: Iterable[Sequence[str]], right: Collection[str]) -> None:
    """Print rows under their titles; columns whose title is in *right* are aligned to the right."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in titles:
        grid.add_column(Text(title), justify="right" if title in right else "left")
    for row in rows:
        grid.add_row(*map(Text, row))
    out().print(grid)
