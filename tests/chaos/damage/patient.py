"""Plays histories with damage: each update after one is helped as its own messages say, and what it serves is scored."""

from __future__ import annotations

import csv
import io
import json
import re
import time
import traceback
from collections import defaultdict
from typing import Any

import pandas as pd

from graph import Scorer, parse_experiment
from retrain_hooks.registry.run_key import key_of
from tests.chaos import program
from tests.chaos.campaign import Outcome
from tests.chaos.damage.damager import Damager
from tests.chaos.histories import History, Step
from tests.chaos.invariants import _converges, _is_quiet
from tests.chaos.marks import marks
from tests.chaos.record import Stack
from tests.chaos.world import World

WRONG, LOST, NOTHING, RED = "served a wrong model", "lost", "retrained for nothing", "red for ever"
# What an invariant of the other campaign is called here.
_CALLED = {
    "wrong binding": WRONG,
    "ungated": WRONG,
    "taken": LOST,
    "marks": LOST,
    "no convergence": RED,
}
# So many updates may be red after a damage, each helped as its message says, before one is green.
_UPDATES = 3
_ROWS = list(csv.DictReader(io.StringIO(program.table("asked").decode())))[:12]
_CLOSE = 1e-9
_START = re.compile(r"POST .*/jobs/([0-9a-f]{32})/start$")
_BLOB = re.compile(r"delete (?:the registry's )?(\S+\.json)")


class Patient(Damager):
    """A player whose updates do what their messages say."""

    def _update(self, update: Any) -> None:
        stack = self.stacks[update.stack]
        stack.config = program.Config(update.version, gate=self.gate, change=update.change)
        self.heal(stack, self.update)
        self.keep_state(stack)
        self.serves(stack)

    def _destroy(self, step: Step) -> None:
        stack = self.stacks[step.choice]
        self.record.figures["destroys"] += 1
        stack.reported, stack.ending = None, True
        self.heal(stack, lambda one: self.run(one, lambda run: run.destroy()))
        del self.stacks[step.choice]
        if not self.record.violations and stack.state.resources:
            self.record.violate(LOST, f"a destroy left {list(stack.state.resources)} in the state")

    def heal(self, stack: Stack, verb: Any) -> None:
        """Do it until it is green or refused by the gate, and each time what its message says."""
        before = len(self.record.errors)
        for _time in range(_UPDATES + 1):
            if verb(stack) or "the gate refuses" in self.record.errors[-1]:
                return
            self.record.figures["red at first"] += 1
            if not self.follow(stack, self.record.errors[-1]):
                break
        self.record.violate(RED, "\n  then ".join(self.record.errors[before:]))

    def follow(self, stack: Stack, error: str) -> bool:
        """Do literally what a message's remedy says; whether it says anything that can be done."""
        _cause, _colon, remedy = error.partition("\nremedy: ")
        done = []
        if "--take-over" in remedy:
            stack.taking_over = True
            done.append("taken over")
        elif found := _BLOB.findall(remedy):
            for name in found:
                self.world.delete_blob(self.registry, name)
            done.append("a record deleted")
        elif "store the blob again" in remedy:
            self.store_again()
            done.append("data stored again")
        elif "the release that wrote it" in remedy:
            for name in [name for name in self.saved if '"version": 99' in self._text(name)]:
                self.restore(name)
            done.append("read by the release that wrote it")
        elif "refresh" in remedy:
            self.run(stack, lambda run: run.refresh())
            done.append("refreshed")
        elif "run the update again" in remedy or "./dev up" in remedy:
            done.append("run again")
        self.record.figures.update(f"remedy: {each}" for each in done)
        return bool(done)

    def _text(self, name: str) -> str:
        return (self.world.download(self.registry, name) or b"").decode(errors="replace")

    # What is served

    def serves(self, stack: Stack) -> None:
        """After a green update: what it said is what answers, with the bytes that its run left first."""
        known = self.endpoint(stack)
        if stack.reported is None or known is None:
            return
        key = key_of(stack.reported.partition("/")[2])
        self.look()
        if key not in self.good:
            self.record.violate(WRONG, f"stack {stack.name} serves {stack.reported}, which no run left")
            return
        self.record.figures["models scored"] += 1
        if not _near(self._scores(known), _offline(self.good[key])):
            self.record.violate(WRONG, f"stack {stack.name} does not answer as the model of {key[:12]}")

    def _scores(self, endpoint: dict[str, Any]) -> list[float]:
        service = endpoint["service"]
        if service["id"].startswith("/"):
            key = self.world.arm("GET", f"{service['id']}-{endpoint['name']}/listKeys", "2017-01-01")[
                "primary"
            ]
        else:
            workspace, token = next(
                place for place in self.places.values() if _same(place[0], service["workspace"])
            )
            path = f"/{service['id']}/endpoints/{endpoint['name']}"
            key = self.world.manage(workspace, token, path)["PrimaryKey"]
        columns = list(_ROWS[0])
        table = {"ColumnNames": columns, "Values": [[row[name] for name in columns] for row in _ROWS]}
        answer = self.world.http.post(
            f"{endpoint['url']}/execute",
            params={"api-version": "2.0", "details": "true"},
            headers={"Authorization": f"Bearer {key}"},
            json={"Inputs": {"input1": table}, "GlobalParameters": {}},
        )
        value = next(iter(answer.raise_for_status().json()["Results"].values()))["value"]
        place = value["ColumnNames"].index("Scored Probabilities")
        return [float(row[place]) for row in value["Values"]]

    # What must hold in the end

    def kept(self) -> dict[str, bytes]:
        """Models, and the records of finished runs, as they are now."""
        names = [*self.world.names(self.registry, "runs/"), *self._addresses()]
        found = {name: self.world.download(self.registry, name) or b"" for name in names}
        return {
            name: content
            for name, content in found.items()
            if not name.startswith("runs/") or _finished(content)
        }


def _finished(content: bytes) -> bool:
    try:
        return bool(json.loads(content)["state"] == "finished")
    except (ValueError, KeyError, TypeError):
        return False


def _same(one: dict[str, str], other: dict[str, str]) -> bool:
    return one["resource"].casefold() == other["resource"].casefold()


def _near(one: list[float], other: list[float]) -> bool:
    return all(abs(a - b) < _CLOSE for a, b in zip(one, other, strict=True))


def _offline(content: bytes) -> list[float]:
    """The scores of a model, by the studio's graph runner in this process."""
    experiment = program.experiment("predictive")
    [resource] = parse_experiment(experiment).resources
    scorer = Scorer(parse_experiment(experiment), {resource: content})
    answer = next(iter(scorer.score({"input1": pd.DataFrame(_ROWS, dtype=object)}).values()))
    return [float(score) for score in answer["Scored Probabilities"]]


def play(world: World, told: History, name: str, sabotage: str = "") -> Outcome:
    """Play *told* in *world*, with a product broken by *sabotage* perhaps, and check what must hold."""
    began = time.monotonic()
    patient = Patient(world, name, told.gate)
    patient.sabotage, record = sabotage, patient.record
    try:
        patient.open(told.stacks)
        seen: dict[str, bytes] = {}
        for step in told.steps:
            others = patient.others(step)
            if step.kind == "damage":
                seen |= patient.kept()
            getattr(patient, f"_{step.kind}")(step)
            if step.kind != "damage":
                patient.look()
                patient.unharmed(others, step)
            if record.violations:
                break
        if not record.violations:
            _check(patient, seen)
    except Exception:  # the campaign goes on, and says so
        record.violate("harness", traceback.format_exc(limit=-4))
    finally:
        try:
            patient.close()
        except Exception:
            record.violate("harness", traceback.format_exc(limit=-4))
    found = [(_CALLED.get(kind, kind), text) for kind, text in record.violations]
    figures = {kind: number for kind, number in record.figures.items() if number}
    seconds = time.monotonic() - began
    return Outcome(told.seed, told.index, seconds, figures, found, [str(step) for step in told.steps])


def _check(patient: Patient, seen: dict[str, bytes]) -> None:
    """All stacks converge and are quiet; nothing that was whole is gone, and no run was trained for nothing."""
    for stack in list(patient.stacks.values()):
        patient.heal(stack, patient.update)
        _converges(patient, stack)
        patient.serves(stack)
        _is_quiet(patient, stack)
    if all(stack.reported is not None for stack in patient.stacks.values()):
        marks(patient)  # what the gate refuses ends an update before all marks are written
    now = patient.kept()
    for name, content in seen.items():
        key = key_of(name) or name[5:-5]
        if name not in patient.harmed and key not in patient.allowed and now.get(name) != content:
            patient.record.violate(LOST, f"{name} was whole, and is gone or another")
    _retrained(patient)


def _retrained(patient: Patient) -> None:
    """One started job for each run, and one more for each damage that it had."""
    jobs: dict[str, str] = {}
    started: defaultdict[str, set[str]] = defaultdict(set)
    for line in (patient.folder / "trace.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if "job" in entry:
            jobs[entry["job"]] = key_of(entry["model"].partition("/")[2]) or entry["model"].split("/")[-2]
        elif (found := _START.match(entry["line"])) and entry.get("status") == 200:
            started[jobs[found[1]]].add(found[1])
    patient.record.figures["jobs started"] += sum(map(len, started.values()))
    for key, each in started.items():
        if len(each) > 1 + patient.allowed[key]:
            patient.record.violate(
                NOTHING,
                f"run {key[:12]} was trained {len(each)} times, and damaged {patient.allowed[key]} times",
            )
