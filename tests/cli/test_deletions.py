"""Deletion is asked for: --yes, or a terminal and a yes. A pipe is nobody to ask, and no answer."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import cli.console
from cli.app import build
from cli.errors import CliError
from cli.runners.deletions import Planned, refuse_unasked

# What each verb deletes, and what asks for it; the others delete nothing.
DELETING = {
    "up": "refuse_unasked",
    "destroy": "wants_to_be_asked",
    "cloud reset": "want_a_yes",
    "runs prune": "want_a_yes",
    "stack rm": "want_a_yes",
    "data put": "want_a_yes",
}
HARMLESS = {
    *(
        "preview",
        "refresh",
        "output",
        "approve",
        "pin",
        "unpin",
        "report",
        "ui",
        "cancel",
        "adopt",
        "pulumi",
        "test",
        "lint",
        "docs",
        "bench",
        "chaos",
        "fuzz",
        "completion",
    ),
    *(
        "help",
        "cloud start",
        "cloud page",
        "cloud stop",
        "cloud status",
        "cloud logs",
        "config get",
        "config set",
        "config unset",
    ),
    *("runs show", "runs mirror", "stack init", "stack export", "stack import", "stack ls"),
    *(
        "definition export",
        "definition import",
        "watch",
        "verify-azure",
        "fleet status",
        "fleet explain",
        "fleet retry",
    ),
    *("experiment new", "experiment check", "experiment run", "experiment predictive", "experiment show"),
    *("data ls", "data show", "data diff"),
}
ENDPOINT = {"type": "pulumi-python:dynamic/retrain:StudioEndpoint", "custom": True, "inputs": {}}


def verbs(command: Any, path: str = "") -> Iterator[str]:
    """The leaves of the command tree."""
    groups = getattr(command, "commands", None)
    if groups is None:
        yield path.strip()
        return
    for name, each in groups.items():
        yield from verbs(each, f"{path} {name}")


def test_of_every_verb_it_is_known_whether_it_deletes() -> None:
    """A new verb is entered here, and one that deletes asks like the others."""
    assert set(verbs(typer.main.get_command(build()))) == DELETING.keys() | HARMLESS


@pytest.mark.parametrize("verb", DELETING)
def test_what_deletes_has_an_option_to_say_yes(verb: str) -> None:
    """Scripts say it."""
    assert "--yes" in CliRunner().invoke(build(), [*verb.split(), "--help"]).output


class Terminal(io.StringIO):
    """A terminal, with what is typed."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stdin", "stderr", "says"),
    [
        (io.StringIO("y\n"), Terminal(), "no terminal to ask at"),
        (io.StringIO("yes\n" * 9), io.StringIO(), "no terminal to ask at"),
        (Terminal("y\n"), io.StringIO(), "no terminal to ask at"),
        (Terminal(""), Terminal(), "not confirmed"),
        (Terminal("\n"), Terminal(), "not confirmed"),
        (Terminal("no\n"), Terminal(), "not confirmed"),
        (Terminal("yeah\n"), Terminal(), "not confirmed"),
        (Terminal("y\n"), Terminal(), ""),
        (Terminal("YES\n"), Terminal(), ""),
    ],
)
def test_only_a_yes_at_a_terminal_is_one(
    monkeypatch: pytest.MonkeyPatch, stdin: Any, stderr: Any, says: str
) -> None:
    """A pipe that holds a yes is none: it may be meant for another question, or for nobody."""
    monkeypatch.setattr(cli.console.sys, "stdin", stdin)
    monkeypatch.setattr(cli.console.sys, "stderr", stderr)
    if not says:
        cli.console.want_a_yes("Delete it?", yes=False)
        return
    cli.console.want_a_yes("Delete it?", yes=True)
    with pytest.raises(CliError, match=says):
        cli.console.want_a_yes("Delete it?", yes=False)


@pytest.mark.parametrize("verb", ["destroy", "stack rm", "cloud reset"])
@pytest.mark.parametrize("typed", ["", "y\n", "yes\n"])
def test_without_a_terminal_nothing_is_deleted(project_root: Path, verb: str, typed: str) -> None:
    """Whatever comes through the pipe."""
    state = project_root / ".pulumi/stacks/retraining/dev.json"
    state.parent.mkdir(parents=True)
    state.write_text(json.dumps({"version": 3, "checkpoint": {"latest": {"resources": []}}}))
    done = CliRunner().invoke(build(), verb.split(), input=typed)
    assert done.exit_code == 2
    assert "--yes" in done.output
    assert state.exists()


@pytest.mark.parametrize(
    ("op", "old", "deletes"),
    [
        ("delete", {}, True),
        ("replace", {}, True),
        ("delete-replaced", {}, True),
        ("update", {}, False),
        ("same", {}, False),
        ("read", {}, False),
        ("discard", {}, False),
        ("delete", {"retainOnDelete": True}, False),
        ("replace", {"external": True}, False),
        ("delete", {"inputs": {"existing": "theirs"}}, False),
        ("delete", {"type": "retrain:index:Endpoint", "custom": False}, False),
        ("delete", {"type": "pulumi:providers:azure-native"}, False),
        ("delete", {"type": "azure-native:storage:StorageAccount"}, True),
        ("replace", {"type": "pulumi-python:dynamic/retrain:StudioWebService"}, True),
        *(
            ("replace", {"type": f"pulumi-python:dynamic/retrain:{record}"}, False)
            for record in ("TrainedModel", "DataVersion", "Promotion", "ModelBinding", "StackClaim")
        ),
    ],
)
def test_an_update_that_deletes_what_is_there_wants_a_yes(
    op: str, old: dict[str, Any], deletes: bool
) -> None:
    """A retraining in a pipeline deletes nothing and needs none; records and what is retained are left."""
    step = Planned(op, "urn:pulumi:dev::retraining::t::endpoint-studio", {**ENDPOINT, **old})
    if not deletes:
        refuse_unasked([step], "dev")
        return
    with pytest.raises(CliError, match="endpoint-studio, and there is nobody to ask"):
        refuse_unasked([step], "dev")
