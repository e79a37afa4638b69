"""What must hold after a history of kind azureml: one job a run, nothing wrong served, no call lost."""

from __future__ import annotations

import time
import traceback
from collections import defaultdict
from urllib.parse import quote

from retrain_hooks.registry.run_key import job_name
from tests.chaos.azureml.code import EXPERIMENT
from tests.chaos.azureml.drawn import BAD, VERSIONS
from tests.chaos.azureml.player import Player, Stack, model_of
from tests.chaos.campaign import Outcome
from tests.chaos.histories import History, Update
from tests.chaos.record import writes
from tests.chaos.world import World

_NOT_STARTED, _IN_VAIN = ("NotStarted", "Queued"), ("Failed", "Canceled")


# Deployments of a stack: the one that serves, the one before, and the candidate that was refused last.
_KEPT = 3


class Judge(Player):
    """A player who judges what is left at the end."""

    def check(self) -> None:
        """Without faults each stack converges, and the update after that does nothing; jobs and models are what they are to be."""
        for late in self.late:
            late.arrive()
        self.end_faults()
        for stack in self.stacks.values():
            if stack.state.resources or stack.name == "a":
                self._converges(stack)
        for stack in self.stacks.values():
            if stack.client is not None:
                stack.client.stop()
                self.judge_calls(stack)
        for stack in self.stacks.values():
            if stack.state.resources:
                self._is_quiet(stack)
        # Only now: what a killed update left of one stack is there until that stack has converged, too.
        if left := self.world.names(self.house.registry, "rollouts/"):
            self.record.violate("no convergence", f"a rollout is left: {left}")
        self.judge_jobs()
        self._secrets()
        for pid in self.house.outlived:
            self.record.violate("outlived", f"provider {pid} goes on without its engine")

    def _converges(self, stack: Stack) -> None:
        version, force = stack.wanted
        before = self.whole()
        if version == BAD:
            version = VERSIONS[0]
        if not self.update(Update(stack.name, version, force)):
            self.record.violate("no convergence", f"the quiet update failed: {self.record.errors[-1]}")
            return
        self.look(before)
        run = self.ledger()[stack.state.resources["candidate"]["outputs"]["runKey"]]
        address = f"models/{EXPERIMENT}/{run['key']}/{run['attempt']}.ilearner"
        if run["state"] != "finished" or (run["data"] or {}).get("version") != version:
            self.record.violate("no convergence", f"run {run['key'][:12]} is {run['state']}")
        if (served := self.house.served(stack.endpoint)) != {address: 100}:
            self.record.violate("wrong binding", f"after the quiet update {served} is served, not {address}")
        models = self.house.models(stack.endpoint)
        if len(ours := {name for name, address in models.items() if address}) > _KEPT:
            self.record.violate("orphan", f"stack {stack.name} keeps the deployments {sorted(ours)}")
        if self.answered(stack) - {model_of(version)}:
            self.record.violate("wrong binding", f"{version} is served, and another model answers")

    def answered(self, stack: Stack) -> set[str]:
        """Which models answer the client's next calls."""
        client = stack.client
        if client is None:
            return set()
        first, end = len(client.calls) + 1, time.monotonic() + 10
        while len(client.calls) < first + 5 and time.monotonic() < end:
            time.sleep(0.01)
        return {call.model for call in client.calls[first:]}

    def _is_quiet(self, stack: Stack) -> None:
        self.world.clear_journal()
        version, force = stack.wanted
        self.update(Update(stack.name, VERSIONS[0] if version == BAD else version, force))
        if not stack.reported:
            self.record.violate(
                "no convergence", f"the second quiet update failed: {self.record.errors[-1:]}"
            )
        if extra := writes(self.world.journal()):
            self.record.violate("no convergence", f"the second quiet update wrote: {dict(extra)}")

    def judge_jobs(self) -> None:
        """One started job a key, and none that the ledger does not name."""
        record, ledger = self.record, self.ledger()
        named = {
            job_name(EXPERIMENT, run["key"], attempt): run
            for run in ledger.values()
            for attempt in range(1, run["attempt"] + 1)
        }
        started: defaultdict[str, list[str]] = defaultdict(list)
        for job in self.house.list(f"{self.house.workspace}/jobs"):
            name, status = str(job["name"]), str(job["properties"]["status"])
            if status in _NOT_STARTED:
                continue
            record.figures["jobs started"] += 1
            if name not in named:
                record.violate("orphan", f"job {name} was started, and nobody recorded it")
            elif status not in _IN_VAIN:
                started[named[name]["key"]].append(name)
            if name in named and (named[name].get("job") or {}).get("id") != name and status not in _IN_VAIN:
                if named[name]["state"] == "planned":
                    record.figures["jobs that the next update of their run attaches to"] += 1
                else:
                    record.violate("orphan", f"job {name} ended as {status}; its record has another")
        for key, jobs in started.items():
            if len(jobs) > 1:
                record.violate("duplicate", f"run {key[:12]} was started {len(jobs)} times: {jobs}")

    def _secrets(self) -> None:
        """No secret is in state, registry, messages or errors."""
        world = self.world
        secrets = {world.key, world.arm_token}
        for stack in self.stacks.values():
            secrets.add(self.house.address(stack.endpoint)[1]["Authorization"].partition(" ")[2])
        secrets |= {quote(each, safe="") for each in secrets}
        texts = {path.name: path.read_text(errors="replace") for path in self.house.folder.glob("state*")}
        texts |= {"errors": "\n".join(self.record.errors), "messages": "\n".join(self.record.messages)}
        texts["studio.log"] = world.studio_log[self.log_start :]
        for name in world.names(self.house.registry):
            texts[name] = (world.download(self.house.registry, name) or b"").decode(errors="replace")
        for name, text in texts.items():
            if any(secret in text for secret in secrets):
                self.record.violate("secret", f"{name} holds a secret")


def play(world: World, told: History, name: str, sabotage: str = "") -> Outcome:
    """Play *told* in *world*, and check what must hold."""
    began = time.monotonic()
    player = Judge(world, name, told)
    record = player.record
    try:
        player.open()
        player.play()
        player.check()
    except Exception:  # the campaign goes on, and says so
        record.violate("harness", traceback.format_exc(limit=-4))
    finally:
        try:
            player.close()
        except Exception:
            record.violate("harness", traceback.format_exc(limit=-4))
    figures = {kind: number for kind, number in record.figures.items() if number}
    seconds = time.monotonic() - began
    return Outcome(
        told.seed, told.index, seconds, figures, record.violations, [str(step) for step in told.steps]
    )
