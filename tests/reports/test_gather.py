"""What a report tells of a registry: damaged ones too, and such as an earlier release has left."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from cli.reporting.gather import gathered
from cli.reporting.sources import Sources
from reports.page import render
from retrain_hooks.registry.ledger import Ledger
from tests.mirroring.world import World, key
from tests.unit.fakes import MemoryContainer


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A registry whose stack's state is elsewhere."""
    monkeypatch.setattr("cli.project.backend_of", lambda _stack: None)
    return World()


def sources(world: World, data: MemoryContainer | None = None) -> Sources:
    """As a verb has them; the data are as they are now."""
    container = data or MemoryContainer("data")
    context = SimpleNamespace(data=lambda _target, _name=None: container)
    registry = SimpleNamespace(
        container=world.registry, ledger=Ledger(world.registry), context=context, target="local"
    )
    return Sources("dev", registry)  # type: ignore[arg-type]


def test_a_damaged_record_is_named_and_the_others_are_told(world: World) -> None:
    """Whether it is nonsense or lies under another one's name."""
    world.trained(1)
    world.trained(2)
    world.registry.put(f"runs/{key(3)}.json", b"{")
    world.registry.put(f"runs/{key(4)}.json", world.registry.blobs[f"runs/{key(1)}.json"][0])
    report = gathered(sources(world))
    assert [run.key for run in report.runs] == [key(1), key(2)]
    assert all(any(key(day)[:7] in note for note in report.notes) for day in (3, 4))
    assert "Left out: the record of run" in render(report)


def test_one_listing_tells_of_all_runs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """No record is read; but those of an earlier release, which have no index, are told alike."""
    for day in range(1, 6):
        world.judged(world.trained(day))
    told, read, asked = Ledger(world.registry), world.registry.read, []
    monkeypatch.setattr(world.registry, "read", lambda name: asked.append(name) or read(name))
    by_index = list(told.summaries())
    assert not asked
    world.registry.metadata.clear()
    by_record = list(told.summaries())
    assert len(asked) == 5
    assert sorted(by_index, key=repr) == sorted(by_record, key=repr)


def test_a_run_whose_index_is_too_long_is_read(world: World) -> None:
    """A service keeps 8 KB beside a blob."""
    run = world.trained(1, metrics={f"metric {number}": 1.0 for number in range(500)})
    assert not world.registry.metadata[f"runs/{run.key}.json"]
    assert [one.metrics for one in Ledger(world.registry).summaries()] == [run.metrics]  # type: ignore[union-attr]


def test_an_index_is_written_anew_with_its_record(world: World) -> None:
    """What a listing tells is what the record says."""
    run = world.trained(1, state="submitted", ended_at="", sha256="", metrics={})
    ledger = Ledger(world.registry)
    entry = ledger.find(run.key)
    assert entry
    ledger.advance(entry, replace(run, state="failed", error="no memory \u2014 again"))
    (told,) = ledger.summaries()
    assert (told.state, told.error) == ("failed", "no memory \u2014 again")  # type: ignore[union-attr]


def test_what_data_are_like_is_told_and_how_far_they_have_shifted(world: World) -> None:
    """Of numbers the range, of text what is there most; against the data of the model that serves."""
    data = MemoryContainer("data")
    data.put("v1.csv", b"day,carrier\n" + b"1,AA\n2,AA\n3,\n" * 50)
    data.put("v2.csv", b"day,carrier\n" + b"7,BB\n8,AA\n9,BB\n" * 50)
    first = world.trained(1, data={"container": "data", "version": "v1", "etags": {"v1.csv": "e"}})
    second = world.trained(2, data={"container": "data", "version": "v2", "etags": {"v2.csv": "e"}})
    found = sources(world, data)
    found.__dict__["binding"] = {"address": first.address}
    report = gathered(found)
    day, carrier = report.columns
    assert (day.kind, day.values) == ("numbers", "7 to 9, median 8")
    assert (carrier.kind, carrier.values, carrier.missing) == ("text, 2 values", "BB in 67%", 0.0)
    assert day.shift
    assert day.shift > 0.25
    assert report.compared == [first.key, second.key]


def test_data_that_are_gone_are_said(world: World) -> None:
    """And the rest is told."""
    world.trained(1, data={"container": "data", "version": "v1", "etags": {"v1.csv": "e"}})
    report = gathered(sources(world))
    assert report.columns == []
    assert report.columns_of.startswith("The data can't be read: ")
    assert report.scores
    assert report.scores.problem.startswith("The models can't be compared: ")


def test_verdicts_of_the_newest_runs_are_told(world: World) -> None:
    """The newest first; of others it is not asked."""
    for day in range(1, 4):
        world.judged(world.trained(day), passed=day != 2)
    report = gathered(sources(world))
    assert {one.candidate: one.outcome for one in report.verdicts} == {
        key(1): "passed",
        key(2): "refused",
        key(3): "passed",
    }


def test_runs_of_a_fleets_members_are_not_told_as_versions_of_one_model(world: World) -> None:
    """They share the experiment and the registry, and are trained from a few rows each."""
    own = world.trained(1)
    world.trained(2, data={"container": "registry", "version": "v1", "etags": {"slices/ab.csv": "e"}})
    assert [run.key for run in gathered(sources(world)).runs] == [own.key]
