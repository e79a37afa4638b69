"""One store for all records: typed, compared and swapped, and one bad record never stops the rest."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
import stamina

from clients.errors import Conflict, LedgerError, NotFound
from retrain_hooks.registry.plain import SPARSE, Malformed, decode, encode
from retrain_hooks.registry.records import Corrupt, Entry, NewerFormat, Records
from tests.unit.fakes import MemoryContainer


@dataclass(frozen=True)
class Part:
    name: str
    weight: float = 1.0


@dataclass(frozen=True)
class Thing:
    name: str
    state: Literal["new", "old"] = "new"
    count: int = 0
    parts: tuple[Part, ...] = ()
    best: Part | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    anything: dict[str, Any] = field(default_factory=dict)
    former: str = field(default="", metadata=SPARSE)
    version: int = 1

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError("it counts backwards")


@pytest.fixture
def quick_tries() -> Iterator[None]:
    """Tries without the pauses between them."""
    stamina.set_testing(True, attempts=100, cap=True)
    yield
    stamina.set_testing(False)


@pytest.fixture
def registry() -> MemoryContainer:
    return MemoryContainer()


@pytest.fixture
def things(registry) -> Records[Thing]:
    return Records(registry, "things", Thing, own_name=lambda thing: thing.name)


def put(registry: MemoryContainer, name: str, record: object) -> None:
    content = record if isinstance(record, bytes) else json.dumps(record).encode()
    registry.put(f"things/{name}.json", content)


def test_a_record_is_read_as_it_was_written(things, registry):
    """All types, in canonical form, without the fields that earlier releases don't know."""
    thing = Thing("a", "old", 2, (Part("p", 2.0),), Part("q"), {"k": "v"}, {"x": [1, None, {"y": 0.5}]})
    written = things.write("a", thing, None)
    assert things.find("a") == written == Entry("a", thing, registry.read("things/a.json")[1])
    content = registry.read("things/a.json")[0]
    assert content.startswith(
        b'{"anything":{"x":[1,null,{"y":0.5}]},"best":{"name":"q","weight":1},"count":2,'
    )
    assert b"former" not in content


def test_a_field_that_is_not_written_has_its_default(things, registry):
    """A record of an earlier release has fewer of them."""
    put(registry, "a", {"name": "a", "version": 1})
    assert things.find("a").value == Thing("a")


def test_there_is_no_record_where_there_is_no_blob(things):
    """And that is no error."""
    assert things.find("a") is None


def test_a_missing_container_is_an_error(things, registry, monkeypatch):
    """Nothing is known then."""

    def read(_name: str) -> tuple[bytes, str]:
        raise NotFound("there is no container", "create it", status=404, code="ContainerNotFound")

    monkeypatch.setattr(registry, "read", read)
    with pytest.raises(NotFound):
        things.find("a")


WHOLE = {"name": "a", "version": 1}


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (b"", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"count": NaN}', "is not JSON"),
        ([], "its format is None"),
        ({"name": "a"}, "its format is None"),
        (WHOLE | {"version": "1"}, "its format is '1'"),
        (WHOLE | {"version": 0}, "its format is 0"),
        ({"version": 1}, "name is missing"),
        (WHOLE | {"name": "b"}, "under another one's name"),
        (WHOLE | {"colour": "red"}, "colour is not known"),
        (WHOLE | {"state": "done"}, "state is 'done', not one of new, old"),
        (WHOLE | {"count": 1.5}, "count is 1.5, not a whole number"),
        (WHOLE | {"count": True}, "count is True, not a whole number"),
        (WHOLE | {"count": -1}, "it counts backwards"),
        (WHOLE | {"parts": [{"name": 7}]}, r"parts\[0\].name is 7, not text"),
        (WHOLE | {"best": []}, r"best is \[\], not an object"),
        (WHOLE | {"tags": {"k": None}}, "tags.k is None, not text"),
        (WHOLE | {"anything": "x" * 100}, r"anything is 'x{59}…, not an object"),
    ],
)
def test_a_record_that_is_not_well_formed_says_what_is_wrong(things, registry, record, problem):
    """With the blob, its content and its ETag, for whoever sets it aside."""
    put(registry, "a", record)
    with pytest.raises(Corrupt, match=rf"registry's things/a\.json cannot be read: .*{problem}") as told:
        things.find("a")
    assert (told.value.content, told.value.etag) == registry.read("things/a.json")


def test_a_record_of_a_later_release_is_not_replaced(things, registry):
    """Nothing is wrong with it: the remedy is the later release, even where unreadable ones are overwritten."""
    put(registry, "a", WHOLE | {"version": 2, "new": 1})
    with pytest.raises(NewerFormat, match="it has format 2, this program knows 1") as told:
        things.swap("a", lambda _present: Thing("a"), over_corrupt=True)
    assert told.value.remedy == "use the release that wrote it, or a later one"


def test_one_bad_record_never_stops_the_rest(things, registry):
    """They come in the order of their names, those that were deleted meanwhile not at all."""
    for name in ("a", "b", "c", "d"):
        things.write(name, Thing(name), None)
    put(registry, "b", b"{")
    found = things.all()
    assert next(found).value == Thing("a")
    registry.delete("things/c.json")
    bad, last = found
    assert (bad.name, last.value) == ("b", Thing("d"))
    assert [each.name for each in things.all("d")] == ["d"]


def test_a_write_is_compare_and_swap(things):
    """What is there already, and what was changed in between, is not written over."""
    first = things.write("a", Thing("a"), None)
    with pytest.raises(Conflict):
        things.write("a", Thing("a"), None)
    things.write("a", Thing("a", count=1), first.etag)
    with pytest.raises(Conflict):
        things.delete("a", first.etag)
    assert things.find("a").value.count == 1


def counted(thing: Thing | None) -> Thing:
    return Thing("a", count=thing.count + 1 if thing else 1)


def test_a_swap_is_tried_again_on_what_was_written_in_between(things, registry):
    """Nobody's change is lost."""
    registry.before_write = lambda: things.swap("a", counted)
    assert things.swap("a", counted) == things.find("a").value == Thing("a", count=2)


def test_many_swap_at_once_and_each_change_is_kept(things, registry, monkeypatch, capsys):
    """As the members of a fleet do; nobody is told of the tries."""
    turn, read, write = threading.Lock(), registry.read, registry.write

    def slow(name: str) -> tuple[bytes, str]:
        found = read(name)
        time.sleep(0.002)  # the others read the same
        return found

    def one_by_one(*args: Any, **conditions: Any) -> str:
        with turn:
            return write(*args, **conditions)

    monkeypatch.setattr(registry, "read", slow)
    monkeypatch.setattr(registry, "write", one_by_one)
    with ThreadPoolExecutor(24) as threads:
        list(threads.map(lambda _number: things.swap("a", counted), range(48)))
    assert things.find("a").value == Thing("a", count=48)
    assert capsys.readouterr() == ("", "")


def test_a_swap_that_changes_nothing_writes_nothing(things, registry):
    """Neither a record that is there, nor one that isn't."""
    things.swap("a", lambda present: present)
    things.write("a", Thing("a"), None)
    things.swap("a", lambda present: present)
    assert len(registry.writes) == 1


def test_a_swap_for_nothing_deletes(things):
    """And answers so."""
    things.write("a", Thing("a"), None)
    assert things.swap("a", lambda _present: None) is None
    assert things.find("a") is None


def test_a_swap_is_not_tried_for_ever(things, registry, monkeypatch, quick_tries):
    """Somebody else is always faster."""

    def taken(*_args: object, **_kwargs: object) -> str:
        raise Conflict("changed", "again", status=412)

    monkeypatch.setattr(registry, "write", taken)
    with pytest.raises(LedgerError, match=r"things/a\.json is being changed by somebody else all the time"):
        things.swap("a", counted)


def test_a_swap_over_what_cannot_be_read_is_asked_for(things, registry):
    """It counts as nothing then."""
    put(registry, "a", b"{")
    with pytest.raises(Corrupt):
        things.swap("a", counted)
    things.swap("a", counted, over_corrupt=True)
    assert things.find("a").value == Thing("a", count=1)
    put(registry, "a", b"{")
    assert things.swap("a", lambda _present: None, over_corrupt=True) is None
    assert things.find("a") is None


def test_a_record_of_many_megabytes_is_no_record(things, registry, monkeypatch):
    """It is not even parsed."""
    monkeypatch.setattr("retrain_hooks.registry.records._MOST_BYTES", 10)
    put(registry, "a", WHOLE)
    with pytest.raises(Corrupt, match="it has 27 bytes"):
        things.find("a")


def test_what_json_cannot_hold_is_not_recorded():
    """Bytes, times and the like are an error where they are written, not where they are read."""
    with pytest.raises(TypeError, match="bytes cannot be recorded"):
        encode({"a": [b""]})


def test_a_union_takes_the_first_type_that_fits():
    """Or says what the last one missed."""
    assert decode(int | str, "7") == "7"
    with pytest.raises(Malformed, match="not a whole number"):
        decode(str | int, 1.5)
    with pytest.raises(Malformed, match="it is None, not a value"):
        decode(str | int, None)
