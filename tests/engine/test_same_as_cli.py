"""The real CLI and the embedded engine do the same: calls to the provider, previews, hooks, failures, state.

What the CLI did is on record in `golden/`, so that the comparison runs where there is no CLI, too. Where it is on PATH,
it is asked again: the record must hold, and each engine must go on from the other's state. `--record` writes it anew.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import engine
from tests.engine import behaviours, golden
from tests.engine.comparable import tidy
from tests.engine.playing import Cli, Embedded
from tests.engine.programs import PROGRAMS
from tests.engine.scenarios import Scenario

REFUSED = "refused: "
OUT_OF_DATE = "docs/embedded-engine.md is out of date. ./dev docs embedded-engine writes it."
each_scenario = pytest.mark.parametrize("scenario", PROGRAMS, ids=lambda s: golden.path_of(s).stem)


def with_cli(test: Any) -> Any:
    """A test that needs the Pulumi CLI."""
    missing = shutil.which("pulumi") is None
    return pytest.mark.cli(pytest.mark.skipif(missing, reason="the Pulumi CLI isn't on PATH")(test))


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Embedded]:
    player = Embedded(tmp_path / "embedded")
    yield player
    player.close()


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    player = Cli(tmp_path / "cli", tmp_path / "home")
    yield player
    player.close()


def differences(ours: Any, theirs: Any, where: str = "") -> list[str]:
    """What is not equal, readable."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        keys = sorted({*ours, *theirs})
        return [d for k in keys for d in differences(ours.get(k), theirs.get(k), f"{where} / {k}")]
    return [] if ours == theirs else [f"{where}: ours {ours!r}, the CLI's {theirs!r}"]


@each_scenario
def test_the_embedded_engine_does_what_the_cli_did(embedded: Embedded, scenario: Scenario) -> None:
    """After each run of the scenario all that is on record is equal, or refused by name; or it differs as documented."""
    ours, theirs = json.loads(json.dumps(embedded.play(scenario))), golden.read(scenario)["runs"]
    if scenario.differs.startswith(REFUSED):
        name = scenario.differs.removeprefix(REFUSED)
        assert embedded.told.count(f"{name}: not implemented by the embedded engine") >= len(ours)
        for outcome in ours.values():
            assert not outcome["well"]
            made = sum(call.startswith("create") for call in outcome["calls"])
            assert made < max(scenario.program.count("Thing("), 1)
    elif scenario.differs:
        assert differences(ours, theirs) != [], "it is the same now: nothing differs any more"
    else:
        assert differences(ours, theirs) == []
    assert behaviours.row(scenario, ours, theirs) in behaviours.documented(), OUT_OF_DATE


@with_cli
@each_scenario
def test_the_cli_does_what_is_on_record(
    cli: Cli, embedded: Embedded, scenario: Scenario, request: pytest.FixtureRequest
) -> None:
    """And both preview the same when each has the other's state."""
    theirs = json.loads(json.dumps(cli.play(scenario)))
    if request.config.getoption("--record"):
        version = subprocess.run(
            ["pulumi", "version"], capture_output=True, text=True, env=cli.env, check=True
        )
        golden.write(scenario, version.stdout.strip(), theirs)
    assert differences(theirs, golden.read(scenario)["runs"]) == []
    embedded.play(scenario)
    if scenario.differs or not cli.state_file.exists():
        return
    exchange_states(embedded.state_file, cli.state_file)
    assert differences(embedded.run("preview", []), cli.run("preview", [])) == []


def exchange_states(ours: Path, theirs: Path) -> None:
    """Each engine goes on from the other's state."""
    mine = ours.read_text()
    ours.write_text(theirs.read_text())
    theirs.write_text(mine)


@with_cli
def test_what_one_exports_the_other_imports(cli: Cli, embedded: Embedded) -> None:
    """Exports are equal, times and ciphertexts aside; after an import of the other's nothing is to be done."""
    scenario = next(s for s in PROGRAMS if s.name.startswith("hooks: before"))
    for player in (cli, embedded):
        player.write(scenario, 2)
        assert player.run("up", [])["well"]
    workspace = embedded.stack.ws
    ours, theirs = engine.export_stack(workspace), json.loads(cli.call("stack", "export")[1])
    (cli.root / "exported").write_text(json.dumps(ours))
    engine.import_stack(workspace, theirs, warn=pytest.fail)
    well, output = cli.call("stack", "import", "--file", "exported")
    assert well, output
    assert cli.call("preview", "--expect-no-changes")[0]
    assert embedded.stack.preview(embedded.program, expect_no_changes=True).ok
    for exported in (ours, theirs):
        exported["deployment"]["manifest"].pop("time")
        exported["deployment"]["resources"].sort(key=lambda r: r["urn"])
    assert json.dumps(tidy(ours), sort_keys=True) == json.dumps(tidy(theirs), sort_keys=True)


def test_nothing_is_on_record_of_a_scenario_that_there_is_not() -> None:
    """A renamed scenario leaves no file behind."""
    assert {p.name for p in golden.FOLDER.iterdir()} == {golden.path_of(s).name for s in PROGRAMS}


def test_the_documentation_has_a_row_for_each_behaviour_in_order() -> None:
    """No behaviour is missing in the table, and none has gone from the scenarios."""
    head, rows = behaviours.documented()[:2], behaviours.documented()[2:]
    assert head == behaviours.head(), OUT_OF_DATE
    assert [row.split(" | ")[0] for row in rows] == [f"| {s.name}" for s in PROGRAMS], OUT_OF_DATE
