"""What a run is trained from, and what is on record of it: believed only while it is whole."""

from __future__ import annotations

import json

import pytest

from clients.errors import ConfigurationError, JobFailed, LedgerError
from retrain_hooks.data.inputs import DataReference
from retrain_hooks.data.training_data import TrainingData
from retrain_hooks.registry.ledger import Run
from tests.unit.training_world import INPUTS, World, request


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


@pytest.mark.parametrize("md5", ["kept", "missing"])
def test_another_model_of_the_same_length_is_trained_again(world, md5):
    """The bytes decide, whatever their Content-MD5 says; nobody is handed them meanwhile."""
    first, _ = world.train(force=world.force)
    world.registry.put(first.address, b"A MODEL", md5_of=b"a model")
    if md5 == "missing":
        world.registry.without_md5.add(first.address)
    with pytest.raises(LedgerError, match=r"is gone, or is not the one that its run left"):
        world.ledger.hand_over(first.address)
    again, reused = world.train(force=world.force)
    assert (again.attempt, again.sha256, reused) == (2, first.sha256, False)
    assert world.ledger.hand_over(again.address).path.endswith(again.address)


@pytest.mark.parametrize("record", [None, b"", b"{", b'{"version": 1, "state": "fini'])
def test_a_model_whose_record_is_lost_is_handed_over_by_the_hash_that_a_state_knows(world, record):
    """Nobody is handed bytes that nothing tells apart from another model's; another attempt's record tells them, too."""
    first, _ = world.train(force=world.force)
    del world.registry.blobs[f"runs/{first.key}.json"]
    if record is not None:
        world.registry.put(f"runs/{first.key}.json", record)
    with pytest.raises(LedgerError, match="nothing is on record of the model"):
        world.ledger.hand_over(first.address)
    assert world.ledger.hand_over(first.address, first.sha256).path.endswith(first.address)
    again, _ = world.train(force=world.force)
    assert again.sha256 == first.sha256
    assert world.ledger.hand_over(first.address).path.endswith(first.address)
    world.registry.put(first.address, b"A MODEL", md5_of=b"a model")
    for known in ("", first.sha256):
        with pytest.raises(LedgerError, match=r"is gone, or is not the one that its run left"):
            world.ledger.hand_over(first.address, known)


def test_a_plan_and_a_job_of_unknown_time_are_gone_on_with(world):
    """Whoever planned without a time is not waited for; a job that began then takes a time that isn't known."""
    wanted = request(world, force=world.force)
    world.ledger.plan(Run(wanted.key, "flights", wanted.covered.inputs))
    run, _ = world.train(force=world.force)
    assert (run.state, run.attempt, world.jobs.created) == ("finished", 1, ["job1"])
    world.registry.put(
        f"runs/{run.key}.json",
        json.dumps(world.record(run.key) | {"state": "submitted", "started_at": ""}).encode(),
    )
    run, _ = world.train(force=world.force)
    assert (run.state, run.attempt, run.seconds, world.jobs.created) == ("finished", 1, None, ["job1"])


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
    record = world.record(first.key) | {"version": 3}
    world.registry.put(f"runs/{first.key}.json", json.dumps(record).encode())
    with pytest.raises(LedgerError, match="has format 3"):
        world.train(force=world.force)
    assert world.jobs.created == ["job1"]


def test_data_that_changes_while_it_is_trained_from_fails_the_run(world):
    """The model of half-old, half-new data is never used."""
    start = world.jobs.start

    def start_and_change(job: str) -> None:
        start(job)
        world.data.put("flights/2013-01.csv", b"another january")

    world.jobs.start = start_and_change
    with pytest.raises(JobFailed, match=r"data/flights/2013-01\.csv was changed while"):
        world.train(force=world.force)
    assert world.record(request(world, force=world.force).key)["state"] == "failed"


def test_data_that_is_touched_while_it_is_trained_from_is_trained_from_again(world):
    """The content is what was planned, but what the job has read is not sure: another attempt, no failure."""
    start = world.jobs.start

    def start_and_touch(job: str) -> None:
        start(job)
        if job == "job1":
            world.data.put("flights/2013-01.csv", b"january")

    world.jobs.start = start_and_touch
    run, reused = world.train(force=world.force)
    assert (run.state, run.attempt, reused) == ("finished", 2, False)
    assert world.jobs.started == ["job1", "job2"]


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
    path = reference.path.partition("/")[2]
    assert world.registry.read(path)[0] == b"x,y\r\n1,2\n3,4\n"


def test_blobs_with_other_columns_are_refused(world):
    """One model can't be trained from both."""
    world.data.put("a.csv", b"x,y\n1,2\n")
    world.data.put("b.csv", b"x,z\n3,4\n")
    with pytest.raises(ConfigurationError, match=r"b\.csv has other columns than a\.csv"):
        training_data(world, "a.csv", "b.csv").reference()


def training_data(world: World, *names: str) -> TrainingData:
    return TrainingData(world.context(), "local", DataReference("data", "a..b", "d" * 64, names))
