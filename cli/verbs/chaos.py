"""`./dev chaos`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer


def chaos(
    histories: Annotated[int, typer.Option("--histories", "-n", min=1, help="How many histories.")] = 60,
    seed: Annotated[int, typer.Option("--seed", help="What they are drawn from.")] = 1,
    first: Annotated[int, typer.Option("--first", min=0, help="The index of the first one.")] = 0,
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Local clouds, one history at a time each.")
    ] = 2,
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="FILE", help="Keep what is done there; go on from it.")
    ] = None,
    bindings: Annotated[
        bool, typer.Option("--bindings", help="Updates whose bindings meet faults, and what they report.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures and histories as JSON.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print the figures as Markdown.")] = False,
) -> None:
    """Play histories of kills, races and faults, and check what must hold after each: one job a run, nothing wrong bound."""
    from cli.errors import CliError
    from cli.project import ROOT

    if bindings and resume:
        raise CliError("a campaign of bindings is not resumed", "leave out --resume")
    options = {"-n": histories, "--seed": seed, "--first": first, "--workers": workers, "--resume": resume}
    arguments = [part for name, value in options.items() if value is not None for part in (name, str(value))]
    arguments += ["--json"] * as_json + ["--markdown"] * as_markdown
    module = "tests.chaos.bindings" if bindings else "tests.chaos"
    with subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=ROOT) as campaign:
        try:
            status = campaign.wait()
        except KeyboardInterrupt:  # the campaign got it too, and ends its local clouds
            status = campaign.wait()
    raise typer.Exit(status)
