"""Which stacks a verb takes: a mistyped name is refused before anything is read, on both engines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_verbs import a_state, run

ENGINES = ("embedded", "pulumi")
VERBS = (
    ["up"],
    ["preview"],
    ["refresh"],
    ["destroy"],
    ["output"],
    ["config", "get"],
    ["config", "set", "seed", "1"],
)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_stack_that_is_not_there_is_refused(
    project_root: Path, fake_pulumi: Any, verb: list[str], engine: str
) -> None:
    """The error names the nearest stack and how to make one; nothing is written, no engine is asked."""
    more = [] if verb[0] == "config" else ["--engine", engine]
    done = run(*verb, "-s", "devv", *more)
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "error: the stack devv has no file Pulumi.devv.yaml",
        "remedy: use -s dev, or make it with ./dev stack init devv",
    ]
    assert fake_pulumi.asked() == []
    assert sorted(path.name for path in project_root.iterdir()) == ["Pulumi.dev.yaml", "Pulumi.yaml"]


@pytest.mark.parametrize("verb", [*VERBS, ["stack", "export"], ["stack", "init"], ["runs"]], ids=" ".join)
def test_a_name_with_a_slash_is_refused(project_root: Path, fake_pulumi: Any, verb: list[str]) -> None:
    """As the CLI's file backend does: it has one organization, and would else take two names for one."""
    (project_root / "Pulumi.fix.yaml").write_text("config: {}\n")
    a_state(project_root, "fix")
    done = run(*verb, *([] if verb[-1] == "init" else ["-s"]), "anna/fix")
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "error: the stack name 'anna/fix' has a slash",
        "remedy: name the stack without one, for example anna-fix",
    ]


@pytest.mark.parametrize("name", ["organization/dev", "organization/retraining/dev"])
def test_the_clis_full_names_are_taken(project_root: Path, fake_pulumi: Any, name: str) -> None:
    """They stand for the plain one."""
    assert run("preview", "-s", name, "--engine", "pulumi").exit_code == 0
    assert fake_pulumi.asked()[-1]["arguments"][:3] == ["preview", "--stack", "dev"]


@pytest.mark.parametrize("name", ["", "a b", "a" * 101, "ä"])
def test_what_is_no_name_is_refused(project_root: Path, name: str) -> None:
    """The CLI's rule."""
    assert "is not a stack name" in run("stack", "init", name).output


@pytest.mark.parametrize("made", ["by hand", "by init"])
def test_a_stack_is_made_by_its_file(project_root: Path, fake_pulumi: Any, made: str) -> None:
    """By `stack init` or with an editor; from then on it is a stack like any other, and listed."""
    if made == "by init":
        assert run("stack", "init", "other").exit_code == 0
    else:
        (project_root / "Pulumi.other.yaml").write_bytes((project_root / "Pulumi.dev.yaml").read_bytes())
    assert run("stack", "init", "other").exit_code == 1
    assert run("preview", "-s", "other", "--engine", "pulumi").exit_code == 0
    assert run("config", "set", "dataVersion", "2013-07", "-s", "other").exit_code == 0
    assert run("config", "get", "dataVersion", "-s", "other").output == "2013-07\n"
    listed = json.loads(run("stack", "ls", "--json").output)
    assert [(each["name"], each["resourceCount"]) for each in listed] == [("dev", 0), ("other", 0)]


def test_a_stack_that_lost_its_file_can_be_read_and_destroyed(project_root: Path, fake_pulumi: Any) -> None:
    """Nothing that is deployed is out of reach; but an update would deploy it from defaults."""
    a_state(project_root, "old")
    for verb in (["output"], ["refresh"], ["destroy", "--yes"]):
        assert run(*verb, "-s", "old", "--engine", "pulumi").exit_code == 0
    assert [each["name"] for each in json.loads(run("stack", "ls", "--json").output)] == ["dev", "old"]
    assert run("up", "-s", "old", "--engine", "pulumi").exit_code == 1
