"""The workflows of `docs/ci`: each step's command is one that `./dev` takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer.main
import yaml

from cli.app import build

FILES = sorted((Path(__file__).parents[2] / "docs/ci").glob("*.yml"))
COMMAND = re.compile(r"^(?:- )?(?:script: |run: )?(\./dev .+)$")


def commands(file: Path) -> list[list[str]]:
    """The `./dev` commands of a workflow."""
    found = (COMMAND.match(line.strip()) for line in file.read_text().splitlines())
    return [shlex.split(each[1])[1:] for each in found if each]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_its_commands_are_ours(file: Path) -> None:
    """A plan that is saved and written for people, `up --plan`, and a look at drift; each parses."""
    assert yaml.safe_load(file.read_text())
    told = commands(file)
    assert [words[0] for words in told] == ["preview", "up", "preview"]
    app = typer.main.get_command(build())
    for verb, *arguments in told:
        command = app.commands[verb]  # type: ignore[attr-defined]
        command.make_context(verb, list(arguments))
    assert {"--save-plan", "--markdown"} <= set(told[0])
    assert {"--plan", "--yes"} <= set(told[1])
    assert {"--refresh", "--expect-no-changes"} <= set(told[2])
