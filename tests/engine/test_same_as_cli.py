"""The real CLI and the embedded engine do the same: calls to the provider, preview, state."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import types
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import engine
from engine.events import Result
from tests.engine.conftest import Stack
from tests.engine.scenarios import SCENARIOS, SDK, Scenario
from tests.engine.things import Served, Things

pytestmark = [
    pytest.mark.cli,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="the Pulumi CLI isn't on PATH"),
]
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
HIDDEN = (
    "same",
    "create-replacement",
    "read-replacement",
    "delete-replaced",
    "discard-replaced",
)  # the CLI shows one step: replace
NAMED = "urn:pulumi:dev::demo::things:index:Thing::{}"
PASSPHRASE = "correct horse"
SALT = "v1:mzuLmwXtNfQ=:v1:bqbkC2qoQ3O35FQe:aROAuaXUAABjXbzllIltknokUPBmog=="


class Cli:
    """The real CLI in a project's folder."""

    def __init__(self, root: Path, home: Path, served: Served) -> None:
        self.root = root
        # Without plugins to find, the CLI still asks pip for the installed packages; this one has none.
        fake = home / "fake"
        (fake / "pip").mkdir(parents=True)
        (fake / "pip" / "__init__.py").write_text("")
        (fake / "pip" / "__main__.py").write_text("print('[]')\n")
        self.env = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(fake),
            "PULUMI_HOME": str(home),
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DEBUG_PROVIDERS": f"things:{served.port}",
        }

    def init(self) -> None:
        """Make the stack."""
        command = ["pulumi", "stack", "init", "dev"]
        subprocess.run(command, cwd=self.root, env=self.env, check=True, capture_output=True)

    def run(self, *args: str) -> tuple[bool, str]:
        """Whether one command did well, and its output."""
        done = subprocess.run(
            ["pulumi", *args, "--stack", "dev", "--non-interactive"],
            cwd=self.root,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.returncode == 0, done.stdout if done.returncode == 0 else done.stdout + done.stderr

    def preview(self, *args: str) -> tuple[bool, str]:
        """What would be done, as JSON; where that fails, what is said."""
        well, output = self.run("preview", "--json", *args)
        if not well:
            output = "\n".join(
                d["message"] for d in json.loads(output[: output.rindex("}") + 1])["diagnostics"]
            )
        return well, output


def tidy(value: Any) -> Any:
    """A value with ids, unknowns and ciphertexts made comparable."""
    if isinstance(value, dict):
        if "ciphertext" in value:
            return "[secret]"
        return {
            k: tidy(v)
            for k, v in value.items()
            if k not in ("created", "modified", "sourcePosition", "stackTrace")
        }
    if isinstance(value, list):
        return [tidy(v) for v in value]
    if isinstance(value, str):
        return "[unknown]" if value == UNKNOWN else UUID.sub("UUID", value)
    return value


def state(root: Path) -> dict[str, Any]:
    """The state's resources by URN and place, without times; its version and features."""
    checkpoint = json.loads((root / ".pulumi/stacks/demo/dev.json").read_text())
    latest = checkpoint["checkpoint"]["latest"]
    assert not latest.get("pending_operations")
    found: dict[str, Any] = {"format": {k: checkpoint.get(k) for k in ("version", "features")}}
    for resource in tidy(latest.get("resources", [])):
        resource["dependencies"] = sorted(resource.get("dependencies", []))
        resource["propertyDependencies"] = {
            k: sorted(v) for k, v in resource.get("propertyDependencies", {}).items()
        }
        found[f"{resource['urn']}{' (delete)' if resource.get('delete') else ''}"] = resource
    return found


def cli_steps(output: str) -> list[tuple[Any, ...]]:
    """Operation, URN and new inputs of each step of `pulumi preview --json`."""
    steps = []
    for step in json.loads(output)["steps"]:
        if step["op"] in HIDDEN:
            continue
        new = tidy((step.get("newState") or {}).get("inputs"))
        steps.append((step["op"], step["urn"], json.dumps(new or {}, sort_keys=True)))
    return sorted(steps)


def hooks(root: Path) -> list[str]:
    """What the program's hooks were told, each call a line; ids and unknowns made comparable."""
    path = root / "hooks.jsonl"
    return (
        sorted(json.dumps(tidy(json.loads(line)), sort_keys=True) for line in path.read_text().splitlines())
        if path.exists()
        else []
    )


def reason(failure: str) -> str:
    """What both engines say of a failure; ours goes on with a remedy, and shows values without Go's braces."""
    return failure.splitlines()[0].rsplit(" has a problem: ")[-1]


def exchange_states(ours: Path, theirs: Path) -> None:
    """Each engine goes on from the other's state."""
    first, second = (root / ".pulumi/stacks/demo/dev.json" for root in (ours, theirs))
    mine = first.read_text()
    first.write_text(second.read_text())
    second.write_text(mine)


def our_steps(result: Result) -> list[tuple[Any, ...]]:
    """The same of our preview."""
    return sorted(
        (s.op, s.urn, json.dumps(tidy(s.new or {}), sort_keys=True))
        for s in result.steps
        if s.op not in HIDDEN
    )


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """What is not equal, readable."""
    found = []
    for urn in sorted({*ours, *theirs}):
        mine, other = ours.get(urn, {}), theirs.get(urn, {})
        for key in sorted({*mine, *other}):
            if mine.get(key) != other.get(key):
                found.append(
                    f"{urn.rsplit('::', 1)[-1]}.{key}: ours {mine.get(key)!r}, the CLI's {other.get(key)!r}"
                )
    return found


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[Stack, Cli, Served]]:
    ours, theirs = Served(Things()), Served(Things())
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Pulumi.yaml").write_text(
            "name: demo\nruntime: python\nbackend:\n  url: file://.\n"
        )
        (tmp_path / name / "sdk.py").write_text(SDK)
    yield (
        Stack(tmp_path / "ours", ours, passphrase=PASSPHRASE),
        Cli(tmp_path / "theirs", tmp_path / "home", theirs),
        theirs,
    )
    ours.close()
    theirs.close()


def write(root: Path, scenario: Scenario, step: int) -> None:
    (root / "__main__.py").write_text("from sdk import *\n" + scenario.program)
    (root / "Pulumi.dev.yaml").write_text(f"encryptionsalt: {SALT}\nconfig:\n  demo:step: {step}\n")


def in_process(root: Path) -> Any:
    """The program as a function: its folder isn't on the path, its module `sdk` is made anew for each run."""

    def program() -> None:
        module = types.ModuleType("sdk")
        exec(compile(SDK, "sdk.py", "exec"), module.__dict__)
        sys.modules["sdk"] = module
        runpy.run_path(str(root / "__main__.py"), run_name="__main__")

    return program


def calls_of(things: Things, command: str) -> list[tuple[str, str]]:
    """What a provider was asked; of a destroy without diffs, which the CLI asks for and makes nothing of."""
    ignored = ("cancel", "configure", "diff") if command == "destroy" else ("cancel", "configure")
    return sorted(c for c in things.calls if c[0] not in ignored)


def run_ours(stack: Stack, command: str, arguments: list[str]) -> Result:
    """The CLI's command, by the embedded engine."""
    options: dict[str, Any] = {
        "refresh": "--refresh" in arguments,
        "continue_on_error": "--continue-on-error" in arguments,
        "targets": tuple(value for name, value in pairwise(arguments) if name == "--target"),
    }
    if command in ("preview", "up"):
        return getattr(stack, command)(in_process(stack.root), **options)
    return getattr(stack, command)(**options)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name.replace(" ", "-"))
def test_both_engines_do_the_same(both: tuple[Stack, Cli, Served], scenario: Scenario) -> None:
    """Previewed steps with their inputs, the provider's calls and the state are equal after each run."""
    stack, cli, theirs = both
    write(cli.root, scenario, 1)
    cli.init()
    for verb, step in scenario.runs:
        for root in (stack.root, cli.root):
            write(root, scenario, step)
        theirs.things.calls.clear()
        where = f"{verb} {step}"
        if verb == "drift":
            for things in (stack.things, theirs.things):
                things.store["a-1"]["value"] = "drifted"
                things.store["b-1"]["echo"] = "other echo"
                things.store.pop("c-1", None)
            continue
        command, *arguments = [NAMED.format(word) if word in "abcdefxy" else word for word in verb.split()]
        if command == "preview":
            well, output = cli.preview(*arguments)
        else:
            well, output = cli.run(command, "--yes", "--skip-preview", *arguments)
        result = run_ours(stack, command, arguments)
        if command == "preview" and well:
            assert our_steps(result) == cli_steps(output), where
        assert result.ok == well, (where, result.failures, output)
        assert [f for f in result.failures if reason(f) not in output] == [], (where, output)
        assert hooks(stack.root) == hooks(cli.root), where
        assert calls_of(stack.things, command) == calls_of(theirs.things, command), where
        if command != "preview":
            assert differences(state(stack.root), state(cli.root)) == [], where
    exchange_states(stack.root, cli.root)
    well, output = cli.preview()
    result = stack.preview(in_process(stack.root))
    assert result.ok == well
    assert not well or our_steps(result) == cli_steps(output), "with the other's state"


def test_what_one_exports_the_other_imports(both: tuple[Stack, Cli, Served]) -> None:
    """Exports are equal, times and ciphertexts aside; after an import of the other's nothing is to be done."""
    stack, cli, _ = both
    scenario = next(s for s in SCENARIOS if s.name.startswith("hooks: before"))
    for root in (stack.root, cli.root):
        write(root, scenario, 2)
    cli.init()
    assert stack.up(in_process(stack.root)).ok
    assert cli.run("up", "--yes", "--skip-preview")[0]
    theirs = json.loads(cli.run("stack", "export")[1])
    ours = engine.export_stack(stack.ws)
    for exported in (ours, theirs):
        exported["deployment"]["manifest"].pop("time")
        exported["deployment"]["resources"].sort(key=lambda r: r["urn"])
    assert json.dumps(tidy(ours), sort_keys=True) == json.dumps(tidy(theirs), sort_keys=True)
    (cli.root / "exported").write_text(json.dumps(engine.export_stack(stack.ws)))
    engine.import_stack(stack.ws, json.loads(cli.run("stack", "export")[1]), warn=pytest.fail)
    well, output = cli.run("stack", "import", "--file", "exported")
    assert well, output
    assert cli.run("preview", "--expect-no-changes")[0]
    assert stack.preview(in_process(stack.root), expect_no_changes=True).ok
