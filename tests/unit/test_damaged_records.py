"""Whatever lies where a record should: it is read, or refused alone and by its name, and the others are read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from retrain_hooks.binding.rollout_record import Before, RolloutRecord, RolloutState
from retrain_hooks.data.contents import Bytes, Folder
from retrain_hooks.gate.rules import Ruling
from retrain_hooks.gate.verdicts import Model, Verdicts, _Record
from retrain_hooks.registry.catalogue import distinct, newest_first
from retrain_hooks.registry.history import History, Past
from retrain_hooks.registry.ledger import Job, Ledger, Run, as_keyed
from retrain_hooks.registry.markers import Marker, Markers, recorded
from retrain_hooks.registry.owners import Mark, Owner, Owners, StackClaim, StackClaims, Thing
from retrain_hooks.registry.plain import encode
from retrain_hooks.registry.records import Entry, NewerFormat, Records, Unreadable
from retrain_hooks.registry.retirement import Pruner, Wish
from retrain_hooks.registry.run_key import canonical_json
from tests.unit.fakes import ManualClock, MemoryContainer

NOW = "2026-01-01T00:00:00+00:00"
OWNER = Owner("project", "dev", "endpoint", "lineage")
THING = Thing("endpoint", "services/s1/e1")


def run(key: str) -> Run:
    """A submitted run that has what runs have."""
    return Run(
        key,
        "flights",
        {"data": "d"},
        "submitted",
        job=Job("j1", "s1", {"resource": "/w", "id": "w"}),
        planned_at=NOW,
        started_at=NOW,
        metrics={"auc": 0.5},
    )


MARKER = Marker("local", "s1", {"resource": "/w", "id": "w"}, "e1", "model", "models/flights/k/1.ilearner")
VERDICT = _Record(
    Model("models/a", "a"),
    Model("models/b"),
    {"rules": ["auc >= 0.5"]},
    "s",
    "passed",
    (Ruling("auc >= 0.5", 0.7, 0.5, True, "it is"),),
)
KINDS: dict[str, tuple[Callable[[MemoryContainer], Records[Any]], str, Any]] = {
    "runs": (lambda registry: Ledger(registry)._records, "a" * 64, run("a" * 64)),
    "bound": (lambda registry: Markers(registry)._records, MARKER.key, MARKER),
    "owners": (lambda registry: Owners(registry)._marks, THING.key, Mark(THING, OWNER, "i1")),
    "stacks": (
        lambda registry: StackClaims(registry)._claims,
        StackClaim("project", "dev", "").key,
        StackClaim("project", "dev", "lineage", ("former",)),
    ),
    "verdicts": (lambda registry: Verdicts(registry)._records, "key/verdict", VERDICT),
    "hashes": (
        lambda registry: Records(registry, "hashes", Folder),
        "folder",
        Folder({"a.csv": Bytes("etag", "md5", "sha")}),
    ),
    "rollouts": (
        lambda registry: RolloutRecord(registry, [])._records,
        "rollout",
        RolloutState("models/a", "rows", {"e1": Before("models/b", "told", (0.5,))}, done=("r",), since=NOW),
    ),
    "published": (
        lambda registry: Records(registry, "published", dict[str, Any]),
        "note",
        {"version": 1, "content": "c", "wanted": ""},
    ),
    "history": (
        lambda registry: History(registry, "flights")._records,
        "flights",
        [Past(1.0), Past(2.5, {"auc": 0.7})],
    ),
}
# What stands where something else should: as JSON's text, since some of it cannot be written by a writer of JSON.
HOSTILE = (
    *(
        '""',
        '"\\ud800"',
        '"\\udfff\\ud83d"',
        '"a\\u0000b"',
        '"2026-01-01T00:00:00"',
        '"../../etc"',
        "null",
        "true",
    ),
    *(
        "-1",
        "0.5",
        "1e999",
        "-1e999",
        "1" + "0" * 400,
        "1" * 5000,
        "NaN",
        "9999999999999999999999",
        "[]",
        "{}",
    ),
    *('{"\\ud800": 1}', "[" * 40 + "]" * 40, "[" * 5000 + "]" * 5000, '{"a":' * 900 + "1" + "}" * 900),
)
WHOLES = (
    *(
        b"",
        b"\0",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b"7",
        b'"text"',
        b"{",
        b'{"version": 99}',
        b'{"version": 1}',
    ),
    *(b'{"version": true}', b'{"version": 1e999}', "{}".encode("utf-16"), b"<html>", b"[" * 100_000),
)


def places(value: Any) -> Iterator[tuple[Any, ...]]:
    """The way to each value in a JSON document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield (name,)
        for more in places(each):
            yield (name, *more)


def damaged(record: Any) -> Iterator[bytes]:
    """A record with each of its values replaced by everything that is hostile, and what is none at all."""
    yield from WHOLES
    whole = json.dumps(record)
    yield from (whole[:size].encode() for size in (1, len(whole) // 2, len(whole) - 1))
    for way in places(record):
        for hostile in HOSTILE:
            copy = json.loads(whole)
            at = copy
            for step in way[:-1]:
                at = at[step]
            at[way[-1]] = "HERE"
            yield json.dumps(copy).replace('"HERE"', hostile).encode()


@pytest.mark.parametrize("kind", KINDS)
def test_any_damage_to_any_record_is_read_or_refused_by_name(kind):
    """What is read can be shown and written again; what isn't says which blob it is, in one line."""
    registry = MemoryContainer()
    opened, name, value = KINDS[kind]
    records = opened(registry)
    seen = 0
    for content in damaged(json.loads(canonical_json(encode(value)))):
        registry.put(records.blob(name), content)
        seen += 1
        [found] = records.all()
        if isinstance(found, Unreadable):
            assert found.name == name
            assert name[:12] in found.cause
            assert len(found.cause) < 400
            str(found).encode()
            continue
        canonical_json(encode(found.value))
        repr(found.value).encode()
    assert seen > len(WHOLES)


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_record_never_stops_the_others(kind):
    """Each of a folder's records is there after one that is none."""
    registry = MemoryContainer()
    opened, name, value = KINDS[kind]
    records = opened(registry)
    records.write(name, value, None)
    for at, content in enumerate(WHOLES):
        registry.put(records.blob(f"{at:03d}"), content)
    registry.put(records.blob("nested/in/folders"), b"{")
    assert [each.value for each in records.all() if isinstance(each, Entry)].count(value) == 1


CLAIM = ("project", "dev", "lineage")
# What is done with the records that others rely on: nothing of a later release's is written over or deleted by it.
DEEDS: dict[str, tuple[str, Callable[[MemoryContainer], object]]] = {
    "a run is found": ("runs", lambda registry: Ledger(registry).find("a" * 64)),
    "a run is planned": ("runs", lambda registry: Ledger(registry).plan(run("a" * 64))),
    "a model is bound": ("bound", lambda registry: Markers(registry).mark(MARKER)),
    "a thing is claimed": (
        "owners",
        lambda registry: Owners(registry).claim(THING, OWNER, "i2", lambda _: True, over_corrupt=True),
    ),
    "a thing is released": ("owners", lambda registry: Owners(registry).release(THING, "i1")),
    "a name is claimed": ("stacks", lambda registry: StackClaims(registry).claim(*CLAIM, take_over=True)),
    "a name is released": ("stacks", lambda registry: StackClaims(registry).release(*CLAIM)),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_nothing_of_a_later_release_is_replaced(deed):
    """It is refused, by the record's name, and stays as it is."""
    registry = MemoryContainer()
    kind, act = DEEDS[deed]
    opened, name, value = KINDS[kind]
    later = json.dumps(encode(value) | {"version": 99, "more": True}).encode()
    registry.put(opened(registry).blob(name), later)
    with pytest.raises(NewerFormat) as refused:
        act(registry)
    assert name[:12] in refused.value.cause
    assert registry.read(opened(registry).blob(name))[0] == later


def damaged_runs() -> Iterator[bytes]:
    """Damages to the records of runs, and the runs in other states."""
    for each in (run("b" * 64), replace(run("b" * 64), state="planned", job=None)):
        yield from damaged(encode(each))


def test_what_is_read_of_damaged_runs_can_be_listed_compared_and_pruned():
    """No reader of the ledger meets what it cannot handle, and the run that is whole is never lost."""
    registry = MemoryContainer()
    ledger = Ledger(registry)
    ledger.plan(run("a" * 64))
    for content in damaged_runs():
        registry.put(f"runs/{'b' * 64}.json", content)
        found = list(ledger.runs())
        runs = [each for each in found if not isinstance(each, Unreadable)]
        assert runs[0].key == "a" * 64
        newest_first(distinct(runs))
        list(map(as_keyed, runs))
        ledger.usable("b" * 64)
        Pruner(ledger, lambda: recorded(registry), ManualClock()).plan(Wish(1, 1.0))


# Where an address becomes what a service is given: each of the product's other places asks the ledger's door.
DOOR = (
    "retrain_hooks/registry/ledger.py",
    "retrain_hooks/data/training_data.py",
    "clients/studio_new/files.py",
)


def test_no_model_is_handed_to_a_service_but_through_the_ledger():
    """A reference that opens a blob is made where its bytes were checked, or is one of data; `definition import`, which
    names any blob, is preceded by the same check.
    """
    root = Path(__file__).parents[2]
    made = {
        str(file.relative_to(root))
        for room in ("retrain_hooks", "clients", "components", "cli")
        for file in (root / room).rglob("*.py")
        if ".readable(" in file.read_text(encoding="utf-8")
    }
    assert made == set(DOOR)
    assert "hand_over(" in (root / "cli/verbs/settings/definition.py").read_text(encoding="utf-8")
