"""A registry, a batch service and somebody who trains, for tests of training runs."""

from __future__ import annotations

import json
from collections.abc import Callable

from clients.clock import ManualClock
from clients.errors import UpdateCancelled
from retrain_hooks.datasets import ContentHashes, resolve
from retrain_hooks.ledger import Job, Ledger, Run
from retrain_hooks.lifecycle import JobBudget
from retrain_hooks.run_key import run_key
from retrain_hooks.training import Request, Trainer
from retrain_hooks.training_data import TrainingData
from tests.unit.fakes import BatchService, Listener, MemoryContainer, OpenGuard

INPUTS = {"experiment": "e" * 64, "data": "d" * 64, "parameters": {}, "seed": 0, "force": ""}


def request(world: World, **inputs: object) -> Request:
    covered = INPUTS | inputs
    data = TrainingData(world.data, world.registry, ["flights/2013-01.csv"], world.digest(), "2013-01")
    return Request(
        key=run_key(**covered),
        experiment="flights",
        inputs=covered,
        data=data,
        input="input1",
        outputs={"model": "output1", "evaluation": "output2"},
        parameters={"Random seed": "0"},
        service="s1",
        workspace={"resource": "/w", "id": "w1"},
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

    def trainer(self) -> Trainer:
        return self.trainer_with(lambda _workspace, _service: self.jobs)

    def trainer_with(self, jobs: Callable[..., object]) -> Trainer:
        return Trainer(
            self.ledger, lambda _name: self.data, jobs, self.clock, self.told, self.guard, self.budget
        )

    def digest(self) -> str:
        dataset = resolve(self.data, "flights/{version}.csv", "2013-01")
        return ContentHashes(self.data, self.registry).digest(dataset)

    def train(self, **inputs: object) -> tuple[Run, bool]:
        return self.trainer().train(request(self, **inputs))

    def record(self, key: str) -> dict:
        return json.loads(self.registry.read(f"runs/{key}.json")[0])


class Interrupted:
    """A guard of an update that is interrupted while it waits."""

    looks = 0

    def check(self) -> None:
        self.looks += 1
        if self.looks > 3:
            raise UpdateCancelled("the update was cancelled", "again")


def world_job(job: str, wanted: Request):
    return Job(job, wanted.service, wanted.workspace)
