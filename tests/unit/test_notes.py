"""Notes on what is under way: empty until it is done, and waited for where an interrupted update left one."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from clients.errors import Conflict
from retrain_hooks.registry.notes import UNFINISHED, Note
from tests.unit.fakes import Listener, ManualClock, MemoryContainer


class Endpoint:
    """Serves a model; one that is on its way arrives at *due*."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.now, self.coming, self.due = "old", "", 0.0

    def serves(self, wanted: str) -> bool:
        if self.coming and self.clock.monotonic() >= self.due:
            self.now, self.coming = self.coming, ""
        return self.now == wanted


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def endpoint(clock) -> Endpoint:
    return Endpoint(clock)


@pytest.fixture
def note(clock) -> Note:
    context = SimpleNamespace(clock=clock, progress=Listener())
    return Note(context, MemoryContainer(), "binding", {"endpoint": "retrained"})


def waited(clock: ManualClock, begin: object) -> float:
    before = clock.monotonic()
    begin()
    return clock.monotonic() - before


def test_what_is_under_way_is_unfinished_until_its_end(note):
    """And nothing is noted before the first."""
    assert note.content() is None
    begun = note.begin()
    assert note.content() == UNFINISHED
    note.end("new", begun)
    assert note.content() == "new"
    note.forget()
    assert note.content() is None


def test_whoever_comes_after_an_end_need_not_wait(note, clock):
    """Nothing is on its way."""
    note.end("new", note.begin())
    assert waited(clock, note.begin) == 0


def test_whoever_comes_after_an_interruption_waits_until_nothing_can_arrive(note, clock, endpoint):
    """Ten seconds, where nothing tells that it has arrived."""
    note.begin("new", endpoint.serves)
    assert waited(clock, lambda: note.begin("other", endpoint.serves)) == pytest.approx(10)


def test_an_arrival_ends_the_wait(note, clock, endpoint):
    """Once the endpoint serves what was wanted, nothing is on its way any more."""
    note.begin("new", endpoint.serves)
    endpoint.coming, endpoint.due = "new", clock.monotonic() + 3
    assert waited(clock, lambda: note.begin("other", endpoint.serves)) == pytest.approx(3, abs=0.6)


def test_what_was_served_before_is_no_arrival(note, clock, endpoint):
    """An update that bound again what was served, and was killed, may still have something on its way."""
    note.begin("old", endpoint.serves)
    assert waited(clock, lambda: note.begin("other", endpoint.serves)) == pytest.approx(10)


def test_an_arrival_says_nothing_of_whoever_was_interrupted_before(note, clock, endpoint):
    """Of two interrupted updates the first one's request may be on its way when the second one's model is served."""
    note.begin("new", endpoint.serves)
    note.begin("other", endpoint.serves)
    endpoint.now = "other"
    assert waited(clock, lambda: note.begin("last", endpoint.serves)) == pytest.approx(10)


def test_somebody_who_was_overtaken_cannot_say_that_all_is_sure(note):
    """The end is compare-and-swap."""
    begun = note.begin()
    note.begin()
    with pytest.raises(Conflict):
        note.end("new", begun)
    assert note.content() == UNFINISHED


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"version": 2, "content": "new"}', b"\xff"])
def test_a_note_that_cannot_be_read_leaves_nothing_sure(content):
    """Its content counts as unfinished."""
    registry = MemoryContainer()
    context = SimpleNamespace(clock=ManualClock(), progress=Listener())
    note = Note(context, registry, "binding", {"endpoint": "retrained"})
    note.end("new", note.begin())
    registry.put(next(iter(registry.blobs)), content)
    assert note.content() == UNFINISHED
    note.end("new", note.begin())
    assert note.content() == "new"
