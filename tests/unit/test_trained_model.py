"""The trained model reference: its address is known before it is trained."""

from __future__ import annotations

import pytest

from clients.errors import ConfigurationError
from retrain_hooks.ledger import Ledger, Run
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
    "data": {"digest": "d" * 64, "blobs": ["flights/2013-01.csv"]},
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
        ({"state": "finished", "bytes": 1}, 2),
        ({"state": "failed"}, 2),
        ({"state": "failed", "attempt": 3}, 4),
        ({"state": "running", "attempt": 2}, 2),
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
