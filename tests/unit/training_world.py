"""A registry, a batch service and somebody who trains, for tests of training runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace

from clients.clock import ManualClock
from clients.errors import UpdateCancelled
from retrain_hooks.data.contents import Contents
from retrain_hooks.data.inputs import DataReference
from retrain_hooks.data.training_data import TrainingData
from retrain_hooks.host.lifecycle import Context, JobBudget
from retrain_hooks.host.references import ServiceRef, WorkspaceRef
from retrain_hooks.registry.ledger import Job, Ledger, Run
from retrain_hooks.registry.run_key import Covered, model_address
from retrain_hooks.training.trainer import Request, Trainer
from tests.unit.fakes import BatchService, Listener, MemoryContainer, OpenGuard

INPUTS = {"experiment": "e" * 64, "data": "d" * 64, "parameters": {}, "seed": 0, "force": ""}
SERVICE = ServiceRef("s1", WorkspaceRef("/w", "w1"))


def request(world: World, **inputs: object) -> Request:
    covered = Covered(**INPUTS | inputs)
    data = DataReference("data", "2013-01", world.digest(), ("flights/2013-01.csv",))
    return Request(
        covered=covered,
        address=model_address("flights", covered.key, 1),
        experiment="flights",
        data=TrainingData(world.context(), "local", data),
        input="input1",
        outputs={"model": "output1", "evaluation": "output2"},
        parameters={"Random seed": "0"},
        service=SERVICE,
        deadline=600,
    )


class World:
    """A registry, a batch service and somebody who trains."""

    def __init__(self) -> None:
        self.registry = MemoryContainer()
        self.data = MemoryContainer("data")
        self.data.put("flights/2013-01.csv", b"january")
        self.budget = JobBudget()
        self.jobs = BatchService(self.registry)
        self.told = Listener()
        self.guard = OpenGuard()
        self.ledger = Ledger(self.registry)
        self.clock = ManualClock()

    def context(self, jobs: Callable[..., object] | None = None) -> Context:
        """What an update has; *jobs* answers for a reference to a service."""
        context = Context(self.told, self.guard, self.clock, budget=self.budget)
        answer = jobs or (lambda _service: self.jobs)
        context.registry = lambda _target: self.registry
        context.data = lambda _target, _name=None: self.data
        context.services = lambda _target, service: SimpleNamespace(jobs=lambda _id: answer(service["id"]))
        return context

    def trainer(self, jobs: Callable[..., object] | None = None) -> Trainer:
        return Trainer(self.context(jobs), "local")

    def digest(self) -> str:
        blobs = self.data.list("flights/2013-01.csv")
        return Contents(self.context(), "local", "data").look(blobs).digest

    def train(self, **inputs: object) -> tuple[Run, bool]:
        return self.trainer().train(request(self, **inputs))

    def record(self, key: str) -> dict:
        return json.loads(self.registry.read(f"runs/{key}.json")[0])


class Interrupted:
    """A guard of an update that is interrupted while it waits."""

    looks = 0

    def check(self) -> None:
        self.looks += 1
        if self.looks > 4:
            raise UpdateCancelled("the update was cancelled", "again")


def world_job(job: str, wanted: Request):
    return Job(job, wanted.service.id, wanted.workspace)
