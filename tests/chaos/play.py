"""Plays a history in a world and collects what the invariants need to know."""

from __future__ import annotations

import json
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from retrain_hooks.host import interruption as cancellation
from tests.chaos import program
from tests.chaos.engine import Changes, Engine, EngineKilled, Run, State, StepFailed
from tests.chaos.histories import NEIGHBOUR, RENAMED, VERSIONS, History, Step, Strike, Update
from tests.chaos.late import Late
from tests.chaos.moves import Moves
from tests.chaos.record import Stack, writes
from tests.chaos.world import World


class Player(Moves):
    """Plays one history; *name* is that of its containers and folder."""

    def __init__(self, world: World, name: str, gate: program.Gate = program.PASSING) -> None:
        super().__init__(world, name)
        self.gate = gate
        self.sabotage = ""
        self.folder = world.directory / name
        self.cloud_file = self.folder / "cloud.json"
        self.stacks: dict[str, Stack] = {}
        self.places: dict[str, tuple[dict[str, str], str]] = {}  # workspaces and their tokens, by name
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
            home = "a" if name == NEIGHBOUR else name
            places = tuple(self._place(f"{self.name}-{home}{more}") for more in ("", "-other"))
            state = State(self.folder / f"state-{name}.json")
            declared = program.Stack(f"chaos-{self.name}", name, places)
            self.stacks[name] = Stack(name, state, declared, program.Config(gate=self.gate))
        self.world.clear_journal()

    def _place(self, name: str) -> dict[str, str]:
        if name not in self.places:
            workspace = self.world.workspace(name)
            self.places[name] = (workspace, self.world.workspace_token(workspace))
        return self.places[name][0]

    def close(self) -> None:
        """End what still runs and remove what was made."""
        self._settle()
        for thread in self._repairs:
            thread.join()
        for provider in self._providers:
            provider.end()
        self.world.clear_faults()
        for workspace, _token in self.places.values():
            self.world.delete_workspace(workspace)
        for container in (self.data, self.registry):
            self.world.delete_container(container)
        shutil.rmtree(self.folder, ignore_errors=True)

    # Steps

    def play(self, history: History) -> None:
        """All steps, one after the other."""
        for step in history.steps:
            self.clock += step.pause
            others = self.others(step)
            getattr(self, f"_{step.kind}")(step)
            self.look()
            self.unharmed(others, step)

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
        stack.config = replace(self.config(stack, update), change=update.change, refuse=update.refuse)
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
            lambda run: run.up(stack.program()),
            strikes,
            boundary,
        )
        if done:
            stack.ending = stack.taking_over = False
            bound = stack.state.resources[stack.config.named("binding")]["outputs"]["bound"]
            stack.reported = self.address(bound)
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
            take_over=stack.taking_over,
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
            if not engine.asked:
                provider.kill()
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
                figures["kills of the local cloud"] += 1
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
        self.foresee(stack, self.config(stack, update))

    def foresee(self, stack: Stack, config: program.Config) -> Changes | None:
        """What a preview says, None where it fails; it must not write."""
        self.look()
        before = self._writes()
        self.record.figures["previews"] += 1
        found: list[Changes] = []
        self.run(stack, lambda run: found.append(run.up(stack.program(config), preview=True)))
        if extra := self._writes() - before:
            self.record.violate("preview", f"a preview wrote: {dict(extra)}")
        return found[0] if found else None

    def _writes(self) -> Counter[str]:
        """What was written so far, by lines; not by jobs and providers that earlier steps left running."""
        self._settle()
        found = writes(self.world.journal())
        return Counter({line: number for line, number in found.items() if "/models/" not in line})

    @property
    def killed(self) -> bool:
        """Whether any update was cut off, by a kill, an interrupt or a fault."""
        figures = self.record.figures
        return any(
            figures[name] for name in figures if "kill" in name or "fault" in name or "late" in name
        ) or (figures["interrupts"] + figures["failed updates"] > 0)

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
        stack.reported, stack.ending = None, True
        training = stack.state.resources.get("training")
        if training:
            service = training["outputs"]["service"]["id"]
            jobs = [run["job"] for run in self.record.ledger.values() if run.get("job")]
            self.record.destroyed |= {job["id"] for job in jobs if job["service"] == service}
        self.run(stack, lambda run: run.destroy())

    def _restart(self, step: Step) -> None:
        self.record.figures["restarts of the local cloud"] += 1
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
            if location is None and not stack.ending and self.endpoint(stack):
                self.record.violate("taken", f"the endpoint of stack {stack.name} is gone")
            if location and not self._let_through(location):
                self.record.violate(
                    "wrong binding", f"stack {stack.name} serves {location}, which no run finished"
                )
            if location and not self._passed(location):
                self.record.violate("ungated", f"stack {stack.name} serves {location}, which no gate passed")
            if stack.reported not in (None, location or ""):
                self.record.violate(
                    "wrong binding", f"stack {stack.name} serves {location}, and was told {stack.reported}"
                )

    def endpoint(self, stack: Stack) -> dict[str, Any] | None:
        """The live endpoint as the stack's state has it; None where it has none, or it is withheld."""
        names = {program._named(each, "endpoint") for each in ("", RENAMED)}
        found = [each for name, each in stack.state.resources.items() if name in names]
        return found[0]["outputs"] if found and not found[0]["outputs"].get("withheld") else None

    def bound(self, stack: Stack) -> str | None:
        """Where the model of a stack's endpoint lies, as the service says; None where there is no endpoint."""
        known = self.endpoint(stack)
        location = self.world.served(known["service"], known["name"]) if known else None
        return location and self.address(location)

    def address(self, location: str) -> str:
        """A location as a path that begins with the registry's name."""
        before, registry, path = location.partition("?")[0].partition(f"{self.registry}/")
        return f"{registry}{path}" or before

    def _let_through(self, location: str) -> bool:
        address = location.removeprefix(f"{self.registry}/")
        _models, _experiment, key, file = address.split("/")
        states = self.record.seen.get((key, int(file.partition(".")[0])), set())
        return any(state == "finished" for state, _job in states) or address in self.record.damaged

    def _passed(self, location: str) -> bool:
        """Whether the gate has let the model through, which nobody approves here: no endpoint behind it serves another."""
        return self.passes(location.removeprefix(f"{self.registry}/").split("/")[2])

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
