"""From a run key to a model: one job, whoever asks and whatever breaks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from clients.clock import ManualClock
from clients.errors import (
    ConfigurationError,
    DeadlineExceeded,
    JobFailed,
    LedgerError,
    NotFound,
    UpdateCancelled,
)
from clients.protocols import JobState
from retrain_hooks.datasets import ContentHashes, resolve
from retrain_hooks.ledger import Ledger, Run
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


@pytest.fixture
def world(unique_force: str) -> World:
    found = World()
    found.force = unique_force
    return found


@pytest.fixture
def unique_force(request: pytest.FixtureRequest) -> str:
    """A token per test: what one process has told of a failed run it does not tell again."""
    return request.node.nodeid


def test_a_new_key_makes_one_job_that_is_started_once(world):
    """A key that nobody asked for before is one job, and the model is where the address says."""
    run, reused = world.train(force=world.force)
    assert (world.jobs.created, world.jobs.started, reused) == (["job1"], ["job1"], False)
    assert run.address == f"models/flights/{run.key}/1.ilearner"
    assert world.registry.read(run.address)[0] == b"a model"
    assert run.metrics == {"auc": 0.75, "accuracy": 0.8, "f1": 0.5}


def test_a_finished_run_is_reused_without_any_write(world):
    """The same key again costs no job and no write."""
    first, _ = world.train(force=world.force)
    writes = list(world.registry.writes)
    again, reused = world.train(force=world.force)
    assert (again, reused) == (first, True)
    assert world.jobs.created == ["job1"]
    assert world.registry.writes == writes


def test_another_seed_is_another_run(world):
    """What the key covers decides, and nothing else."""
    world.train(force=world.force, seed=1)
    world.train(force=world.force, seed=2)
    assert len(world.jobs.created) == 2


def test_the_job_is_recorded_before_it_is_started(world):
    """A crash between create and start leaves a record that names the job."""
    seen = []
    world.jobs.start = lambda job: (
        seen.append(world.record(request(world, force=world.force).key)["job"]["id"]),
        world.jobs.started.append(job),
    )
    world.train(force=world.force)
    assert seen == ["job1"]


def test_a_recorded_job_that_never_ran_is_started_by_the_next_update(world):
    """After a crash before the start the next update attaches and starts the same job."""
    wanted = request(world, force=world.force)

    def crash(_job: str) -> None:
        raise KeyboardInterrupt

    world.jobs.start, start = crash, world.jobs.start
    with pytest.raises(KeyboardInterrupt):
        world.trainer().train(wanted)
    world.jobs.start = start
    world.trainer().train(wanted)
    assert (world.jobs.created, world.jobs.started) == (["job1"], ["job1"])


def test_the_loser_of_a_race_deletes_its_unstarted_job_and_attaches(world):
    """Two that submit at once: one job is started, the other is deleted unstarted."""
    wanted = request(world, force=world.force)
    planned = world.ledger.plan(
        Run(wanted.key, "flights", wanted.inputs, planned_at=world.clock.now().isoformat())
    )
    other = BatchService(world.registry)
    create = world.jobs.create

    def race(*args):
        theirs = create(*args)
        other_run = replace(
            planned.run,
            state="submitted",
            job=world_job(theirs, wanted),
            started_at=world.clock.now().isoformat(),
        )
        world.ledger.advance(planned, other_run)
        return create(*args)

    world.jobs.create = race
    world.trainer().train(wanted)
    assert world.jobs.started == ["job1"]
    assert world.jobs.cancelled == ["job2"]
    assert other.created == []


def world_job(job: str, wanted: Request):
    from retrain_hooks.ledger import Job

    return Job(job, wanted.service, wanted.workspace)


def test_a_failed_job_gives_the_services_own_error_and_is_tried_anew_next_time(world):
    """The failure is the service's text; the next update is the next attempt with an address of its own."""
    world.jobs.end, world.jobs.details = JobState.FAILED, "Train Model: Error 0001: column late is missing"
    with pytest.raises(JobFailed, match="Error 0001: column late is missing"):
        world.train(force=world.force)
    with pytest.raises(JobFailed, match="as reported above"):
        world.train(force=world.force)
    assert world.jobs.created == ["job1"]
    forget_what_was_told()
    world.jobs.end = JobState.FINISHED
    run, _ = world.train(force=world.force)
    assert run.attempt == 2
    assert run.address.endswith("/2.ilearner")


def forget_what_was_told() -> None:
    """What the next process knows: nothing."""
    from retrain_hooks import training

    training._told.clear()


def test_a_cancelled_job_is_a_failure(world):
    """A job that somebody cancelled at the service leaves no model and says so."""
    world.jobs.end = JobState.CANCELLED
    with pytest.raises(JobFailed, match="Cancelled"):
        world.train(force=world.force)


def test_a_job_that_the_service_lost_is_trained_again(world):
    """A job the service does not know any more is the next attempt."""
    world.jobs.start = lambda job: world.jobs.outputs.pop(job, None) if job == "job1" else start(job)

    def start(job: str) -> None:
        world.jobs.started.append(job)

    run, _ = world.train(force=world.force)
    assert (run.attempt, world.jobs.created) == (2, ["job1", "job2"])


def test_a_job_of_a_service_that_is_gone_is_trained_again(world):
    """The training service of an earlier stack was deleted, and its jobs with it."""
    wanted = request(world, force=world.force)
    planned = world.ledger.plan(
        Run(wanted.key, "flights", wanted.inputs, planned_at=world.clock.now().isoformat())
    )
    gone = replace(
        planned.run, state="submitted", job=replace(world_job("old", wanted), service="gone"), started_at="x"
    )
    world.ledger.advance(planned, gone)

    def jobs(_workspace: object, service: str) -> BatchService:
        if service == "gone":
            raise NotFound("no service", "none", status=404)
        return world.jobs

    run, _ = world.trainer_with(jobs).train(wanted)
    assert (run.attempt, run.state) == (2, "finished")


@pytest.mark.parametrize("content", [None, b"another"])
def test_a_lost_or_altered_model_is_trained_again_at_a_new_address(world, content):
    """A finished run is reused only while its model is what the run left."""
    first, _ = world.train(force=world.force)
    if content is None:
        del world.registry.blobs[first.address]
    else:
        world.registry.put(first.address, content)
    again, reused = world.train(force=world.force)
    assert (again.attempt, reused) == (2, False)
    assert again.address != first.address


def test_the_same_key_with_other_recorded_inputs_is_refused(world):
    """A record that was made for other inputs is not believed."""
    wanted = request(world, force=world.force)
    world.ledger.plan(Run(wanted.key, "flights", INPUTS | {"data": "forged"}))
    with pytest.raises(LedgerError, match="other inputs"):
        world.trainer().train(wanted)
    assert world.jobs.created == []


@pytest.mark.parametrize("evaluation", [b"", b"AUC\r\n", b"AUC\r\nnot a number\r\n", b"\xff\xfe\x00"])
def test_an_evaluation_that_cannot_be_read_fails_the_run(world, evaluation):
    """No metrics, no model: the run fails closed."""
    world.jobs.evaluation = evaluation
    with pytest.raises(JobFailed, match="evaluation cannot be read"):
        world.train(force=world.force)


def test_a_wait_has_a_deadline_and_keeps_the_job(world):
    """After the deadline the update ends, and the next one attaches."""
    world.jobs.looks = 10**9
    with pytest.raises(DeadlineExceeded, match="job1 goes on"):
        world.train(force=world.force)
    world.jobs.looks = 1
    run, _ = world.train(force=world.force)
    assert (run.state, world.jobs.created, world.jobs.started) == ("finished", ["job1"], ["job1"])


def test_an_interrupted_update_keeps_its_job_and_the_next_one_attaches(world):
    """Cancelling an update neither cancels nor loses the job."""

    class Interrupted:
        looks = 0

        def check(self) -> None:
            self.looks += 1
            if self.looks > 3:
                raise UpdateCancelled("the update was cancelled", "again")

    world.guard = Interrupted()
    world.jobs.looks = 5
    with pytest.raises(UpdateCancelled):
        world.train(force=world.force)
    world.guard = OpenGuard()
    world.train(force=world.force)
    assert (world.jobs.created, world.jobs.started, world.jobs.cancelled) == (["job1"], ["job1"], [])


def test_progress_names_state_seconds_module_and_rows(world):
    """A person who waits sees where the job is."""
    world.train(force=world.force)
    assert any("Running, 0 s, Train Model, 18,903 rows" in line for line in world.told.lines)


def test_a_corrupt_record_is_set_aside_and_trained_anew_past_what_was_left(world):
    """Never guessed from: kept for whoever looks into it, and reported."""
    first, _ = world.train(force=world.force)
    world.registry.put(f"runs/{first.key}.json", b'{"version": 1, "state": "fini')
    again, reused = world.train(force=world.force)
    assert (again.attempt, reused) == (2, False)
    aside = [name for name in world.registry.blobs if name.startswith("corrupt/")]
    assert [world.registry.read(name)[0] for name in aside] == [b'{"version": 1, "state": "fini']
    assert any("set aside" in line for line in world.told.lines)


@pytest.mark.parametrize(
    "change",
    [
        {"state": "done"},
        {"attempt": 0},
        {"attempt": "1"},
        {"sha256": ""},
        {"key": "other"},
        {"metrics": []},
        {"unknown": 1},
    ],
)
def test_a_record_that_is_not_well_formed_is_not_believed(world, change):
    """Valid JSON is not enough."""
    first, _ = world.train(force=world.force)
    record = world.record(first.key) | change
    world.registry.put(f"runs/{first.key}.json", json.dumps(record).encode())
    again, reused = world.train(force=world.force)
    assert (again.attempt, reused) == (2, False)


def test_a_record_of_a_newer_format_is_left_alone(world):
    """An older program does not undo what a newer one wrote."""
    first, _ = world.train(force=world.force)
    record = world.record(first.key) | {"version": 2}
    world.registry.put(f"runs/{first.key}.json", json.dumps(record).encode())
    with pytest.raises(LedgerError, match="has format 2"):
        world.train(force=world.force)
    assert world.jobs.created == ["job1"]


def test_data_that_changes_while_it_is_trained_from_fails_the_run(world):
    """The model of half-old, half-new data is never used."""
    start = world.jobs.start

    def start_and_change(job: str) -> None:
        start(job)
        world.data.put("flights/2013-01.csv", b"january")

    world.jobs.start = start_and_change
    with pytest.raises(JobFailed, match=r"data/flights/2013-01\.csv was changed while"):
        world.train(force=world.force)
    assert world.record(request(world, force=world.force).key)["state"] == "failed"


def test_data_that_changed_since_the_plan_starts_no_job(world):
    """What was approved is what is trained."""
    wanted = request(world, force=world.force)
    world.data.put("flights/2013-01.csv", b"JANUARY")
    with pytest.raises(ConfigurationError, match="has changed since this update was planned"):
        world.trainer().train(wanted)
    assert world.jobs.created == []


def test_a_set_of_blobs_is_one_table_for_the_job(world):
    """Under the header they share, whatever ends their last line."""
    world.data.put("a.csv", b"x,y\r\n1,2")
    world.data.put("b.csv", b"x,y\n3,4\n")
    data = training_data(world, "a.csv", "b.csv")
    reference = data.reference()
    assert reference == data.reference()
    path = reference["RelativeLocation"].partition("/")[2]
    assert world.registry.read(path)[0] == b"x,y\r\n1,2\n3,4\n"


def test_blobs_with_other_columns_are_refused(world):
    """One model can't be trained from both."""
    world.data.put("a.csv", b"x,y\n1,2\n")
    world.data.put("b.csv", b"x,z\n3,4\n")
    with pytest.raises(ConfigurationError, match=r"b\.csv has other columns than a\.csv"):
        training_data(world, "a.csv", "b.csv").reference()


def training_data(world: World, *names: str) -> TrainingData:
    return TrainingData(world.data, world.registry, list(names), "d" * 64, "a..b")


def test_whoever_planned_the_run_is_given_time_to_submit_it(world):
    """Eight stacks that want the same key make one job, not eight of which seven are deleted."""
    wanted = request(world, force=world.force)
    planned = world.ledger.plan(
        Run(wanted.key, "flights", wanted.inputs, planned_at=world.clock.now().isoformat())
    )

    class Clock(ManualClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.monotonic() > 1 and not world.jobs.created:
                job = world.jobs.create({}, wanted_outputs(planned.run), {})
                world.ledger.advance(
                    planned,
                    replace(
                        planned.run,
                        state="submitted",
                        job=world_job(job, wanted),
                        started_at=self.now().isoformat(),
                    ),
                )

    world.clock = Clock(world.clock.now())
    world.trainer().train(wanted)
    assert (world.jobs.created, world.jobs.cancelled) == (["job1"], [])


def wanted_outputs(run: Run) -> dict:
    return {
        "output1": {"RelativeLocation": f"registry/{run.address}"},
        "output2": {"RelativeLocation": "x/y.csv"},
    }


def test_a_planner_that_is_gone_is_not_waited_for_for_ever(world):
    """A crash between the plan and the job costs seconds."""
    wanted = request(world, force=world.force)
    world.ledger.plan(Run(wanted.key, "flights", wanted.inputs, planned_at=world.clock.now().isoformat()))
    world.trainer().train(wanted)
    assert world.jobs.started == ["job1"]
    assert world.clock.monotonic() < 30


def test_an_update_starts_no_more_jobs_than_it_may(world):
    """A mistake in a program does not train a hundred models."""
    one = replace(request(world, force=world.force), max_jobs=1)
    world.trainer().train(one)
    two = replace(request(world, force=world.force + "2"), max_jobs=1)
    with pytest.raises(ConfigurationError, match="more than 1 training job"):
        world.trainer().train(two)
    assert world.jobs.created == ["job1"]


def test_an_interrupted_update_cancels_its_job_where_that_is_wanted(world):
    """`cancelJobs` ends the job at the service."""

    class Interrupted:
        looks = 0

        def check(self) -> None:
            self.looks += 1
            if self.looks > 3:
                raise UpdateCancelled("the update was cancelled", "again")

    world.guard = Interrupted()
    world.jobs.looks = 5
    with pytest.raises(UpdateCancelled):
        world.trainer().train(replace(request(world, force=world.force), cancel_job=True))
    assert world.jobs.cancelled == ["job1"]
