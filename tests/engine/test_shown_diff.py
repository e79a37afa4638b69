"""`--diff` shows what the CLI's shows, line by line.

What the CLI printed is on record in `shown/`, one readable file a program; `--record` writes it anew where the CLI is.
"""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli.views.diff_view import DiffView
from cli.views.display import Renderer
from engine.events import Diagnostic
from tests.engine import golden
from tests.engine.comparable import UUID
from tests.engine.playing import Cli, Embedded, Player
from tests.engine.programs import PROGRAMS
from tests.engine.scenarios import Scenario
from tests.engine.test_same_as_cli import cli, embedded, with_cli

__all__ = ["cli", "embedded"]

FOLDER = Path(__file__).with_name("shown")
NAMES = (
    "update in place",
    "replace, create before delete",
    "options: ignoreChanges",
    "aliases: renamed",
    "explicit providers",
    "a diff left to the engine",
    "external reads",
    "references to resources",
    "refresh: drift",
    "explicit provider: secret configuration",
    "dynamic provider: created",
    "secrets: what was plain",
    "unknowns: in lists",
    "numbers: NaN",
    "nulls and empties",
    "names and keys",
    "stack outputs: added",
)
SHOWN = [next(s for s in PROGRAMS if s.name.startswith(name)) for name in NAMES]
each_program = pytest.mark.parametrize("scenario", SHOWN, ids=lambda s: golden.path_of(s).stem)
HEAD = re.compile(r" *(?:[+~<>-]{1,2} ?)?[\w:$./-]+: \([a-z-]+")


def record(scenario: Scenario) -> Path:
    """The file of what the CLI printed."""
    return FOLDER / golden.path_of(scenario).with_suffix(".txt").name


def play(player: Player, scenario: Scenario, shown: Any) -> str:
    """What is printed in all runs, a step at a time."""
    pages = []
    for number, (verb, step) in enumerate(scenario.runs, start=1):
        player.write(scenario, step)
        if verb == "drift":
            player.drift()
            continue
        command, *arguments = verb.split()
        text = shown(command, [*arguments, "--parallel", "1"])
        pages.append(f"##### {number}: {verb}, step {step}\n{tidy(text)}")
    return "\n".join(pages)


def tidy(text: str) -> str:
    """Without ids, times and remarks; resources, and apart from them outputs, in order of name and text.

    The CLI shows outputs when they come, below whatever resource came last.
    """
    title, _, rest = UUID.sub("UUID", text).partition("\n")
    body, _, summary = rest.partition("Resources:\n")
    blocks: list[str] = []
    for line in body.splitlines(keepends=True):
        if HEAD.match(line) or "--outputs:--" in line or not blocks:
            blocks.append("")
        blocks[-1] += line
    counts = "".join(line for line in summary.splitlines(keepends=True) if line.startswith("    "))
    return f"{title}\n{''.join(sorted(blocks, key=_place))}Resources:\n{counts}"


def _place(block: str) -> tuple[str, ...]:
    urn = re.search(r"\[urn=(.*)\]", block)
    return (urn[1] if urn else "", block)


def by_the_engine(player: Embedded) -> Any:
    """How the embedded engine's run is shown."""

    def shown(command: str, arguments: list[str]) -> str:
        console = Console(file=(page := io.StringIO()), width=10_000, highlight=False)
        view = DiffView(command, "dev", preview=command == "preview")
        show = Renderer(console, command, interactive=False, diff=view)
        player.listen = lambda event: None if isinstance(event, Diagnostic) else show(event)
        player.run(command, arguments)
        assert player.result is not None
        show.finish(replace(player.result, failures=[]))
        return page.getvalue()

    return shown


@each_program
def test_diff_shows_what_the_cli_showed(embedded: Embedded, scenario: Scenario) -> None:
    """Heads, ids, providers, trees of properties, outputs and summary are the same, a run at a time."""
    assert play(embedded, scenario, by_the_engine(embedded)) == record(scenario).read_text(), embedded.told


@with_cli
@each_program
def test_the_cli_shows_what_is_on_record(
    cli: Cli, scenario: Scenario, request: pytest.FixtureRequest
) -> None:
    """So that the record is that of a CLI of today."""

    def shown(command: str, arguments: list[str]) -> str:
        how = [] if command == "preview" else ["--yes", "--skip-preview"]
        return cli.printed(command, *how, *arguments, "--diff", "--color", "never")

    text = play(cli, scenario, shown)
    if request.config.getoption("--record"):
        FOLDER.mkdir(exist_ok=True)
        record(scenario).write_text(text)
    assert text == record(scenario).read_text()
