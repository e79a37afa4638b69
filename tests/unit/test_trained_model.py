"""The trained model reference: its address is known before it is trained."""

from __future__ import annotations

import pytest

from clients.errors import ConfigurationError
from retrain_hooks.host.lifecycle import UNKNOWN, Context
from retrain_hooks.registry.history import History
from retrain_hooks.registry.ledger import Job, Ledger, Run
from retrain_hooks.training.lifecycle import TrainedModelLifecycle
from tests.unit.fakes import Listener, MemoryContainer, OpenGuard

PROPS = {
    "target": "local",
    "experiment": {
        "name": "flights",
        "digest": "e" * 64,
        "input": "input1",
        "modelOutput": "output1",
        "evaluationOutput": "output2",
        "parameters": ["Learning rate", "Random seed"],
    },
    "service": UNKNOWN,
    "data": {
        "digest": "2-" + "d" * 64,
        "blobs": ["flights/2013-01.csv"],
        "version": "2013-01",
        "container": "data",
    },
    "parameters": {"Learning rate": 0.2},
    "seed": 7.0,
    "force": "",
    "deadlineMinutes": 60,
}


@pytest.fixture
def registry() -> MemoryContainer:
    return MemoryContainer()


@pytest.fixture
def life(registry, monkeypatch) -> TrainedModelLifecycle:
    context = Context(Listener(), OpenGuard())
    data = MemoryContainer("data")
    data.put("flights/2013-01.csv", b"january")
    monkeypatch.setattr(context, "registry", lambda _target: registry)
    monkeypatch.setattr(context, "data", lambda _target, _name=None: data)
    return TrainedModelLifecycle(context)


def record(registry: MemoryContainer, key: str, **fields: object) -> Run:
    run = Run(key, "flights", {}, **fields)
    Ledger(registry).plan(run)
    return run


def test_a_first_preview_names_key_and_address(life, registry):
    """With the service still unknown the address is known, and nothing is written."""
    found = life.check(PROPS, {})
    assert found["address"] == f"models/flights/{found['runKey']}/1.ilearner"
    assert "sha256" not in found
    assert registry.writes == []


def test_the_training_service_is_no_part_of_the_key(life):
    """Eight stacks with eight services share one run."""
    service = {"id": "x", "workspace": {"resource": "/w"}}
    assert life.check(PROPS, {})["runKey"] == life.check(PROPS | {"service": service}, {})["runKey"]


def test_a_finished_run_brings_its_hash_and_metrics(life, registry):
    """What was trained before is known in the preview."""
    key = life.check(PROPS, {})["runKey"]
    registry.put_model(f"models/flights/{key}/1.ilearner", "s", b"m")
    record(registry, key, state="finished", sha256="s", bytes=1, metrics={"auc": 0.75})
    found = life.check(PROPS, {})
    assert (found["sha256"], found["metrics"]) == ("s", {"auc": 0.75})


@pytest.mark.parametrize(
    ("fields", "attempt"),
    [
        ({"state": "finished", "bytes": 1, "sha256": "s"}, 2),
        ({"state": "retired", "attempt": 1}, 2),
        ({"state": "failed"}, 2),
        ({"state": "failed", "attempt": 3}, 4),
        ({"state": "submitted", "attempt": 2, "job": Job("j", "s", {})}, 2),
        ({"state": "planned"}, 1),
    ],
)
def test_the_address_counts_attempts(life, registry, fields, attempt):
    """A lost model or a failed run moves the address; a running one keeps it."""
    key = life.check(PROPS, {})["runKey"]
    record(registry, key, **fields)
    assert life.check(PROPS, {})["address"].endswith(f"/{attempt}.ilearner")


@pytest.mark.parametrize("name", ["data", "seed", "force"])
def test_nothing_unknown_is_ever_hashed(life, name):
    """A key that depends on what is not known yet is not known either."""
    assert "runKey" not in life.check(PROPS | {name: UNKNOWN}, {})


def test_a_parameter_that_the_experiment_lacks_is_refused_with_those_it_has(life):
    """A typo does not train."""
    with pytest.raises(ConfigurationError, match="it has: Learning rate, Random seed"):
        life.check(PROPS | {"parameters": {"Learnig rate": "1"}}, {})


def test_only_another_address_is_a_change(life):
    """Metrics that a later preview knows do not make an update, nor does another key for the same model."""
    old = life.check(PROPS, {})
    assert not life.diff(old, old | {"metrics": {"auc": 1}, "deadlineMinutes": 5, "runKey": "other"}).changes
    assert life.diff(old, old | {"address": "other"}).changes


def later(life: TrainedModelLifecycle, **change: object) -> dict:
    """The check of a changed program after one that was deployed."""
    return life.check(PROPS | change, life.check(PROPS, {}))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            {"data": PROPS["data"] | {"digest": "2-" + "f" * 64, "version": "2013-02"}},
            "DATA 2013-01 (dddddddd) → 2013-02 (ffffffff)",
        ),
        (
            {"data": PROPS["data"] | {"digest": "2-" + "f" * 64}},
            "DATA 2013-01 (dddddddd) → 2013-01 (ffffffff)",
        ),
        ({"experiment": PROPS["experiment"] | {"digest": "c" * 64}}, "CODE eeeeeeee → cccccccc"),
        ({"seed": 8}, "PARAMETERS Learning rate=0.2 seed=7 → Learning rate=0.2 seed=8"),
        ({"force": "again"}, "FORCED none → again"),
        (
            {"force": "again", "experiment": PROPS["experiment"] | {"digest": "c" * 64}},
            "CODE eeeeeeee → cccccccc, FORCED none → again",
        ),
    ],
)
def test_a_preview_says_why_the_model_is_stale(life, change, why):
    """Data, code, parameters or by force, old to new."""
    assert later(life, **change)["why"] == why


def test_a_first_model_is_new_and_its_duration_unknown(life):
    """Nothing is promised that nobody measured."""
    found = life.check(PROPS, {})
    assert (found["why"], found["plan"]) == (
        "NEW",
        f"train run {found['runKey'][:12]}, duration not known yet",
    )


def test_a_lost_model_says_so(life, registry):
    """Same inputs, next attempt."""
    before = life.check(PROPS, {})
    record(registry, before["runKey"], state="finished", sha256="s", bytes=1)
    after = life.check(PROPS, before)
    assert (after["why"], after["address"][-11:]) == ("LOST attempt 1 → 2", "/2.ilearner")
    assert after["plan"].startswith(f"train run {before['runKey'][:12]}, attempt 2, ")


def test_another_run_has_another_plan(life):
    """A preview shows what changes: a plan in equal words would not be seen."""
    before = life.check(PROPS, {})
    after = life.check(PROPS | {"force": "again"}, before)
    assert before["plan"] != after["plan"]


def test_the_plan_says_what_would_happen_and_how_long_it_should_take(life, registry):
    """Expected minutes are the ledger's own history; a rate puts a price on them."""
    for seconds in (60, 120, 600):
        History(registry, "flights").add(seconds, {})
    found = life.check(PROPS, {})
    assert found["plan"] == f"train run {found['runKey'][:12]}, about 2.0 min"
    assert life.check(PROPS | {"ratePerHour": "3"}, {})["plan"].endswith(
        ", about 2.0 min, about 0.10 at 3 an hour"
    )


def test_a_short_run_is_expected_in_seconds(life, registry):
    """ "About 0.0 min" would say nothing."""
    History(registry, "flights").add(12.4, {})
    assert life.check(PROPS, {})["plan"].endswith(", about 12 s")


@pytest.mark.parametrize("rate", ["abc", "-1", "nan", "inf", "1,50"])
def test_a_rate_that_is_no_price_is_refused_whatever_is_planned(life, rate):
    """One line of cause, one of remedy."""
    with pytest.raises(ConfigurationError, match="ratePerHour"):
        life.check(PROPS | {"ratePerHour": rate}, {})


def test_the_plan_attaches_to_a_job_that_runs(life, registry):
    """Somebody else started it."""
    record(registry, life.check(PROPS, {})["runKey"], state="submitted", job=Job("j1", "s", {}))
    assert life.check(PROPS, {})["plan"] == "attach to job j1"


def test_looking_again_changes_nothing(life, registry):
    """Why and plan stay while the model does."""
    first = later(life, seed=8)
    record(registry, first["runKey"], state="planned")
    assert life.check(PROPS | {"seed": 8}, first) == first


@pytest.mark.parametrize("length", [12, 64])
def test_an_expected_key_or_its_beginning_lets_the_update_pass(life, length):
    """What a person approved by its first digits."""
    key = life.check(PROPS, {})["runKey"]
    assert life.check(PROPS | {"expectRunKey": key[:length]}, {})["runKey"] == key


def test_any_other_key_than_the_expected_one_is_refused(life):
    """Nothing is trained that nobody approved."""
    with pytest.raises(ConfigurationError, match="not the expected 1234567"):
        life.check(PROPS | {"expectRunKey": "1234567"}, {})


def finished(registry: MemoryContainer, key: str, **fields: object) -> str:
    """A finished run with its model."""
    registry.put_model(f"models/flights/{key}/1.ilearner", "s", b"m")
    record(registry, key, state="finished", sha256="s", bytes=1, **fields)
    return key


@pytest.mark.parametrize("length", [7, 64])
def test_a_pin_takes_a_past_run_whatever_the_data_version(life, registry, length):
    """Back to any model that is still there."""
    key = finished(registry, "a" * 64)
    found = later(life, pin=key[:length])
    assert (found["runKey"], found["sha256"]) == (key, "s")
    assert found["why"].startswith("PINNED none → aaa")


def test_a_pin_to_no_finished_run_is_refused(life):
    """It never trains."""
    with pytest.raises(ConfigurationError, match="no finished run with that key"):
        life.check(PROPS | {"pin": "b" * 64}, {})


def test_a_pin_to_a_record_that_cannot_be_read_is_refused(life, registry):
    """Today's data are never trained under the pinned key."""
    key = finished(registry, "a" * 64)
    registry.put(f"runs/{key}.json", b"{")
    with pytest.raises(ConfigurationError, match="whose record cannot be read"):
        life.check(PROPS | {"pin": key}, {})


@pytest.mark.parametrize("given", ["1234", "0", "zzzzzzz", "a" * 65, "ABCDEF0"])
@pytest.mark.parametrize("name", ["pin", "expectRunKey"])
def test_what_is_not_a_run_key_is_refused(life, name, given):
    """Seven hexadecimal digits at least, so that no key meets it by chance."""
    with pytest.raises(ConfigurationError, match=f"{name}: '{given}' is not a run key"):
        life.check(PROPS | {name: given}, {})


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"deadlineMinutes": -1}, "deadlineMinutes: -1 is less than 1 minutes"),
        ({"deadlineMinutes": 0}, "deadlineMinutes: 0 is less than 1 minutes"),
        ({"deadlineMinutes": "ten"}, "deadlineMinutes: 'ten' is not a whole number of minutes"),
        ({"deadlineMinutes": 1e9}, "deadlineMinutes: 1000000000 is more than 43200 minutes"),
        ({"maxJobs": -1}, "maxJobs: -1 is less than 0"),
        ({"maxJobs": 1.5}, "maxJobs: 1.5 is not a whole number"),
        ({"seed": 1.7}, "seed: 1.7 is not a whole number"),
        ({"seed": -1}, "seed: -1 is less than 0"),
        ({"seed": 2**31}, "seed: .* is more than"),
        ({"cancelJobs": "maybe"}, "cancelJobs: 'maybe' is neither true nor false"),
        ({"parameters": [1]}, "parameters: \\[1\\] has no properties"),
    ],
)
def test_what_an_update_would_refuse_is_refused_by_the_check(life, change, cause):
    """Nothing is trained on it; the line names the property."""
    with pytest.raises(ConfigurationError, match=f"^{cause}"):
        life.check(PROPS | change, {})


def test_a_record_that_is_gone_with_its_model_is_the_next_attempt(life, registry):
    """A stack that had a model is told that it is lost, and trains it at an address of its own."""
    before = life.check(PROPS, {})
    finished(registry, before["runKey"])
    deployed = life.check(PROPS, before)
    registry.blobs.clear()
    after = life.check(PROPS, deployed)
    assert (after["why"], after["address"][-11:]) == ("LOST attempt 1 → 2", "/2.ilearner")
    assert life.check(PROPS, {})["address"].endswith("/1.ilearner")


def test_a_corrupt_record_moves_the_address_past_what_was_left(life, registry):
    """A preview promises what the update will do."""
    key = life.check(PROPS, {})["runKey"]
    registry.put(f"runs/{key}.json", b"{")
    registry.put(f"models/flights/{key}/3.ilearner", b"m")
    assert life.check(PROPS, {})["address"].endswith("/4.ilearner")
