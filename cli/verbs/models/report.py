"""`./dev report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.console import out, size, write_text
from cli.options import Stack


def report(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where the page goes.")
    ] = Path("report.html"),
    run: Annotated[
        str | None, typer.Option("--run", metavar="KEY", help="Compare this run with the one that serves.")
    ] = None,
    compare: Annotated[
        tuple[str, str] | None, typer.Option("--compare", metavar="A B", help="Compare these two runs.")
    ] = None,
    stack: Stack = "dev",
) -> None:
    """Write one page of HTML about the stack's models: what serves, how it was judged, over versions, on the same rows.

    Example: ./dev report -o models.html --compare 60f0729 0769984
    """
    from cli.reporting.gather import gathered
    from cli.reporting.sources import sources_of
    from reports.page import render

    sources = sources_of(stack)
    keys: list[str] = []
    if compare:
        keys = [sources.run(key).key for key in compare]
    elif run:
        key = sources.run(run).key
        from retrain_hooks.registry.run_key import key_of

        serving = key_of(str(sources.binding.get("address") or ""))
        keys = list(dict.fromkeys(filter(None, (serving, key))))
    page = render(gathered(sources, keys))
    write_text(output, page)
    out().print(f"{output}: {len(sources.summaries)} runs, {size(len(page.encode()))}", markup=False)
