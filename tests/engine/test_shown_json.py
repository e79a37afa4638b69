"""`--json` has what `pulumi preview --json` has, so that a script which reads the one reads the other.

What the CLI printed is on record in `shown/`; `--record` writes it anew where the CLI is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.views.json_view import digest
from engine.events import Event
from tests.engine import golden
from tests.engine.comparable import tidy
from tests.engine.playing import Cli, Embedded
from tests.engine.programs import PROGRAMS
from tests.engine.scenarios import Scenario
from tests.engine.test_same_as_cli import cli, differences, embedded, with_cli

__all__ = ["cli", "embedded"]

NAMES = (
    "a diff left",
    "options: ignoreChanges",
    "secrets: what was plain",
    "explicit providers",
    "references to",
)
SHOWN = [next(s for s in PROGRAMS if s.name.startswith(name)) for name in NAMES]
each_program = pytest.mark.parametrize("scenario", SHOWN, ids=lambda s: golden.path_of(s).stem)


def record(scenario: Scenario) -> Path:
    """The file of what the CLI printed."""
    return Path(__file__).with_name("shown") / golden.path_of(scenario).name


def steps_by_urn(digest: dict[str, Any]) -> dict[str, Any]:
    """The preview with its steps by what they are about; ids and times made comparable."""
    steps = {f"{step['urn']} {step['op']}": _in_order(tidy(step)) for step in digest["steps"]}
    kept = {key: digest.get(key) for key in ("config", "changeSummary")}
    return {**kept, "steps": steps, "duration": isinstance(digest["duration"], int)}


def _in_order(step: dict[str, Any]) -> dict[str, Any]:
    for state in filter(None, (step.get("oldState"), step.get("newState"))):
        if "dependencies" in state:
            state["dependencies"].sort()
        for urns in state.get("propertyDependencies", {}).values():
            urns.sort()
    for reasons in ("diffReasons", "replaceReasons"):
        if reasons in step:
            step[reasons] = sorted(step[reasons])
    return step


def known_to(theirs: Any, ours: Any) -> Any:
    """Ours, without what the CLI has no word of."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return {key: known_to(theirs[key], ours[key]) for key in theirs if key in ours}
    return ours


@each_program
def test_json_has_all_that_the_clis_has(embedded: Embedded, scenario: Scenario) -> None:
    """Steps with their operation, URN, provider, states, reasons and detailed diff; configuration and counts."""
    embedded.write(scenario, 1)
    embedded.run("up", [])
    embedded.write(scenario, 2)
    told: list[Event] = []
    embedded.listen = told.append
    embedded.run("preview", [])
    assert embedded.result is not None
    config = {key: value.text for key, value in embedded.stack.ws.config().items()}
    ours = steps_by_urn(json.loads(json.dumps(digest(embedded.result, told, config))))
    theirs = json.loads(record(scenario).read_text())
    assert differences(known_to(theirs, ours), theirs) == []


@with_cli
@each_program
def test_the_clis_json_is_what_is_on_record(
    cli: Cli, scenario: Scenario, request: pytest.FixtureRequest
) -> None:
    """So that the record is that of a CLI of today."""
    cli.write(scenario, 1)
    cli.run("up", [])
    cli.write(scenario, 2)
    theirs = steps_by_urn(json.loads(cli.printed("preview", "--json")))
    if request.config.getoption("--record"):
        record(scenario).write_text(golden.text(theirs, depth=3) + "\n")
    assert differences(json.loads(record(scenario).read_text()), theirs) == []


def test_messages_are_in_it(embedded: Embedded) -> None:
    """Diagnostics have URN, severity and message, as the CLI's have."""
    scenario = next(s for s in PROGRAMS if s.name.startswith("a program that is found wrong"))
    embedded.write(scenario, 1)
    told: list[Event] = []
    embedded.listen = told.append
    embedded.run("preview", [])
    assert embedded.result is not None
    [said] = digest(embedded.result, told)["diagnostics"]
    assert said["severity"] == "error"
    assert said["urn"] == "urn:pulumi:dev::demo::things:index:Thing::bad"
    assert said["message"].startswith("error: things:index:Thing resource 'bad'")
