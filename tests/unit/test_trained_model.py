"""The trained model reference: its address is known before it is trained."""

from __future__ import annotations

import pytest

from clients.errors import ConfigurationError
from retrain_hooks.history import History
from retrain_hooks.ledger import Job, Ledger, Run
from retrain_hooks.lifecycle import UNKNOWN, Context
from retrain_hooks.trained_model import TrainedModelLifecycle
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
        "digest": "d" * 64,
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
    monkeypatch.setattr(context, "registry", lambda _target: registry)
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
    assert life.check(PROPS, {})["runKey"] == life.check(PROPS | {"service": {"id": "x"}}, {})["runKey"]


def test_a_finished_run_brings_its_hash_and_metrics(life, registry):
    """What was trained before is known in the preview."""
    key = life.check(PROPS, {})["runKey"]
    registry.put(f"models/flights/{key}/1.ilearner", b"m")
    record(registry, key, state="finished", sha256="s", bytes=1, metrics={"auc": 0.75})
    registry.without_md5.add(f"models/flights/{key}/1.ilearner")
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


def test_only_key_and_address_are_changes(life):
    """Metrics that a later preview knows do not make an update."""
    old = life.check(PROPS, {})
    assert not life.diff(old, old | {"metrics": {"auc": 1}, "deadlineMinutes": 5}).changes
    assert life.diff(old, old | {"runKey": "other"}).changes


def later(life: TrainedModelLifecycle, **change: object) -> dict:
    """The check of a changed program after one that was deployed."""
    return life.check(PROPS | change, life.check(PROPS, {}))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            {"data": PROPS["data"] | {"digest": "f" * 64, "version": "2013-02"}},
            "DATA 2013-01 (dddddddd) → 2013-02 (ffffffff)",
        ),
        ({"data": PROPS["data"] | {"digest": "f" * 64}}, "DATA 2013-01 (dddddddd) → 2013-01 (ffffffff)"),
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
        History(registry, "flights").add(seconds)
    found = life.check(PROPS, {})
    assert found["plan"] == f"train run {found['runKey'][:12]}, about 2.0 min"
    assert life.check(PROPS | {"ratePerHour": "3"}, {})["plan"].endswith(
        ", about 2.0 min, about 0.10 at 3 an hour"
    )


def test_a_short_run_is_expected_in_seconds(life, registry):
    """ "About 0.0 min" would say nothing."""
    History(registry, "flights").add(12.4)
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


def test_looking_again_changes_nothing(life):
    """Why and plan stay while the key does."""
    first = later(life, seed=8)
    assert life.check(PROPS | {"seed": 8}, first) == first


@pytest.mark.parametrize("length", [12, 64])
def test_an_expected_key_or_its_beginning_lets_the_update_pass(life, length):
    """What a person approved by its first digits."""
    key = life.check(PROPS, {})["runKey"]
    assert life.check(PROPS | {"expectRunKey": key[:length]}, {})["runKey"] == key


def test_any_other_key_than_the_expected_one_is_refused(life):
    """Nothing is trained that nobody approved."""
    with pytest.raises(ConfigurationError, match="not the expected 1234"):
        life.check(PROPS | {"expectRunKey": "1234"}, {})


def test_a_pin_takes_a_past_run_whatever_the_data_version(life, registry):
    """Back to any model that is still there."""
    registry.put(f"models/flights/{'p' * 64}/1.ilearner", b"m")
    registry.without_md5.add(f"models/flights/{'p' * 64}/1.ilearner")
    record(registry, "p" * 64, state="finished", sha256="s", bytes=1)
    found = later(life, pin="p" * 64)
    assert (found["runKey"], found["sha256"]) == ("p" * 64, "s")
    assert found["why"].startswith("PINNED none → ppp")


def test_a_pin_to_no_finished_run_is_refused(life):
    """It never trains."""
    with pytest.raises(ConfigurationError, match="no finished run with that key"):
        life.check(PROPS | {"pin": "q" * 64}, {})


def test_a_corrupt_record_moves_the_address_past_what_was_left(life, registry):
    """A preview promises what the update will do."""
    key = life.check(PROPS, {})["runKey"]
    registry.put(f"runs/{key}.json", b"{")
    registry.put(f"models/flights/{key}/3.ilearner", b"m")
    assert life.check(PROPS, {})["address"].endswith("/4.ilearner")
