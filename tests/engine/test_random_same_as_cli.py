"""Random programs, edited at random while calls fail at random, on the real CLI and on the embedded engine.

`--histories 200 --seed 1000` plays more of them, from that seed on. One that differs is shown with its programs; what is
left of it when it has been made small by hand belongs to `programs/found.py`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from engine.events import StepFailed, StepFinished, StepStarted
from tests.engine.comparable import URN, tidy
from tests.engine.playing import Cli, Embedded, Outcome, Player
from tests.engine.random_histories import History, Maker, Resource, Run, body, source
from tests.engine.scenarios import Scenario
from tests.engine.things import plain

WENT_WRONG = re.compile("(create|update|delete|read) went wrong|not ready")
DELETING = re.compile(r"((begun|done|failed) )?(delete|discard|remove)")
COMPONENT = re.compile(r"(pulumi:pulumi:Stack|things:index:Group)::")
pytestmark = [
    pytest.mark.cli,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="the Pulumi CLI isn't on PATH"),
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each history that is asked for."""
    if "seed" in metafunc.fixturenames:
        first = metafunc.config.getoption("--seed")
        metafunc.parametrize("seed", range(first, first + metafunc.config.getoption("--histories")))


def test_a_random_history_is_the_same_on_both_engines(seed: int) -> None:
    """After each run all that can be compared is equal: green or red and why, steps, calls with all that they say, hooks,
    what exists then, the state in its order with what is pending."""
    history = Maker(seed).history()
    found = compared(history)
    assert found == [], "\n".join([*shown(history), *found])


def shown(history: History) -> list[str]:
    """The history's runs, readable."""
    lines = [f"serial: {history.serial}, provider: {history.provider}"]
    before: tuple[Resource, ...] = ()
    for run in history.runs:
        lines.append(f"--- {' '.join(run.verb(before))}; fail: {sorted(run.failing)}; drift: {run.drift}")
        lines += body(run, history.serial)
        before = run.program
    return lines


def played(player: Player, history: History, run: Run, before: tuple[Resource, ...]) -> Outcome:
    """What one run came to: all in order where the program is serial."""
    things = player.served.things
    player.write(Scenario("random", source(run, history.serial), provider=history.provider), 1)
    drift(things.store, run)
    things.failing = set(run.failing)
    things.calls.clear()
    things.requests.clear()
    (player.root / "hooks.jsonl").unlink(missing_ok=True)
    command, *arguments = run.verb(before)
    outcome = player.run(command, arguments)
    asked = [asked_of(method, request) for method, request in things.requests]
    if (
        command == "destroy" or run.targets
    ):  # the CLI asks for diffs of what is to be deleted, and makes nothing of them
        registered = {a.split()[1] for a in asked if a.startswith("check")}
        asked = [a for a in asked if not a.startswith("diff") or a.split()[1] in registered]
    told = unordered_deletes(told_by(player, command == "preview"))
    outcome |= {
        "asked": unordered_deletes(asked),
        "told": told,
        "hooks": player.hooks(),
        "state": state(player),
    }
    outcome["store"] = {k: things.store[k] for k in sorted(things.store)}
    outcome["whole"] = is_whole(outcome["state"])
    if not history.serial:
        outcome["asked"].sort()
        outcome["told"].sort()
        outcome["state"] = sorted(outcome["state"], key=lambda r: json.dumps(r, sort_keys=True))
    outcome.pop("steps", None)
    return tidy(json.loads(json.dumps(outcome)))


def drift(store: dict[str, dict[str, Any]], run: Run) -> None:
    """Change what exists behind the engine's back."""
    for name, kind in run.drift:
        for id_ in [i for i in store if i.startswith(f"{name}-")]:
            if kind == "gone":
                del store[id_]
            elif kind == "added":
                store[id_]["extra"] = [1]
            else:
                store[id_][kind] = "drifted"


def asked_of(method: str, request: Any) -> str:
    """A call of the provider with all that it says."""
    hidden = ("name", "type", "randomSeed", "resource_status_address", "resource_status_token")
    said = {
        f.name: plain(value) if f.message_type and f.message_type.name == "Struct" else str(value)
        for f, value in request.ListFields()
        if f.name not in hidden
    }
    return f"{method} {request.name} {json.dumps(tidy(said), sort_keys=True)}"


def told_by(player: Player, preview: bool) -> list[str]:
    """What was told of the steps while they were carried out."""
    told: list[tuple[str, str, str]] = []
    if isinstance(player, Embedded):
        for event in player.stack.events:
            if isinstance(event, StepStarted | StepFinished | StepFailed):
                kind = {StepStarted: "begun", StepFinished: "done", StepFailed: "failed"}[type(event)]
                told.append((kind, event.step.op, event.step.urn))
    else:
        names = {"resourcePreEvent": "begun", "resOutputsEvent": "done", "resOpFailedEvent": "failed"}
        log = player.root / "events.json"  # there is none where the CLI can't begin
        for line in filter(None, log.read_text().splitlines() if log.exists() else []):
            for name, event in json.loads(line).items():
                if name in names:
                    told.append((names[name], event["metadata"]["op"], event["metadata"]["urn"]))
    return list(comparable(told, preview))


def comparable(told: list[tuple[str, str, str]], preview: bool) -> Iterator[str]:
    """What is told alike: not `same`, nor the end of components, which the CLI tells when it has their outputs, nor what
    a refresh came to, nor failures of what hadn't begun or of previews, of which the CLI only says why."""
    begun: dict[str, str] = {}
    for kind, op, urn in told:
        known = begun.pop(urn, None) if kind != "begun" else op
        if kind == "begun":
            begun[urn] = op
        if kind == "failed" and (preview or known is None):
            continue
        if (
            known == "same"
            or "::default" in urn
            or (kind == "done" and known != "refresh" and COMPONENT.search(urn))
        ):
            continue
        yield f"{kind} {'refresh' if known == 'refresh' else op} {urn.removeprefix(URN)}"


def unordered_deletes(lines: list[str]) -> list[str]:
    """Deletes that follow each other in any order: the CLI begins those that rest on nothing of each other at random."""
    blocks = groupby(lines, key=lambda line: DELETING.match(line) is not None)
    return [line for deleting, block in blocks for line in (sorted(block) if deleting else block)]


def state(player: Player) -> list[Any]:
    """The state's resources in their order, and what was under way."""
    if not player.state_file.exists():
        return []
    latest = json.loads(player.state_file.read_text())["checkpoint"]["latest"]
    kept = []
    for resource in tidy(latest.get("resources", [])):
        resource["dependencies"] = sorted(resource.get("dependencies", []))
        properties = resource.get("propertyDependencies", {})
        resource["propertyDependencies"] = {k: sorted(v) for k, v in properties.items()}
        kept.append(resource)
    kept += [f"{p['type']} {p['resource']['urn']}" for p in latest.get("pending_operations") or []]
    return kept


def compared(history: History) -> list[str]:
    """How the engines differ in the first run in which they do."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            theirs = play(Cli(Path(folder) / "cli", Path(folder) / "home"), history)
        except subprocess.TimeoutExpired:
            pytest.skip("the CLI hangs, as it does at times when it goes on after a failed delete")
        ours = play(Embedded(Path(folder) / "embedded"), history)
    for run, mine, others in zip(history.runs, ours, theirs, strict=False):
        said = {*mine["said"], *others["said"]}
        if not history.serial and any("does not exist" in reason for reason in said):
            return []  # what is read may be made at the same time
        if stopped_at_random(history, run, others["said"]):
            return differences(mine["well"], others["well"], run.command)
        if not others["whole"]:
            # Going on after errors, the CLI may delete what others rest on, and refuses its own state from then on.
            return [] if mine["whole"] else ["the state isn't whole"]
        if run.command.startswith("destroy --run-program") and not others["well"]:
            # What a delete that failed rests on, the CLI may delete all the same.
            return differences(mine["well"], others["well"], run.command) + ["not whole"] * (
                not mine["whole"]
            )
        if found := differences(mine, others, run.command):
            return [f"run {ours.index(mine) + 1} differs", *found]
    return []


def is_whole(state: list[Any]) -> bool:
    """Whether all that a resource depends on, its parent and its provider come before it, and none is there twice."""
    there: set[str | None] = {None}
    resources = [each for each in state if isinstance(each, dict)]
    live = [each["urn"] for each in resources if not each.get("delete")]
    if len(live) > len(set(live)):
        return False
    for resource in resources:
        provider = resource.get("provider", "").rpartition("::")[0] or None
        if not {*resource["dependencies"], resource.get("parent"), provider} <= there:
            return False
        there.add(resource["urn"])
    return True


def stopped_at_random(history: History, run: Run, said: list[str]) -> bool:
    """Whether it is chance what had begun before a run was stopped, and so all after it: something other than a call that
    failed stops what is under way, and what the SDK finds wrong ends the program sooner or later."""
    invokes = any("double(" in value for each in run.program for value in each.props.values())  # and may fail
    if any("unhandled exception" in reason for reason in said) and (invokes or not run.raises):
        return True
    return not history.serial and not all(WENT_WRONG.search(reason) for reason in said)


def play(player: Player, history: History) -> list[Outcome]:
    """What each run came to, until the state isn't whole any more."""
    outcomes = []
    before: tuple[Resource, ...] = ()
    try:
        for run in history.runs:
            outcomes.append(played(player, history, run, before))
            if not outcomes[-1]["whole"]:
                break
            before = run.program
    finally:
        player.close()
    return outcomes


def differences(ours: Any, theirs: Any, where: str) -> list[str]:
    """What is not equal, readable."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        keys = sorted({*ours, *theirs})
        return [d for k in keys for d in differences(ours.get(k), theirs.get(k), f"{where} / {k}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [d for i, (a, b) in pairs for d in differences(a, b, f"{where}[{i}]")]
    if ours == theirs or json.dumps(ours, sort_keys=True) == json.dumps(theirs, sort_keys=True):
        return []
    return [f"{where}:\n  ours       {ours!r}\n  the CLI's  {theirs!r}"]
