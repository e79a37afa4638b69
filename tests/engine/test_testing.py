"""The pytest plugin, used as another project would use it."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pulumi
import pytest
from pulumi.dynamic import ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider

from engine.testing import MakeStack, RunFailed, step
from tests.engine.conftest import Served, Thing

REPOSITORY = Path(__file__).parents[2]


def test_the_documented_example_passes(tmp_path: Path) -> None:
    """The code of docs/testing-programs.md is a test that another project could begin with."""
    text = (REPOSITORY / "docs" / "testing-programs.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n# (\w+\.py)\n(.*?)```", text, re.DOTALL)
    assert [name for name, _ in examples] == ["conftest.py", "test_program.py"]
    for name, code in examples:
        (tmp_path / name).write_text(code)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(tmp_path),
            str(tmp_path),
        ],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_a_function_has_previews_updates_drift_and_a_state(pulumi_stack: MakeStack, served: Served) -> None:
    """All verbs, with a provider that the test serves; a secret is in plain in outputs and encrypted in the state."""

    def program() -> None:
        thing = Thing(
            "one", {"value": pulumi.Config().require("value"), "token": pulumi.Output.secret("hidden")}
        )
        pulumi.export("echo", thing.echo)
        pulumi.export("token", pulumi.Output.secret("hidden"))

    stack = pulumi_stack(program, config={"value": "a"}, attach={"things": served.port})
    assert stack.preview().changes == {"create": 2}
    assert stack.up().outputs == {"echo": "echo a", "token": "[secret]"}
    assert stack.outputs == {"echo": "echo a", "token": "hidden"}
    assert "hidden" not in str(stack.state)
    one = stack.resource("one")
    served.things.store[one.id]["value"] = "drifted"
    assert step(stack.refresh(), "one").op == "update"
    assert stack.resource(one.urn).inputs["value"] == "drifted"
    assert step(stack.up(), "one").old == {
        **stack.resource("one").inputs,
        "value": "drifted",
        "token": "[secret]",
    }
    assert stack.destroy().changes == {"delete": 2}
    assert stack.resources == []


def test_a_run_that_fails_says_why(pulumi_stack: MakeStack, served: Served) -> None:
    """As an assertion's message, or in the result; a resource that isn't there is looked up in vain."""
    stack = pulumi_stack(lambda: Thing("one", {"bad": "weather"}), attach={"things": served.port})
    with pytest.raises(RunFailed, match="weather isn't good"):
        stack.up()
    assert not stack.up(check=False).ok
    with pytest.raises(LookupError, match="no resources are named 'one'"):
        stack.resource("one")


def test_a_project_stays_as_it_is(pulumi_stack: MakeStack, tmp_path: Path) -> None:
    """The program of a folder runs with that stack's configuration; state and salt are kept elsewhere."""
    project = tmp_path / "project"
    project.mkdir()
    files = {
        "Pulumi.yaml": "name: demo\nruntime: python\n",
        "Pulumi.test.yaml": "config:\n  demo:whom: Ada\n",
        "__main__.py": "import pulumi\n"
        "whom = pulumi.Config().require('whom')\n"
        "pulumi.export('greeting', pulumi.Output.secret(f'Hello, {whom}'))\n",
    }
    for name, text in files.items():
        (project / name).write_text(text)
    stack = pulumi_stack(project)
    stack.up()
    assert stack.outputs == {"greeting": "Hello, Ada"}
    assert stack.preview().changes == {"same": 1}
    assert {p.name: p.read_text() for p in project.iterdir() if p.is_file()} == files
    assert list(project.glob(".pulumi")) == []


def test_runs_leave_the_pickler_as_it_was(pulumi_stack: MakeStack) -> None:
    """So that the resources of all tests of a process don't add up to a RecursionError."""
    before = vars(pickle._Pickler).copy()  # type: ignore[attr-defined]
    during: list[bool] = []

    def program() -> None:
        serialize_provider(ResourceProvider())
        during.append(dict(vars(pickle._Pickler)) == before)  # type: ignore[attr-defined]

    stack = pulumi_stack(program)
    stack.preview()
    stack.up()
    assert during == [False, False]  # Pulumi still does it
    assert dict(vars(pickle._Pickler)) == before  # type: ignore[attr-defined]
