"""Cancelling jobs: at the service, on record, and nobody else's."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from clients.clock import ManualClock
from clients.errors import (
    ConfigurationError,
    EngineGone,
    JobFailed,
    ServiceError,
    Unreachable,
    UpdateCancelled,
)
from retrain_hooks.data.inputs import DataReference
from retrain_hooks.data.training_data import TrainingData
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.host.references import ServiceRef, WorkspaceRef
from retrain_hooks.registry.ledger import Entry, Job, Ledger, Run
from retrain_hooks.registry.run_key import Covered
from retrain_hooks.training.cancelled_jobs import Cancellation, cancel, cancel_all
from retrain_hooks.training.trainer import Request, Trainer
from tests.unit.fakes import BatchService, Listener, MemoryContainer, OpenGuard

OURS = {"resource": "/subscriptions/s/workspaces/ours", "id": "w1"}
THEIRS = {"resource": "/subscriptions/s/workspaces/theirs", "id": "w2"}


class World:
    """A registry, a batch service, and submitted runs whose jobs run."""

    def __init__(self) -> None:
        self.registry = MemoryContainer()
        self.ledger = Ledger(self.registry)
        self.jobs = BatchService(self.registry, looks=10**9)
        self.clock = ManualClock()

    def submitted(self, key: str, workspace: dict[str, str] = OURS, **fields: object) -> Entry:
        job = self.jobs.create("", {}, {}, {})
        self.jobs.start(job)
        given = {"inputs": {}, "state": "submitted", "job": Job(job, "s1", workspace)} | fields
        run = Run(key, "flights", **given)
        return self.ledger.plan(run)

    def cancel_all(self, workspace: dict[str, str] | None = OURS) -> Cancellation:
        return cancel_all(self.ledger, workspace, lambda _service: self.jobs, self.clock)

    def run(self, key: str) -> Run:
        entry = self.ledger.find(key)
        assert entry is not None
        return entry.run


@pytest.fixture
def world() -> World:
    return World()


def test_a_cancelled_job_is_gone_at_the_service_and_failed_on_record(world):
    """With who cancelled it."""
    world.submitted("a")
    found = world.cancel_all()
    assert ([run.key for run in found.cancelled], world.jobs.cancelled) == (["a"], ["job1"])
    assert world.run("a").state == "failed"
    assert world.run("a").error.startswith("Cancelled by ")


def test_jobs_of_other_stacks_are_left_alone_and_told(world):
    """Another workspace's job is another stack's."""
    world.submitted("a", THEIRS)
    found = world.cancel_all()
    assert ([run.key for run in found.elsewhere], found.cancelled, world.jobs.cancelled) == (["a"], [], [])
    assert world.run("a").state == "submitted"


def test_a_stack_without_a_workspace_has_no_job_to_cancel(world):
    """It was never deployed, so that all jobs are others'."""
    world.submitted("a")
    assert world.cancel_all(None).cancelled == []
    assert world.jobs.cancelled == []


@pytest.mark.parametrize("state", ["planned", "finished", "failed", "retired"])
def test_only_unfinished_jobs_are_cancelled(world, state):
    """What has ended stays as it ended."""
    world.submitted("a", state=state, sha256="s")
    assert world.cancel_all().cancelled == []
    assert (world.run("a").state, world.jobs.cancelled) == (state, [])


def test_a_job_that_has_ended_keeps_its_result_for_the_next_update(world):
    """A model that is there already is not thrown away."""
    world.submitted("a")
    world.jobs.looks = 1
    found = world.cancel_all()
    assert (found.cancelled, world.jobs.cancelled, world.run("a").state) == ([], [], "submitted")
    assert "has ended already" in found.problems[0]


def test_one_that_cannot_be_cancelled_does_not_keep_the_others(world, monkeypatch):
    """Its record stays as it is, and the problem is told."""
    world.submitted("a")
    world.submitted("b")
    there = world.jobs.status

    def status(job: str) -> object:
        if job == "job1":
            raise Unreachable("nobody answers", "start it")
        return there(job)

    monkeypatch.setattr(world.jobs, "status", status)
    found = world.cancel_all()
    assert [run.key for run in found.cancelled] == ["b"]
    assert found.problems == ["job job1 could not be cancelled: nobody answers"]
    assert world.run("a").state == "submitted"


def test_a_corrupt_record_is_told_and_left(world):
    """Its job can't be known."""
    world.registry.put("runs/a.json", b"{")
    assert len(world.cancel_all().problems) == 1


def test_who_moved_the_record_on_first_is_right(world):
    """Somebody finished the run in the meantime: the job is not cancelled."""
    entry = world.submitted("a")
    world.ledger.advance(entry, replace(entry.run, state="finished", sha256="s"))
    assert cancel(world.ledger, entry, world.jobs, world.clock).state == "finished"
    assert world.jobs.cancelled == []


def context(world: World, guard: object) -> Context:
    found = Context(Listener(), guard, world.clock)
    found.registry = lambda _target: world.registry
    found.data = lambda _target, _name=None: MemoryContainer("data")
    found.services = lambda _target, _service: SimpleNamespace(jobs=lambda _id: world.jobs)
    return found


def trainer(world: World, guard: object) -> Trainer:
    return Trainer(context(world, guard), "local")


def request(world: World, force: str, **fields: object) -> Request:
    covered = Covered("e", "d", {}, 0, force)
    world.submitted(covered.key, inputs=covered.inputs, **fields)
    data = TrainingData(context(world, OpenGuard()), "local", DataReference("data", "2013-01", "2-d", ()))
    outputs = {"model": "output1", "evaluation": "output2"}
    service = ServiceRef("s1", WorkspaceRef(**OURS))
    return Request(covered, "", "flights", data, "input1", outputs, {}, service, 600, cancel_job=True)


@pytest.fixture
def inputs(request: pytest.FixtureRequest) -> str:
    """A force token for each test: what one process has told of a failed run it does not tell again."""
    return request.node.nodeid


class Interrupted:
    """A guard that stops the update at its third question."""

    def __init__(self, error: type[UpdateCancelled] = UpdateCancelled) -> None:
        self.questions = 0
        self.error = error

    def check(self) -> None:
        self.questions += 1
        if self.questions > 2:
            raise self.error("the update was cancelled", "again")


def test_an_interrupted_update_records_that_it_cancelled_its_job(world, inputs):
    """The next update plans the next attempt, as the preview says."""
    wanted = request(world, inputs)
    with pytest.raises(UpdateCancelled, match="and job job1 with it"):
        trainer(world, Interrupted()).train(wanted)
    assert (world.run(wanted.key).state, world.jobs.cancelled) == ("failed", ["job1"])


def test_an_interrupted_update_does_not_cancel_another_stacks_job(world, inputs):
    """It was attached to, and is not its own."""
    wanted = replace(request(world, inputs), service=ServiceRef("s1", WorkspaceRef(**THEIRS)))
    with pytest.raises(UpdateCancelled, match="job job1 goes on"):
        trainer(world, Interrupted()).train(wanted)
    assert (world.run(wanted.key).state, world.jobs.cancelled) == ("submitted", [])


def test_a_provider_whose_engine_is_gone_cancels_nothing(world, inputs):
    """Another update may have attached to the job by then."""
    with pytest.raises(EngineGone):
        trainer(world, Interrupted(EngineGone)).train(request(world, inputs))
    assert world.jobs.cancelled == []


def test_a_job_that_could_not_be_cancelled_is_told_and_stays_on_record(world, inputs, monkeypatch):
    """The next update attaches to it."""

    def refuse(_job: str) -> None:
        raise ServiceError("the service is busy", "later")

    monkeypatch.setattr(world.jobs, "cancel", refuse)
    wanted = request(world, inputs)
    with pytest.raises(UpdateCancelled, match="could not be cancelled: the service is busy"):
        trainer(world, Interrupted()).train(wanted)
    assert world.run(wanted.key).state == "submitted"


def test_an_update_that_waits_for_a_job_that_is_cancelled_does_not_train_again(world, inputs):
    """It says who cancelled it, whenever in the cancellation it looks."""
    wanted = request(world, inputs)
    there = world.jobs.cancel
    failure: list[JobFailed] = []

    def cancelled_and_looked_at(job: str) -> None:
        there(job)
        with pytest.raises(JobFailed) as caught:
            trainer(world, OpenGuard()).train(wanted)
        failure.append(caught.value)

    world.jobs.cancel = cancelled_and_looked_at
    world.cancel_all()
    assert "failed: Cancelled by " in failure[0].cause
    assert failure[0].remedy.startswith("run the update again to train anew")
    assert (world.jobs.created, world.run(wanted.key).attempt) == (["job1"], 1)


def test_a_retired_run_is_trained_anew_even_where_its_model_is_still_there(world, inputs):
    """An interrupted prune left the blob; the record decides."""
    wanted = request(world, inputs, state="retired", sha256="s")
    world.registry.put_model(world.run(wanted.key).address, "s")
    assert world.ledger.intact(world.run(wanted.key))
    with pytest.raises(ConfigurationError, match="changed since this update was planned"):
        trainer(world, OpenGuard()).train(wanted)
    assert (world.run(wanted.key).state, world.run(wanted.key).attempt) == ("planned", 2)
