"""Plays a history in a world and collects what the invariants need to know."""

from __future__ import annotations

import json
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from retrain_hooks import cancellation
from tests.chaos import program
from tests.chaos.blobs import Blobs
from tests.chaos.engine import Engine, EngineKilled, Run, State, StepFailed
from tests.chaos.histories import VERSIONS, History, Step, Strike, Update
from tests.chaos.late import Late
from tests.chaos.record import Stack, writes
from tests.chaos.world import World


class Player(Blobs):
    """Plays one history; *name* is that of its containers and folder."""

    def __init__(self, world: World, name: str, gate: program.Gate = program.PASSING) -> None:
        super().__init__(world, name)
        self.gate = gate
        self.sabotage = ""
        self.folder = world.directory / name
        self.cloud_file = self.folder / "cloud.json"
        self.stacks: dict[str, Stack] = {}
        self.trees = 4
        self.clock = 0.0
        self.log_start = len(world.studio_log)
        self._faulty = False
        self._providers: list[Any] = []
        self._repairs: list[threading.Thread] = []
        self._late: list[Late] = []

    # Setting

    def open(self, stacks: Iterable[str] = ("a",)) -> None:
        """Containers, data, workspaces of *stacks*, an empty journal."""
        self.folder.mkdir()
        program.write_experiment(self.folder, self.trees)
        self.cloud_file.write_text(json.dumps(self.world.cloud(self.registry, self.data)))
        for container in (self.data, self.registry):
            self.world.create_container(container)
        for version in VERSIONS:
            self._upload(version, program.table(version))
        for name in stacks:
            workspace = self.world.workspace(f"{self.name}-{name}")
            token = self.world.workspace_token(workspace)
            state = State(self.folder / f"state-{name}.json")
            self.stacks[name] = Stack(name, workspace, token, state, program.Config(gate=self.gate))
        self.world.clear_journal()

    def close(self) -> None:
        """End what still runs and remove what was made."""
        self._settle()
        for thread in self._repairs:
            thread.join()
        for provider in self._providers:
            provider.end()
        self.world.clear_faults()
        for stack in self.stacks.values():
            self.world.delete_workspace(stack.workspace)
        for container in (self.data, self.registry):
            self.world.delete_container(container)
        shutil.rmtree(self.folder, ignore_errors=True)

    # Steps

    def play(self, history: History) -> None:
        """All steps, one after the other."""
        for step in history.steps:
            self.clock += step.pause
            getattr(self, f"_{step.kind}")(step)
            self.look()

    def _up(self, step: Step) -> None:
        threads = [threading.Thread(target=self._update, args=(update,)) for update in step.updates]
        self.record.figures["races"] += len(threads) > 1
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for repair in self._repairs:
            repair.join()

    def _update(self, update: Update) -> None:
        stack = self.stacks[update.stack]
        stack.config = program.Config(update.version, force=update.force, gate=self.gate)
        try:
            self.update(stack, update.strikes, update.boundary)
        except Exception as failure:
            self.record.violate("harness", f"{type(failure).__name__}: {failure}")

    def update(self, stack: Stack, strikes: Sequence[Strike] = (), boundary: int | None = None) -> bool:
        """An ``up``; whether it succeeded."""
        self.record.figures["updates"] += 1
        stack.reported = None
        done = self.run(
            stack,
            lambda run: run.up(program.resources(stack.config, stack.workspace)),
            strikes,
            boundary,
        )
        if done:
            stack.reported = stack.state.resources["binding"]["outputs"]["bound"]
        return done

    def run(
        self,
        stack: Stack,
        verb: Callable[[Run], object],
        strikes: Sequence[Strike] = (),
        boundary: int | None = None,
    ) -> bool:
        """One run of an engine with a provider process of its own; whether it succeeded."""
        on_their_way = list(self._late)
        engine = Engine()
        cancellation._mark(engine.address).unlink(missing_ok=True)  # as a program does when it starts
        calls = 0

        def between() -> None:
            nonlocal calls
            calls += 1
            if calls == boundary:
                self.record.figures["kills of the engine"] += 1
                engine.kill()
                raise EngineKilled

        def strike(index: int) -> str:
            return self._strike(strikes[index], stack, engine)

        def on_late(request: str) -> None:
            if request:
                self._late.append(Late(request, waited_for=bool(self.sabotage)))
            engine.kill()

        assert self.world.forks is not None
        provider = self.world.forks.provider(
            engine.address,
            self.folder,
            self.cloud_file,
            offset=self.clock,
            triggers=[vars(each) for each in strikes],
            on_trigger=strike,
            on_late=on_late,
            sabotage=self.sabotage,
        )
        self._providers.append(provider)
        try:
            engine.connect(provider.port)
            verb(Run(engine, stack.state, between))
        except StepFailed as failure:
            self.record.errors.append(str(failure))
            self.record.figures["failed updates"] += 1
            return False
        except EngineKilled:
            if boundary == 1:
                provider.kill()  # it was never called, so it has not loaded what would end it
            return False
        finally:
            self.record.messages += engine.messages
            if not engine.dead.is_set():
                engine.close()
                provider.kill()
            for late in on_their_way:
                late.arrive()
        return True

    def _strike(self, strike: Strike, stack: Stack, engine: Engine) -> str:
        """Do it; what the provider is to do then."""
        figures = self.record.figures
        match strike.do:
            case "kill-provider":
                figures["kills of the provider"] += 1
                return "die"
            case "late-request":
                figures["requests that arrived late"] += 1
                return "late"
            case "arrive":
                for late in self._late:
                    late.arrive()
            case "kill-both":
                figures["kills of the provider"] += 1
                figures["kills of the engine"] += 1
                engine.kill()
                return "die"
            case "kill-engine":
                figures["kills of the engine"] += 1
                engine.kill()
            case "kill-studio":
                figures["kills of the studio"] += 1
                repair = threading.Thread(target=self.world.restart_studio)
                self._repairs.append(repair)
                repair.start()
            case "interrupt":
                figures["interrupts"] += 1
                cancellation._mark(engine.address).touch()
            case "touch-data":
                self._touch(Step("touch", version=stack.config.version))
            case "change-data":
                self._change(Step("change", version=stack.config.version))
            case "delete-model" | "alter-model":
                self._lose(Step("lose", choice=strike.do.partition("-")[0]))
            case "corrupt-record":
                self._corrupt(Step("corrupt", choice="half"))
        return "go"

    def _preview(self, step: Step) -> None:
        update = step.updates[0]
        stack = self.stacks[update.stack]
        config = program.Config(update.version, force=update.force, gate=self.gate)
        self.look()
        before = self._writes()
        self.record.figures["previews"] += 1
        program_ = program.resources(config, stack.workspace)
        self.run(stack, lambda run: run.up(program_, preview=True))
        if extra := self._writes() - before:
            self.record.violate("preview", f"a preview wrote: {dict(extra)}")

    def _writes(self) -> Counter[str]:
        """What was written so far, by lines; not by jobs and providers that earlier steps left running."""
        self._settle()
        found = writes(self.world.journal())
        return Counter({line: number for line, number in found.items() if "/models/" not in line})

    def _settle(self) -> None:
        """Wait for killed engines' providers to notice, and for what they have sent."""
        for late in self._late:
            late.arrive()
        for provider in self._providers:
            provider.listener.join(10)
            if not provider.gone.is_set():
                self.record.violate("outlived", f"provider {provider.pid} goes on without its engine")
                provider.end()

    def _refresh(self, step: Step) -> None:
        stack = self.stacks[step.choice]
        self.record.figures["refreshes"] += 1
        self.run(stack, lambda run: run.refresh())

    def _destroy(self, step: Step) -> None:
        stack = self.stacks[step.choice]
        self.record.figures["destroys"] += 1
        stack.reported = None
        training = stack.state.resources.get("training")
        if training:
            service = training["outputs"]["service"]["id"]
            jobs = [run["job"] for run in self.record.ledger.values() if run.get("job")]
            self.record.destroyed |= {job["id"] for job in jobs if job["service"] == service}
        self.run(stack, lambda run: run.destroy())

    def _restart(self, step: Step) -> None:
        self.record.figures["restarts of the studio"] += 1
        self.world.restart_studio(signal.Signals[step.choice])

    def _code(self, step: Step) -> None:
        self.trees = int(step.choice)
        self.record.figures["code changes"] += 1
        program.write_experiment(self.folder, self.trees)

    def _clock(self, step: Step) -> None:
        self.record.figures["clock jumps"] += 1
        self.clock += step.seconds

    def _faults(self, step: Step) -> None:
        self.end_faults()
        self._faulty = True
        self.world.put_faults(int(step.choice), step.rules)

    def end_faults(self) -> None:
        """The studio behaves again; add to the figures what its rules did, and see what is bound."""
        for rule in self.world.faults():
            kind = rule["kind"] + (f" {rule['status']}" if rule["kind"] == "status" else "")
            self.record.figures[f"fault: {kind}"] += rule["fired"]
        self.world.clear_faults()
        self._faulty = False
        self.look()

    # What is seen

    def look(self) -> None:
        """Note what the ledger says, and check what is bound (not while faults would meet the question)."""
        self.record.ledger = self._runs()
        if self._faulty:
            return
        for stack in list(self.stacks.values()):
            location = self.bound(stack)
            if location and not self._let_through(location):
                self.record.violate(
                    "wrong binding", f"stack {stack.name} serves {location}, which no run finished"
                )
            if stack.reported not in (None, location):
                self.record.violate(
                    "wrong binding", f"stack {stack.name} serves {location}, and was told {stack.reported}"
                )

    def bound(self, stack: Stack) -> str | None:
        """Where the model of a stack's endpoint lies, as the service says; None where there is no endpoint."""
        services = self.world.manage(stack.workspace, stack.token) or []
        for service in services:
            found = self.world.manage(
                stack.workspace, stack.token, f"/{service['Id']}/endpoints/{program.ENDPOINT}"
            )
            if found:
                return str(found["Resources"][0]["Location"]["RelativeLocation"])
        return None

    def _let_through(self, location: str) -> bool:
        address = location.removeprefix(f"{self.registry}/")
        _models, _experiment, key, file = address.split("/")
        states = self.record.seen.get((key, int(file.partition(".")[0])), set())
        finished = any(state == "finished" for state, _job in states) or address in self.record.damaged
        return finished and (self.passes(key) or key in self._baselines())

    def passes(self, key: str) -> bool:
        """Whether the gate lets the run's model through, as far as this can be said without the product's word."""
        run = self.record.runs.get(key, {})
        auc = run.get("metrics", {}).get("auc", 0.0)
        if not self.gate.holdout:
            return bool(auc >= float(self.gate.rules[0].rpartition(" ")[2]))
        verdicts = [
            json.loads(self.world.download(self.registry, name) or b"{}")
            for name in self.world.names(self.registry, f"verdicts/{key}/")
        ]
        return any(
            all(rule["passed"] for rule in verdict["rules"]) and verdict["rules"] for verdict in verdicts
        )

    def _baselines(self) -> set[str]:
        """The keys of what the default endpoint has served, which a new endpoint copies."""
        return {program.expected_key(content, trees, "") for content in self.baselines for trees in (4, 5, 6)}
