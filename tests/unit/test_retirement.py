"""Old models are retired, and never one that somebody needs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clients.clock import ManualClock
from clients.errors import ConfigurationError
from retrain_hooks.registry.catalogue import find
from retrain_hooks.registry.ledger import Job, Ledger, Run
from retrain_hooks.registry.markers import InUse
from retrain_hooks.registry.retirement import Plan, Pruner, Wish
from retrain_hooks.registry.run_key import digest
from tests.unit.fakes import MemoryContainer

ADDRESS = Run.address
JOB = Job("j", "s", {"resource": "/w", "id": "w"})


class World:
    """A registry with finished runs: each a day younger than the one before, the last one day old."""

    def __init__(self, count: int = 4, experiment: str = "flights") -> None:
        self.registry = MemoryContainer()
        self.ledger = Ledger(self.registry)
        self.clock = ManualClock()
        self.used = InUse()
        self.runs: list[Run] = []
        for number in range(count):
            self.add(
                f"{experiment}{number}", experiment, f"2025-12-{31 - count + number + 1:02}T00:00:00+00:00"
            )

    def add(self, name: str, experiment: str = "flights", ended: str = "", **fields: object) -> Run:
        run = Run(
            digest(name),
            experiment,
            {},
            **{"state": "finished", "sha256": "s", "bytes": 1, "ended_at": ended, "job": JOB} | fields,
        )
        self.ledger.plan(run)
        self.registry.put(run.address, b"model")
        self.registry.put(run.address.replace(".ilearner", ".evaluation.csv"), b"AUC")
        self.runs.append(run)
        return run

    @property
    def pruner(self) -> Pruner:
        return Pruner(self.ledger, lambda: self.used, self.clock)

    def prune(self, **wish: object) -> list[int]:
        """Prune; the numbers of the runs that were retired."""
        pruner = self.pruner
        return self.numbers(pruner.carry_out(pruner.plan(Wish(**wish))))

    def plan(self, **wish: object) -> Plan:
        return self.pruner.plan(Wish(**wish))

    def numbers(self, runs: list[Run]) -> list[int]:
        keys = [run.key for run in self.runs]
        return sorted(keys.index(run.key) for run in runs)

    def state(self, run: Run) -> str:
        entry = self.ledger.find(run.key)
        assert entry is not None
        return entry.run.state

    def left(self, run: Run) -> int:
        return len(self.registry.list(f"models/{run.experiment}/{run.key}/"))


def test_prune_retires_all_but_the_newest_of_each_experiment():
    """Model and evaluation go, the record stays and says so."""
    world = World(4)
    world.add("other", "taxis", "2020-01-01T00:00:00+00:00")
    assert world.prune(keep=2) == [0, 1]
    assert [world.state(run) for run in world.runs] == ["retired"] * 2 + ["finished"] * 3
    assert [world.left(run) for run in world.runs] == [0, 0, 2, 2, 2]


def test_a_model_that_is_a_folder_goes_with_its_files() -> None:
    """Its manifest is at the address; a later attempt's files are somebody else's."""
    world = World()
    folder = world.runs[0].address.removesuffix(".ilearner")
    world.registry.put(f"{folder}/data/model.json", b"{}")
    later = f"{folder.rpartition('/')[0]}/2/model.json"
    world.registry.put(later, b"{}")
    world.prune(keep=3)
    left = [blob.name for blob in world.registry.list("models/")]
    assert [name for name in left if name.startswith(folder)] == []
    assert later in left


def test_prune_again_finds_nothing_to_do():
    """A retired run is not retired twice."""
    world = World(3)
    world.prune(keep=1)
    writes = list(world.registry.writes)
    assert world.prune(keep=1) == []
    assert world.registry.writes == writes


def test_prune_never_deletes_what_is_bound():
    """Named by a marker or served: both are in what is in use."""
    world = World(3)
    world.used.add(world.runs[0].address, "retrained of mlw-dev")
    assert world.prune(keep=1) == [1]
    assert world.left(world.runs[0]) == 2
    assert world.plan(keep=1).bound == {world.runs[0].key: ["retrained of mlw-dev"]}


def test_prune_never_deletes_a_run_of_which_an_earlier_attempt_is_bound():
    """The run was trained again, and one stack still serves the first model."""
    world = World(1)
    second = world.add("again", ended="2025-01-01T00:00:00+00:00", attempt=2)
    world.used.add(second.address.replace("/2.", "/1."), "retrained of mlw-dev")
    assert world.prune(keep=1) == []


def test_prune_deletes_nothing_while_a_marker_cannot_be_read():
    """Nobody knows what it would have named."""
    world = World(3)
    world.used.unreadable.append("the marker bound/x.json cannot be read")
    plan = world.plan(keep=1)
    assert (plan.retire, plan.refused) == ([], "the marker bound/x.json cannot be read")
    assert world.pruner.carry_out(plan) == []
    assert [world.left(run) for run in world.runs] == [2, 2, 2]


def test_prune_never_touches_what_is_not_finished():
    """Planned, running and failed runs have no model to retire; their blobs are somebody's."""
    world = World(1)
    for state in ("planned", "submitted", "failed"):
        world.add(state, ended="2020-01-01T00:00:00+00:00", state=state)
    assert world.prune(keep=1) == []
    assert [world.left(run) for run in world.runs] == [2, 2, 2, 2]


def test_a_model_that_is_bound_while_prune_works_is_kept():
    """What is bound is asked for again after the records were written, before any blob is deleted."""
    world = World(3)
    pruner = world.pruner
    plan = pruner.plan(Wish(keep=1))
    world.used.add(world.runs[0].address, "retrained of mlw-dev")
    assert world.numbers(pruner.carry_out(plan)) == [1]
    assert (world.state(world.runs[0]), world.left(world.runs[0])) == ("finished", 2)
    assert "was bound meanwhile" in plan.notes[-1]


def test_a_run_that_changed_since_it_was_planned_is_left_alone():
    """Somebody trains it again: the record is theirs."""
    world = World(2)
    pruner = world.pruner
    plan = pruner.plan(Wish(keep=1))
    entry = world.ledger.find(world.runs[0].key)
    world.ledger.advance(entry, entry.run.next_attempt(""))
    assert pruner.carry_out(plan) == []
    assert world.left(world.runs[0]) == 2


def test_an_interrupted_prune_is_finished_by_the_next():
    """The record says retired, and the blobs are still there."""
    world = World(2)
    entry = world.ledger.find(world.runs[0].key)
    world.ledger.advance(entry, replace(entry.run, state="retired"))
    assert world.prune(keep=1) == [0]
    assert world.left(world.runs[0]) == 0


def test_prune_leaves_a_later_attempt_to_whoever_trains_it():
    """Only what this attempt and those before it left is deleted."""
    world = World(2)
    later = world.runs[0].address.replace("/1.", "/2.")
    world.registry.put(later, b"being trained")
    world.prune(keep=1)
    assert [blob.name for blob in world.registry.list(f"models/flights/{world.runs[0].key}/")] == [later]


def test_prune_by_age_keeps_what_is_younger():
    """`--older-than` counts days since the end of the run."""
    world = World(4)  # 4, 3, 2 and 1 days old
    assert world.numbers(world.plan(keep=1, older_than=2.5).retire) == [0, 1]


def test_a_run_whose_age_is_not_known_is_kept_by_age():
    """Nothing is guessed from a record without a time."""
    world = World(1)
    world.add("undated")
    assert world.plan(keep=1, older_than=1).retire == []


def test_a_dry_run_writes_nothing():
    """The plan only reads."""
    world = World(4)
    writes = list(world.registry.writes)
    plan = world.plan(keep=1)
    assert (len(plan.retire), plan.bytes(plan.retire[0])) == (3, 8)
    assert world.registry.writes == writes


def test_a_corrupt_record_is_reported_and_its_model_kept():
    """Never guessed from."""
    world = World(2)
    world.registry.put(f"runs/{world.runs[0].key}.json", b"{")
    assert world.prune(keep=1) == []
    assert len(world.plan(keep=1).corrupt) == 1
    assert world.left(world.runs[0]) == 2


def test_a_model_that_another_kept_run_has_stays(monkeypatch):
    """Two records of one address are one model, and as young as the younger one; the blob goes with the last of them."""
    world = World(3)
    first, _middle, last = world.runs
    addresses = {last.key: first.address}
    monkeypatch.setattr(Run, "address", property(lambda run: addresses.get(run.key) or ADDRESS.fget(run)))
    assert world.prune(keep=1) == [1]
    assert world.left(first) == 2
    world.add("newest", ended="2026-01-01T00:00:00+00:00")
    assert world.plan(keep=1, older_than=2.5).shared == {first.key: [f"run {last.key[:12]}"]}
    assert world.prune(keep=1) == [0, 2]
    assert world.left(first) == 0


def test_a_model_that_another_run_takes_up_while_prune_works_is_kept(monkeypatch):
    """The records are read again before any blob is deleted."""
    world = World(2)
    plan = world.plan(keep=1)
    addresses = {digest("adopter"): world.runs[0].address}
    monkeypatch.setattr(Run, "address", property(lambda run: addresses.get(run.key) or ADDRESS.fget(run)))
    world.ledger.plan(Run(digest("adopter"), "flights", {}, "finished", sha256="s"))
    assert world.pruner.carry_out(plan) == []
    assert (world.state(world.runs[0]), world.left(world.runs[0])) == ("finished", 2)


def test_nothing_is_retired_beside_a_record_of_a_later_release():
    """Which models it needs, this program can't tell."""
    world = World(3)
    world.registry.put(f"runs/{digest('later')}.json", b'{"version": 99}')
    plan = world.plan(keep=1)
    assert plan.retire == []
    assert "it has format 99" in plan.refused


def test_the_newest_model_cannot_be_asked_for():
    """An update may be about to bind it."""
    with pytest.raises(ConfigurationError, match="at least the newest model"):
        Wish(keep=0)


def test_a_run_is_found_by_the_first_digits_of_its_key():
    """As many as tell it from the others."""
    world = World(3)
    assert find(world.ledger, world.runs[1].key[:10]) == world.runs[1]


@pytest.mark.parametrize(
    ("prefix", "cause"), [("", "is not a run key"), ("xyz", "is not a run key"), ("00000", "no run")]
)
def test_a_key_that_is_none_is_refused(prefix, cause):
    """With what to do."""
    with pytest.raises(ConfigurationError, match=cause):
        find(World(1).ledger, prefix)


def test_an_ambiguous_key_names_those_that_it_could_be():
    """Never the first that comes."""
    world = World(0)
    for key in ("ab" + "0" * 62, "ab" + "1" * 62):
        world.ledger.plan(Run(key, "flights", {}))
    with pytest.raises(
        ConfigurationError, match="2 runs have keys that start with ab: ab00000000000000, ab11"
    ):
        find(world.ledger, "ab")
