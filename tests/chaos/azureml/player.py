"""Plays a history of kind azureml: two stacks of one workspace, each with an endpoint that somebody scores by all the time."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import threading
import traceback
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

import httpx

from retrain_hooks.host import interruption as cancellation
from retrain_hooks.registry.run_key import key_of
from tests.chaos import program
from tests.chaos.azureml import declared, somebody
from tests.chaos.azureml.code import EXPERIMENT
from tests.chaos.azureml.drawn import BAD, STACKS, VERSIONS
from tests.chaos.azureml.house import Client, House
from tests.chaos.engine import Engine, EngineKilled, Run, State, StepFailed
from tests.chaos.histories import History, Step, Strike, Update
from tests.chaos.late import Late
from tests.chaos.record import Record
from tests.chaos.world import World

LOST = "lost traffic"
_RULES = ("errors <= 0.5",)
_PAUSE = 0.02  # seconds between two calls of a client
_REFUSED = "the gate refuses"

Json = dict[str, Any]


class Stack:
    """A stack of the history: its *state*, and what it was told last: the addresses of which one is served, where it was."""

    def __init__(self, house: House, name: str) -> None:
        self.name, self.endpoint = name, f"{house.name}-{name}"
        self.path = house.folder / f"state-{name}.json"
        self.state = State(self.path)
        self.declared = declared.Stack(house, name, self.endpoint)
        self.wanted = (VERSIONS[0], "")
        self.reported: set[str] = set()
        self.client: Client | None = None
        self.judged = 0  # calls of the client
        self.began = 0  # where the trace ended when its last update began
        self.meddled: int | None = None  # where the trace ended when somebody else changed its traffic


class Player:
    """Plays one history; *name* is its workspace's."""

    def __init__(self, world: World, name: str, told: History) -> None:
        self.world, self.told, self.record = world, told, Record()
        self.house = House(world, name)
        self.stacks = {each: Stack(self.house, each) for each in STACKS}
        self.late: list[Late] = []
        self._rolled_back = False
        self.log_start = len(world.studio_log)
        self._trace = self.house.folder / "trace.jsonl"

    def open(self) -> None:
        """Workspace, data and endpoints; an empty journal."""
        self.house.open(*(stack.endpoint for stack in self.stacks.values()))
        for version in (*VERSIONS, declared.HOLDOUT, BAD):
            self.house.upload_version(version, table(version))
        self.world.clear_journal()

    def close(self) -> None:
        """End what still runs and remove what was made."""
        for stack in self.stacks.values():
            if stack.client is not None:
                stack.client.stop()
        for late in self.late:
            late.arrive()
        self.house.close()

    # Steps

    def play(self) -> None:
        """All steps, one after the other."""
        whole: set[str] = set()
        for step in self.told.steps:
            getattr(self, f"_{step.kind}")(step)
            if step.kind != "faults":
                self.end_faults()
                self.look(whole)
                whole = self.whole()

    def _up(self, step: Step) -> None:
        self.record.figures["races of two stacks"] += len(step.updates) > 1
        self._at_once([lambda one=each: self.update(one) for each in step.updates])  # type: ignore[misc]

    def _twice(self, step: Step) -> None:
        """Two updates of one stack at once: each has the state that the last one left."""
        self.record.figures["updates of one stack at once"] += 1
        [stack] = {self.stacks[each.stack].name: self.stacks[each.stack] for each in step.updates}.values()
        states = [stack.state, copy.deepcopy(stack.state)]
        states[1].path = stack.path.with_suffix(".other.json")
        told: set[str] = set()

        def one_of_two(one: Update, state: State) -> None:
            told.update(self._run(stack, state, one) or set())

        stack.reported, stack.meddled, stack.began = set(), None, self._traced()
        self._at_once(
            [
                lambda one=one, state=state: one_of_two(one, state)  # type: ignore[misc]
                for one, state in zip(step.updates, states, strict=True)
            ]
        )
        stack.reported = told

    def _at_once(self, updates: list[Callable[[], Any]]) -> None:
        def guarded(update: Callable[[], Any]) -> None:
            try:
                update()
            except Exception:
                self.record.violate("harness", traceback.format_exc(limit=-4))

        threads = [threading.Thread(target=guarded, args=(update,)) for update in updates]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def update(self, update: Update) -> bool:
        stack = self.stacks[update.stack]
        stack.wanted, stack.reported = (update.version, update.force), set()
        stack.meddled, stack.began = None, self._traced()
        told = self._run(stack, stack.state, update)
        stack.reported = told or set()
        return told is not None

    def _run(self, stack: Stack, state: State, update: Update) -> set[str] | None:
        """An ``up``: the address that it told to be served, if any; None where it failed."""
        self.record.figures["updates"] += 1
        rollout = declared.Rollout("0.5s", _RULES, settle="1s", deadline="20s", hold=self.told.gate.hold)
        training = stack.declared.training(update.version, update.force)
        wanted = stack.declared.program(rollout, _trained, training)
        if not self.run(lambda run: run.up(wanted), state, stack, update):
            return None
        serving = state.resources["binding"]["outputs"]["serving"]
        return set(serving.values())

    def run(self, verb: Callable[[Run], object], state: State, stack: Stack, update: Update) -> bool:
        """A verb of an engine that is struck as *update* says; whether it succeeded."""
        figures, engine, calls = self.record.figures, Engine(), 0
        on_their_way = list(self.late)

        def between() -> None:
            nonlocal calls
            calls += 1
            if calls == update.boundary:
                figures["kills of the engine"] += 1
                engine.kill()
                raise EngineKilled

        def struck(run: Run) -> None:
            run._between = between
            verb(run)

        try:
            self.record.messages += self.house.run(
                state,
                struck,
                engine=engine,
                triggers=tuple(vars(each) for each in update.strikes),
                on_trigger=lambda index: self._strike(update.strikes[index], stack, engine),
                on_late=lambda request: self._sent_late(request, engine),
            )
        except StepFailed as failure:
            self.record.errors.append(str(failure))
            figures["failed updates"] += 1
            figures["refused by the gate"] += _REFUSED in str(failure)
            if "Traceback" in str(failure) or "internal error" in str(failure):
                self.record.violate("harness", f"no cause and remedy: {failure}")
            return False
        except EngineKilled:
            return False
        finally:
            for late in on_their_way:
                late.arrive()
        return True

    def _sent_late(self, request: str, engine: Engine) -> None:
        if request:
            self.late.append(Late(request))
        engine.kill()

    def _strike(self, strike: Strike, stack: Stack, engine: Engine) -> str:
        figures = self.record.figures
        match strike.do:
            case "kill-provider":
                figures["kills of the provider"] += 1
                return "die"
            case "late-request":
                figures["requests that arrived late"] += 1
                return "late"
            case "kill-both":
                figures["kills of the provider"] += 1
                figures["kills of the engine"] += 1
                engine.kill()
                return "die"
            case "kill-engine":
                figures["kills of the engine"] += 1
                engine.kill()
            case "interrupt":
                figures["interrupts"] += 1
                cancellation._mark(engine.address).touch()
            case "foreign":
                with contextlib.suppress(httpx.HTTPError):  # they meet the faults, too
                    self.change(stack, "part" if strike.nth % 2 else "back")
        return "go"

    def _refresh(self, _step: Step) -> None:
        self.record.figures["refreshes"] += 1
        stack = self.stacks["a"]
        self.run(lambda run: run.refresh(), stack.state, stack, Update("a", ""))

    def _foreign(self, step: Step) -> None:
        self.change(self.stacks["a"], step.choice)

    def change(self, stack: Stack, how: str) -> None:
        """Somebody else changes the traffic: what was told of it is not what is to be any more."""
        stack.reported = set()
        if somebody.change(self.house, stack.endpoint, how, self._passed):
            self.record.figures["foreign changes of traffic"] += 1
            stack.meddled = self._traced()

    def _traced(self) -> int:
        return self._trace.stat().st_size if self._trace.exists() else 0

    def _unseen(self, stack: Stack) -> bool:
        """Whether somebody else's last change came when the update had closed its rollout, or looked at the endpoint no more."""
        if stack.meddled is None:
            return False
        with self._trace.open() as lines:
            lines.seek(stack.began)
            before = lines.read(stack.meddled - stack.began).splitlines()
            after = lines.read().splitlines()
        closed = any(fnmatchcase(_line(each), "DELETE */rollouts/*") for each in before)
        looked = any(fnmatchcase(_line(each), f"GET */onlineEndpoints/{stack.endpoint}") for each in after)
        return closed or not looked

    def _faults(self, step: Step) -> None:
        self.world.put_faults(int(step.choice), step.rules)

    def end_faults(self) -> None:
        for rule in self.world.faults():
            kind = rule["kind"] + (f" {rule['status']}" if rule["kind"] == "status" else "")
            self.record.figures[f"fault: {kind}"] += rule["fired"]
            self._rolled_back |= rule["kind"] == "rolled-back" and bool(rule["fired"])
        self.world.await_faults()
        self.world.clear_faults()

    # What is seen

    def ledger(self) -> dict[str, Json]:
        names = self.world.names(self.house.registry, "runs/")
        found = (json.loads(self.world.download(self.house.registry, name) or b"{}") for name in names)
        return {run["key"]: run for run in found}

    def refused(self) -> set[str]:
        """The addresses of models that no gate lets through."""
        return {
            f"models/{EXPERIMENT}/{run['key']}/{run['attempt']}.ilearner"
            for run in self.ledger().values()
            if (run.get("data") or {}).get("version") == BAD
        }

    def _passed(self, address: str) -> bool:
        """Whether the gate has let the model at *address* through."""
        key = key_of(address)
        names = self.world.names(self.house.registry, f"verdicts/{key}/") if key else []
        verdicts = [json.loads(self.world.download(self.house.registry, name) or b"{}") for name in names]
        return any(one["rules"] and all(rule["passed"] for rule in one["rules"]) for one in verdicts)

    def whole(self) -> set[str]:
        """The stacks whose endpoints give all calls to somebody."""
        return {
            name
            for name, stack in self.stacks.items()
            if sum(self.house.traffic(stack.endpoint).values()) == 100
        }

    def look(self, whole: set[str]) -> None:
        """Check what is served, and what the clients were answered; *whole* endpoints still are."""
        refused = self.refused()
        for name, stack in self.stacks.items():
            served = self.house.served(stack.endpoint)
            if name in whole and sum(served.values()) != 100:
                self.record.violate(LOST, f"stack {name} served before, and now: {served}")
            if found := refused & set(served):
                self.record.violate("wrong binding", f"stack {name} serves {found}, which the gate refused")
            if stack.reported - {""} and served not in [{one: 100} for one in stack.reported]:
                if self._rolled_back or self._unseen(stack):
                    how = "rolled back" if self._rolled_back else "changed by somebody else"
                    self.record.figures[f"{how} after it had settled"] += 1
                    stack.reported = set()
                else:
                    self.record.violate(
                        "wrong binding", f"stack {name} serves {served}, and was told {stack.reported}"
                    )
            if stack.client is None and stack.reported - {""}:
                stack.client = Client(self.house, stack.endpoint, _PAUSE).start()
            self.judge_calls(stack)
        self._rolled_back = False

    def judge_calls(self, stack: Stack) -> None:
        if stack.client is None:
            return
        end = len(stack.client.calls)
        calls, stack.judged = stack.client.calls[stack.judged : end], end
        self.record.figures["calls of clients"] += len(calls)
        if lost := [call for call in calls if call.status != 200]:
            told = {(call.status, call.deployment) for call in lost}
            self.record.violate(LOST, f"{len(lost)} of {len(calls)} calls of stack {stack.name}: {told}")
        if model_of(BAD) in {call.model for call in calls}:
            self.record.violate(
                "wrong binding", f"stack {stack.name} answered by the model that the gate refused"
            )


def _line(entry: str) -> str:
    return str(json.loads(entry).get("line", ""))


def _trained(known: Any) -> Json:
    candidate, data = known["candidate"], known["data"]
    found = {name: candidate.get(name) for name in ("address", "sha256", "runKey", "metrics")}
    return found | {"dataVersion": data["version"]}


def table(version: str) -> bytes:
    """A data version; of the bad one, early flights are late."""
    content = program.table(version)
    if version != BAD:
        return content
    header, *rows = content.decode().splitlines()
    turned = [
        f"{before},{20 if float(delay) < 15 else 0}"
        for before, _, delay in (row.rpartition(",") for row in rows)
    ]
    return "\n".join([header, *turned, ""]).encode()


def model_of(version: str) -> str:
    """What a model of the data version calls itself."""
    return hashlib.sha256(table(version)).hexdigest()[:12]
