"""From a run key to a model: one job, whoever asks and whatever breaks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from clients.clock import ManualClock
from clients.errors import ConfigurationError, DeadlineExceeded, JobFailed, NotFound, UpdateCancelled
from clients.protocols import JobState
from clients.storage import BlobRef
from retrain_hooks.registry.ledger import Run
from tests.unit.fakes import BatchService, OpenGuard
from tests.unit.training_world import Interrupted, request, world_job


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


def test_a_queued_job_is_not_started_at_each_look(world):
    """It says NotStarted like one that nobody started; after half a minute its start counts as lost."""
    world.jobs.queued, world.jobs.looks = 40, 42
    world.trainer().train(request(world))
    assert world.clock.monotonic() < 30
    assert world.jobs.started == ["job1"]


def test_a_start_that_was_lost_is_repeated(world):
    """The service took it and forgot."""
    world.jobs.queued, world.jobs.looks = 70, 72
    world.trainer().train(request(world))
    assert 30 < world.clock.monotonic() < 90
    assert 1 < len(world.jobs.started) < 4


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
        Run(wanted.key, "flights", wanted.covered.inputs, planned_at=world.clock.now().isoformat())
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
    from retrain_hooks.training import trainer as training

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
        Run(wanted.key, "flights", wanted.covered.inputs, planned_at=world.clock.now().isoformat())
    )
    gone = replace(
        planned.run, state="submitted", job=replace(world_job("old", wanted), service="gone"), started_at=""
    )
    world.ledger.advance(planned, gone)

    def jobs(service: str) -> BatchService:
        if service == "gone":
            raise NotFound("no service", "none", status=404)
        return world.jobs

    run, _ = world.trainer(jobs).train(wanted)
    assert (run.attempt, run.state) == (2, "finished")


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


def test_whoever_planned_the_run_is_given_time_to_submit_it(world):
    """Eight stacks that want the same key make one job, not eight of which seven are deleted."""
    wanted = request(world, force=world.force)
    planned = world.ledger.plan(
        Run(wanted.key, "flights", wanted.covered.inputs, planned_at=world.clock.now().isoformat())
    )

    class Clock(ManualClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.monotonic() > 1 and not world.jobs.created:
                job = world.jobs.create("", {}, wanted_outputs(planned.run), {})
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
        "output1": BlobRef("", f"registry/{run.address}"),
        "output2": BlobRef("", "x/y.csv"),
    }


def test_a_planner_that_is_gone_is_not_waited_for_for_ever(world):
    """A crash between the plan and the job costs seconds."""
    wanted = request(world, force=world.force)
    world.ledger.plan(
        Run(wanted.key, "flights", wanted.covered.inputs, planned_at=world.clock.now().isoformat())
    )
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
    world.guard = Interrupted()
    world.jobs.looks = 5
    with pytest.raises(UpdateCancelled):
        world.trainer().train(replace(request(world, force=world.force), cancel_job=True))
    assert world.jobs.cancelled == ["job1"]


@pytest.mark.parametrize(("looks", "seconds"), [(1, 0), (8, 1.75), (40, 6)])
def test_a_jobs_time_ends_with_its_model_or_when_its_end_is_seen(world, looks, seconds):
    """The blob's time, in whole seconds and rounded down, counts where it ended while nobody waited."""
    stat, began = world.registry.stat, world.clock.now()

    def timed(name):
        found = stat(name)
        return found and replace(found, modified=began + timedelta(seconds=5))

    world.registry.stat = timed
    world.jobs.looks = looks
    assert world.train()[0].seconds == pytest.approx(seconds, abs=0.3)
