"""Answers that are lost, clocks that disagree, and others who write in between: found by the chaos campaign."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from clients.errors import Conflict
from clients.storage import Container
from retrain_hooks.registry.ledger import Job, Ledger, Run
from tests.unit.fakes import ManualClock, MemoryContainer
from tests.unit.training_world import World, request


class Forgetful(MemoryContainer):
    """Loses the answer of the write number *lost*: sent again, as the SDK does, the write meets itself."""

    lost = 0

    def write(self, name: str, content: bytes, **more: Any) -> str:
        self.lost -= 1
        if self.lost == 0:
            super().write(name, content, **more)
        return super().write(name, content, **more)


@pytest.fixture
def forgetful() -> World:
    world = World()
    world.registry = Forgetful()
    world.jobs.registry = world.registry
    world.ledger = Ledger(world.registry)
    return world


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_write_whose_answer_is_lost_is_not_taken_for_somebody_elses(forgetful, lost):
    """The job that was recorded is not deleted as if another had won: one job, and the address that was planned."""
    forgetful.registry.lost = lost
    run, _reused = forgetful.train(force=f"lost {lost}")
    assert (forgetful.jobs.created, forgetful.jobs.cancelled) == (["job1"], [])
    assert run.attempt == 1


def test_a_plan_of_a_clock_that_is_ahead_is_waited_for_no_longer_than_any_other():
    """A planner that died on a machine whose clock is two days ahead costs seconds, not two days."""
    world = World()
    wanted = request(world, force="ahead")
    later = world.clock.now() + timedelta(days=2)
    world.ledger.plan(Run(wanted.key, "flights", wanted.covered.inputs, planned_at=later.isoformat()))
    world.trainer().train(wanted)
    assert world.jobs.started == ["job1"]
    assert world.clock.monotonic() < 30


class _Overtaken:
    """A blob client whose blob somebody else writes right after us."""

    def upload_blob(self, *_arguments: object, **_named: object) -> dict[str, str]:
        return {"etag": "ours"}

    def get_blob_properties(self) -> object:
        return type("Properties", (), {"etag": "theirs"})


class _Account:
    def get_blob_client(self, _name: str) -> _Overtaken:
        return _Overtaken()

    def upload_blob(self, *_arguments: object, **_named: object) -> _Overtaken:
        return _Overtaken()


def test_a_write_answers_its_own_etag():
    """With that of somebody else's later write the next swap would overwrite what they recorded."""
    container = Container("UseDevelopmentStorage=true", "registry", "start it")
    container._client = _Account()
    assert container.write("runs/a.json", b"{}", etag=None) == "ours"


def test_who_was_overtaken_does_not_swap():
    """The loser of a swap learns what won, and that it isn't its own."""
    registry, clock = MemoryContainer(), ManualClock()
    ledger = Ledger(registry)
    entry = ledger.plan(Run("k" * 64, "flights", {}, planned_at=clock.now().isoformat()))
    jobs = [Job(name, "s", {}) for name in ("one", "two")]
    runs = [replace(entry.run, state="submitted", job=job) for job in jobs]
    assert ledger.advance(entry, runs[0])[1]
    found, ours = ledger.advance(entry, runs[1])
    assert (found.run, ours) == (runs[0], False)
    with pytest.raises(Conflict):
        registry.write("runs/" + "k" * 64 + ".json", b"{}", etag=entry.etag)


class _Deleted:
    """An account that answers a conditional delete of what is gone, or was changed, with 412."""

    def __init__(self, *, there: bool) -> None:
        self.there = there

    def delete_blob(self, _name: str, **_condition: object) -> None:
        raise HttpResponseError(response=SimpleNamespace(status_code=412, reason="", headers={}))

    def get_blob_client(self, _name: str) -> _Deleted:
        return self

    def get_blob_properties(self) -> object:
        if not self.there:
            raise ResourceNotFoundError
        settings = SimpleNamespace(content_md5=None)
        return SimpleNamespace(size=1, etag="theirs", last_modified=None, content_settings=settings)


def test_a_delete_that_meets_itself_is_done():
    """Its answer was lost: the blob is gone. One that somebody else changed is not."""
    container = Container("UseDevelopmentStorage=true", "registry", "start it")
    container._client = _Deleted(there=False)
    container.delete("runs/a.json", etag="ours")
    container._client = _Deleted(there=True)
    with pytest.raises(Conflict):
        container.delete("runs/a.json", etag="ours")
