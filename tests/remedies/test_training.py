"""What a training run advises, done, and the next update trains, attaches or goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from clients.errors import NotFound
from clients.protocols import JobState
from retrain_hooks.registry.ledger import Run
from retrain_hooks.training import trainer as training
from retrain_hooks.training.cancelled_jobs import cancel
from retrain_hooks.training.lifecycle import TrainedModelLifecycle
from tests.healing import Told
from tests.unit.fakes import MemoryContainer, OpenGuard
from tests.unit.test_trained_model import PROPS, finished, life, registry
from tests.unit.training_world import INPUTS, Interrupted, World, request

__all__ = ["life", "registry"]
heals = pytest.mark.heals
TRAINER, SEARCH = "retrain_hooks/training/trainer.py", "retrain_hooks/training/search.py"


@pytest.fixture(autouse=True)
def each_update_is_a_process() -> Iterator[None]:
    """What one update has reported the next one does not know."""
    training._told.clear()
    yield
    training._told.clear()


@pytest.fixture
def world() -> World:
    return World()


def again(world: World) -> Run:
    """The next update."""
    training._told.clear()
    return world.train()[0]


@heals("correct the data or the experiment, then run the update again; what was bound still serves")
@heals("correct it there; nothing was bound")
def test_a_job_that_failed(remedy: Told, world: World) -> None:
    """Corrected, it is the next attempt; in the same update it is told once."""
    world.jobs.end, world.jobs.details = JobState.FAILED, "Error 0001"
    remedy.fails(world.train)
    remedy.fails(world.train)
    world.jobs.end = JobState.FINISHED
    assert again(world).attempt == 2


@heals("look at the training experiment's Evaluate Model; nothing was bound")
def test_an_evaluation_that_is_none(remedy: Told, world: World) -> None:
    """Once it is one, the run ends well."""
    world.jobs.evaluation = b"not a table"
    remedy.fails(world.train)
    world.jobs.evaluation = b"AUC\r\n0.7\r\n"
    assert again(world).metrics == {"auc": 0.7}


@heals("look at the training experiment's web service outputs; nothing was bound")
def test_a_job_without_a_model(remedy: Told, world: World) -> None:
    """With its outputs it leaves one."""
    status = world.jobs.status
    world.jobs.status = lambda job: replace(status(job), results={})  # type: ignore[method-assign]
    remedy.fails(world.train)
    world.jobs.status = status  # type: ignore[method-assign]
    assert again(world).state == "finished"


@heals("see who deletes blobs from the registry, then run the update again to train anew")
def test_a_model_that_vanished(remedy: Told, world: World) -> None:
    """Trained anew once nobody deletes it."""
    read = world.registry.read

    def gone(name: str) -> tuple[bytes, str]:
        if name.endswith(".ilearner"):
            raise NotFound("it is gone", "check its name")
        return read(name)

    world.registry.read = gone  # type: ignore[method-assign]
    remedy.fails(world.train)
    world.registry.read = read  # type: ignore[method-assign]
    assert again(world).attempt == 2


@heals("data versions don't change: upload new data under a new name; what was bound still serves")
def test_data_that_changed_under_its_name(remedy: Told, world: World) -> None:
    """The old content under the old name, the new one under a new name: each is trained."""
    start = world.jobs.start

    def change(job: str) -> None:
        start(job)
        world.data.put("flights/2013-01.csv", b"another january")

    planned = request(world)
    world.jobs.start = change  # type: ignore[method-assign]
    remedy.fails(lambda: world.trainer().train(planned))
    world.jobs.start = start  # type: ignore[method-assign]
    world.data.put("flights/2013-01.csv", b"january")
    world.data.put("flights/2013-02.csv", b"another january")
    training._told.clear()
    assert world.trainer().train(request(world))[0].state == "finished"


@heals("run the update again to train anew; what was bound still serves")
def test_a_job_that_was_cancelled(remedy: Told, world: World) -> None:
    """The next update trains anew."""
    world.jobs.looks = 10**9
    with pytest.raises(Exception, match="goes on"):
        world.train()
    entry = world.ledger.find(request(world).key)
    assert entry
    cancel(world.ledger, entry, world.jobs, world.clock)
    finished_, ours = world.ledger.advance(
        entry := world.ledger.find(entry.run.key),
        replace(entry.run, state="submitted"),  # type: ignore[arg-type,union-attr]
    )
    assert ours
    remedy.fails(world.train)
    world.jobs.looks = 1
    assert again(world).attempt == finished_.run.attempt + 1


@heals("run the update again to attach to it")
def test_a_wait_that_ended(remedy: Told, world: World) -> None:
    """The next update attaches to the job."""
    world.jobs.looks = 10**9
    remedy.fails(world.train)
    world.jobs.looks = 1
    again(world)
    assert world.jobs.created == ["job1"]


@heals("run ./dev up again: it attaches to the job")
def test_an_interrupted_update(remedy: Told, world: World) -> None:
    """The next one attaches."""
    world.guard, world.jobs.looks = Interrupted(), 5  # type: ignore[assignment]
    remedy.fails(world.train)
    world.guard = OpenGuard()
    again(world)
    assert world.jobs.created == ["job1"]


@heals("run ./dev up again: it trains anew")
def test_an_interrupted_update_that_cancelled_its_job(remedy: Told, world: World) -> None:
    """The next one trains anew."""
    world.guard, world.jobs.looks = Interrupted(), 5  # type: ignore[assignment]
    wanted = replace(request(world), cancel_job=True)
    remedy.fails(lambda: world.trainer().train(wanted))
    world.guard, world.jobs.looks = OpenGuard(), 1
    assert again(world).attempt == 2


@pytest.mark.parametrize("way", ["cancel", "up"])
@heals("cancel it with ./dev cancel --jobs, or run ./dev up again: it attaches to the job")
def test_a_job_that_could_not_be_cancelled(remedy: Told, world: World, way: str) -> None:
    """By hand, or it is gone on with."""
    real = world.jobs.cancel

    def refused(_job: str) -> None:
        raise NotFound("the service is away", "later")

    world.guard, world.jobs.looks, world.jobs.cancel = Interrupted(), 5, refused  # type: ignore[method-assign,assignment]
    remedy.fails(lambda: world.trainer().train(replace(request(world), cancel_job=True)))
    world.guard, world.jobs.looks, world.jobs.cancel = OpenGuard(), 1, real  # type: ignore[method-assign]
    if way == "cancel":
        entry = world.ledger.find(request(world).key)
        assert entry
        cancel(world.ledger, entry, world.jobs, world.clock)
        assert world.jobs.cancelled == ["job1"]
    else:
        again(world)
        assert world.jobs.created == ["job1"]


@heals("find out who wrote the registry's runs/{}.json; delete it, and the next update trains again")
def test_a_record_that_cannot_be_trusted(remedy: Told, world: World) -> None:
    """Deleted, the run is trained again."""
    wanted = request(world)
    world.ledger.plan(Run(wanted.key, "flights", INPUTS | {"data": "forged"}))
    error = remedy.fails(world.train)
    name = next(word for word in error.remedy.replace(";", " ").split() if word.startswith("runs/"))
    world.registry.delete(name)
    assert again(world).state == "finished"


@heals("look at the registry's {blob}; the next update sets it aside and trains again")
def test_a_record_that_cannot_be_read(remedy: Told, world: World) -> None:
    """The next update does as it says."""
    run, _ = world.train()
    world.registry.put(f"runs/{run.key}.json", b"{")
    remedy.fails(lambda: world.ledger.find(run.key))
    assert again(world).attempt == 2
    assert any(name.startswith("corrupt/") for name in world.registry.blobs)


@heals("run the update again: the model of a declared data version is trained again")
def test_a_model_that_is_not_what_its_run_left(remedy: Told, world: World) -> None:
    """The next update trains it again, and that one is handed over."""
    run, _ = world.train()
    world.registry.put(run.address, b"another")
    remedy.fails(lambda: world.ledger.hand_over(run.address))
    assert world.ledger.hand_over(again(world).address)


@heals("look at ./dev preview, and raise `maxJobs` in the stack's config if that is wanted")
def test_more_jobs_than_an_update_may_start(remedy: Told, world: World) -> None:
    """Raised, they are started."""
    world.trainer().train(replace(request(world), max_jobs=1))
    more = replace(request(world, seed=1), max_jobs=1)
    remedy.fails(lambda: world.trainer().train(more))
    assert world.trainer().train(replace(more, max_jobs=2))[0].state == "finished"


@heals("run ./dev preview to see what it would train, then run the update again")
@heals("upload it again, or name another data version")
def test_data_that_is_not_what_was_planned(remedy: Told, world: World) -> None:
    """A new plan is of what is there; what is gone is uploaded again."""
    wanted = request(world)
    world.data.put("flights/2013-01.csv", b"JANUARY")
    remedy.fails(lambda: world.trainer().train(wanted))
    world.data.delete("flights/2013-01.csv")
    remedy.fails(lambda: world.trainer().train(wanted))
    world.data.put("flights/2013-01.csv", b"JANUARY")
    assert world.trainer().train(request(world))[0].state == "finished"


# What a preview refuses


def parameters(given: Any) -> dict[str, Any]:
    return PROPS | {"parameters": given}


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        pytest.param(
            parameters({"Rate": 1}),
            parameters({"Learning rate": 1}),
            marks=heals("set only parameters that the experiment declares"),
        ),
        pytest.param(
            parameters({"Learning rate": [1]}),
            parameters({"Learning rate": 1}),
            marks=heals("give each parameter a text or a number"),
        ),
        pytest.param(
            PROPS | {"expectRunKey": "1234567"},
            PROPS,
            marks=heals("look at ./dev preview for what changed, and approve the key that it shows"),
        ),
        pytest.param(
            PROPS | {"pin": "b" * 64},
            PROPS | {"pin": "a" * 64},
            marks=heals("see ./dev runs for those that there are", at=SEARCH),
        ),
        pytest.param(
            PROPS | {"pin": "c" * 64},
            PROPS | {"pin": "a" * 64},
            marks=heals("pin another run: ./dev runs shows those that there are"),
        ),
    ],
)
def test_what_a_preview_refuses(
    remedy: Told, life: TrainedModelLifecycle, registry: MemoryContainer, wrong: Any, right: Any
) -> None:
    """Given as it says, it has its key."""
    finished(registry, "a" * 64)
    registry.put(f"runs/{'c' * 64}.json", b"{")
    remedy.fails(lambda: life.check(wrong, {}))
    shown = life.check(right, {})["runKey"]
    if "expectRunKey" in wrong:
        assert life.check(PROPS | {"expectRunKey": shown}, {})["runKey"] == shown
