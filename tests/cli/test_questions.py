"""What is asked on a terminal: what would happen is shown first, and nothing but a yes does it."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROGRAM = """
import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

class Provider(ResourceProvider):
    def create(self, props):
        return CreateResult("made", props)

class Thing(Resource):
    pass

Thing(Provider(), "thing", {"value": pulumi.Config().require("dataVersion")})
"""
DEV = """
import pathlib, sys
import cli.services.report
from cli import project
from cli.app import build
from cli.runners import embedded

embedded.ROOT = project.ROOT = pathlib.Path(sys.argv.pop(1))
cli.services.report.after_up = lambda *_: None
build()()
"""


@dataclass(frozen=True)
class Asked:
    """A command that somebody answered at a terminal: its output, and what it asked there."""

    exit_code: int
    out: str
    terminal: str


@pytest.fixture
def project(project_root: Path) -> Path:
    """A project with one resource."""
    (project_root / "__main__.py").write_text(PROGRAM)
    return project_root


def run(project: Path, verb: str, answers: str, *more: str) -> Asked:
    """`./dev <verb>` of this project, with a terminal at which these answers are typed."""
    master, slave = pty.openpty()
    command = [sys.executable, "-c", DEV, str(project), verb, "--engine", "embedded", *more]
    with subprocess.Popen(command, stdin=slave, stdout=subprocess.PIPE, stderr=slave, text=True) as process:
        os.close(slave)
        os.write(master, answers.encode())
        try:
            out = process.communicate(timeout=60)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    terminal = b""
    with contextlib.suppress(OSError):  # nobody is at the other end any more
        while part := os.read(master, 65536):
            terminal += part
    os.close(master)
    return Asked(process.returncode, out, terminal.decode())


def latest(project: Path) -> dict[str, Any]:
    """What the state holds."""
    checkpoint = project / ".pulumi/stacks/retraining/dev.json"
    return json.loads(checkpoint.read_text())["checkpoint"]["latest"] if checkpoint.exists() else {}


def names(states: list[dict[str, Any]]) -> list[str]:
    return [state["urn"].rpartition("::")[2] for state in states]


@pytest.mark.parametrize("answer", ["yeah\n", "\x04"])
def test_an_update_is_shown_and_nothing_but_a_yes_does_it(project: Path, answer: str) -> None:
    """No answer is none, and neither is Ctrl-D."""
    done = run(project, "up", answer)
    assert done.exit_code == 1
    assert "thing" in done.out
    assert "Perform this update of dev? [y/N]" in done.terminal
    assert "not confirmed, so nothing was done" in done.terminal
    assert latest(project) == {}
    assert run(project, "up", "y\n").exit_code == 0
    assert "thing" in names(latest(project)["resources"])


def test_a_destroy_shows_what_it_would_delete(project: Path) -> None:
    """Before it asks."""
    run(project, "up", "yes\n")
    there = latest(project)
    done = run(project, "destroy", "n\n")
    assert "answer y, or give --yes" in done.terminal
    assert done.exit_code == 1
    assert "thing" in done.out
    assert "2 to delete" in done.out
    assert latest(project) == there
    assert run(project, "destroy", "y\n").exit_code == 0
    assert "resources" not in latest(project)


def test_a_check_for_changes_is_for_what_is_done_and_not_for_what_is_shown(project: Path) -> None:
    """As with the CLI, an update that was to change nothing is done, and then red."""
    run(project, "up", "y\n")
    assert run(project, "refresh", "y\n", "--expect-no-changes").exit_code == 0
    done = run(project, "up", "y\n", "--expect-no-changes", "-c", "dataVersion=2013-05")
    assert done.exit_code == 1
    assert "no changes were expected" in done.out + done.terminal
    assert "2013-05" in json.dumps(latest(project))


@pytest.mark.parametrize(("answers", "kept"), [("n\ny\n", ["other"]), ("y\ny\n", [])])
def test_a_refresh_asks_of_what_was_being_created(project: Path, answers: str, kept: list[str]) -> None:
    """What an interrupted run was making may be there or not: only the user knows whether to forget it."""
    run(project, "up", "y\n")
    file = project / ".pulumi/stacks/retraining/dev.json"
    checkpoint = json.loads(file.read_text())
    thing = next(r for r in checkpoint["checkpoint"]["latest"]["resources"] if r["urn"].endswith("::thing"))
    other = {**thing, "urn": thing["urn"].replace("::thing", "::other"), "id": ""}
    checkpoint["checkpoint"]["latest"]["pending_operations"] = [{"resource": other, "type": "creating"}]
    file.write_text(json.dumps(checkpoint))
    done = run(project, "refresh", answers)
    assert "A run was cut off while it created other. Forget that" in done.terminal
    assert "Write this into the state of dev?" in done.terminal
    assert names([each["resource"] for each in latest(project).get("pending_operations", [])]) == kept


def test_taking_over_is_a_question(project: Path) -> None:
    """It is warned of what that means, and then asked as for any update."""
    done = run(project, "up", "n\n", "--take-over")
    assert done.exit_code == 1
    assert "whatever bears this stack's names becomes its own" in done.terminal
    assert "Perform this update of dev? [y/N]" in done.terminal
    assert latest(project) == {}
