"""Approving, pinning and unpinning: short keys, what would be done in words, and that nobody decides by accident."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import cli.services.registry
import cli.verbs.deploying.deploy
from cli import project
from cli.app import build
from cli.approving import approval, pin, unpin, waiting
from cli.approving.keys import the_one
from cli.errors import CliError
from cli.watching.records import Records
from retrain_hooks.registry.ledger import Ledger, Run
from tests.cli.test_verbs import a_state
from tests.healing import Told
from tests.unit.fakes import MemoryContainer

ROOT = Path(__file__).resolve().parents[2]
JANUARY, FEBRUARY, MARCH = (digit * 64 for digit in "abc")
NEARLY = JANUARY[:20] + "0" * 44
KEYS = {JANUARY: "2013-01", NEARLY: "2013-01", FEBRUARY: "2013-02"}
heals = pytest.mark.heals


def run(*arguments: str) -> Result:
    return CliRunner().invoke(build(), arguments)


@pytest.fixture
def file(project_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stack's file of a project with this one's keys; each preview is told of in `previewed`."""
    shutil.copy(ROOT / "Pulumi.yaml", project_root)
    project.project.cache_clear()
    file = project_root / "Pulumi.dev.yaml"
    file.write_text("# ours\nconfig:\n  retraining:dataVersion: 2013-02  # a month\n")
    return file


@pytest.fixture
def previewed(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """With which configuration updates were previewed."""
    seen: list[list[str]] = []
    monkeypatch.setattr(cli.verbs.deploying.deploy, "preview", lambda *, config, **_: seen.append([*config]))
    return seen


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """January's model, February's, and a run of March that failed."""
    container: Any = MemoryContainer()
    found = Ledger(container)
    for key, version, state in (
        (JANUARY, "2013-01", "finished"),
        (FEBRUARY, "2013-02", "finished"),
        (MARCH, "2013-03", "failed"),
    ):
        record = Run(key, "flights", {}, state, 1, sha256=version, metrics={"auc": 0.7})
        record = replace(record, data={"version": version})
        found.plan(record)
        container.put_model(record.address, version)
    registry = SimpleNamespace(ledger=found, container=container)
    monkeypatch.setattr(cli.services.registry, "open_registry", lambda _stack: registry)
    return found


def served(root: Path, *keys: str, bound: str = FEBRUARY) -> None:
    """A state in which runs wait for an approval, and one is bound."""
    ours = "pulumi-python:dynamic/retrain:"
    promotions = [
        {
            "type": f"{ours}Promotion",
            "outputs": {
                "verdict": "awaiting approval",
                "endpointName": f"retrained-{key[:1]}",
                "candidate": {"runKey": key, "dataVersion": KEYS[key]},
                "rules": [{"reason": "auc 0.78 >= 0.65"}],
            },
        }
        for key in keys
    ]
    binding = {"type": f"{ours}ModelBinding", "outputs": {"address": f"models/flights/{bound}/1.ilearner"}}
    a_state(root, resources=[*promotions, binding])


@heals("give {} digits or more: {}", at="cli/approving/keys.py")
@heals("give one of these: {}", at="cli/approving/keys.py")
@heals("give more digits: {}", at="cli/approving/keys.py")
def test_a_key_is_named_by_as_few_digits_as_tell_it_from_the_others(remedy: Told) -> None:
    """Four at least; what is too short, unknown or several is refused with those that there are."""
    for wrong in ("aaa", "dddd", "zzzz", "aaaa", JANUARY[:20], "", "a" * 65):
        error = remedy.fails(lambda wrong=wrong: the_one(wrong, KEYS, "runs that wait"))
        assert "2013-01" in error.remedy
    assert the_one("bbbb", KEYS, "runs that wait") == FEBRUARY
    assert the_one(" BBBBB ", KEYS, "runs that wait") == FEBRUARY
    both = remedy.fails(lambda: the_one("aaaa", KEYS, "runs that wait"))
    told = both.remedy.removeprefix("give more digits: ").split(", ")
    assert [the_one(one.split()[0], KEYS, "runs that wait") for one in told] == [JANUARY, NEARLY]


@heals("see what an update would do: ./dev preview -s {}", at="cli/approving/approval.py")
@heals("say which: {}", at="cli/approving/approval.py")
def test_what_waits_is_approved_where_it_is_clear_which(file: Path, remedy: Told) -> None:
    """By the only key, or by a short one; the whole one is written, and comments stay."""
    remedy.fails(lambda: approval("dev"))
    served(file.parent, JANUARY, FEBRUARY)
    told = remedy.fails(lambda: approval("dev")).remedy
    assert told == f"say which: {JANUARY[:12]} (2013-01), {FEBRUARY[:12]} (2013-02)"
    act = approval("dev", "bbbb")
    assert act.words == (
        f"run {FEBRUARY[:12]} of data version 2013-02 passed its gate: auc 0.78 >= 0.65",
        "the next update binds it to retrained-b",
        f"Pulumi.dev.yaml: approve: nothing → {FEBRUARY}",
    )
    before = file.read_text()
    act.carry_out()
    assert file.read_text() == f"{before}  retraining:approve: {FEBRUARY}\n"
    served(file.parent, JANUARY)
    approval("dev").carry_out()
    assert project.stack_config("dev")["retraining:approve"] == JANUARY


@heals("set the run's key: ./dev config set approve KEY -s {}", at="cli/approving/approval.py")
def test_a_state_elsewhere_is_not_known_here(
    file: Path, remedy: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits can't be told then; the key can be written all the same."""
    monkeypatch.setenv("PULUMI_BACKEND_URL", "https://api.pulumi.com")
    remedy.fails(lambda: waiting("dev"))
    assert run("config", "set", "approve", JANUARY).exit_code == 0
    assert project.stack_config("dev")["retraining:approve"] == JANUARY


@heals("look at it, and approve that: ./dev approve", at="cli/approving/approval.py")
def test_a_plan_of_watch_is_approved_as_it_was_seen(file: Path, remedy: Told) -> None:
    """One that has come in its place meanwhile is not, before somebody has seen it."""
    records = Records(file.parent / ".local" / "watch" / "dev")
    plan = {"reasons": ["new data: 2013-02.csv"], "runKeys": {"candidate": FEBRUARY}, "plan": ["8 s"]}
    records.plan = {**plan, "approve": "./dev up -s dev --expect b"}
    a_state(file.parent, resources=[])
    [one] = waiting("dev")
    assert (one.key, one.planned) == (FEBRUARY, True)
    act = approval("dev", "bbbb")
    assert act.words[:3] == (f"trains candidate {FEBRUARY[:12]}", "because new data: 2013-02.csv", "8 s")
    records.plan = {**plan, "approve": "./dev up -s dev --expect c"}
    remedy.fails(act.carry_out)
    approval("dev").carry_out()
    assert records.plan["approved"] is True
    assert waiting("dev") == []


@heals("name the run: ./dev pin KEY, as ./dev runs shows it", at="cli/approving/pinning.py")
def test_a_past_run_is_pinned_and_let_go_again(file: Path, ledger: Ledger, remedy: Told) -> None:
    """Without a key the one that serves; one without a model is none."""
    before = file.read_text()
    remedy.fails(lambda: pin("dev"))
    served(file.parent)
    assert pin("dev").value == FEBRUARY
    assert "it serves now" in pin("dev").words[1]
    act = pin("dev", JANUARY[:4])
    assert act.words[0] == f"run {JANUARY[:12]} of data version 2013-01: auc 0.700"
    assert "nothing is trained" in act.words[1]
    act.carry_out()
    assert project.stack_config("dev")["retraining:pin"] == JANUARY
    for gone in (MARCH, FEBRUARY):
        ledger.registry.delete(f"models/flights/{gone}/1.ilearner")
        with pytest.raises(CliError, match="none of the runs with a model") as refused:
            pin("dev", gone[:8])
        assert JANUARY[:12] in refused.value.remedy
        assert gone[:12] not in refused.value.remedy
    unpin("dev").carry_out()
    assert file.read_text() == before


@heals("set its data version instead: ./dev config set dataVersion VERSION -s {}")
def test_a_fleet_has_no_run_to_pin(file: Path, ledger: Ledger, remedy: Told) -> None:
    """Its members' models follow their data."""
    served(file.parent)
    file.write_text(file.read_text() + "  retraining:members: {column: dest}\n")
    remedy.fails(lambda: pin("dev", "aaaa"))
    assert run("config", "set", "dataVersion", "2013-03").exit_code == 0
    file.write_text(file.read_text().replace("members: {column: dest}", "members: {}"))
    assert pin("dev", "aaaa").value == JANUARY


@pytest.mark.parametrize("verb", [("approve", "aaaa"), ("pin", "aaaa"), ("unpin",)])
def test_a_pipe_decides_nothing(
    file: Path, ledger: Ledger, previewed: list[list[str]], verb: tuple[str, ...]
) -> None:
    """It is shown what would be done; with --yes it is, and with --dry-run it is not, whatever is said besides."""
    served(file.parent, JANUARY)
    if verb == ("unpin",):
        pin("dev", "aaaa").carry_out()
    before = file.read_text()
    refused = run(*verb)
    assert refused.exit_code == 2
    assert "There is no terminal to ask at" in refused.output
    assert previewed == []
    assert run(*verb, "--dry-run", "--yes").exit_code == 0
    assert file.read_text() == before
    done = run(*verb, "--yes")
    assert done.exit_code == 0, done.output
    key = {"approve": "approve"}.get(verb[0], "pin")
    value = "" if verb == ("unpin",) else JANUARY
    assert previewed == [[f"{key}={value}"]] * 2
    assert f"Pulumi.dev.yaml: {key}: " in done.output
    assert project.stack_config("dev").get(f"retraining:{key}", "") == value
    again = run(*verb, "--yes")
    assert "has it so already" in again.output
    assert len(previewed) == 2
