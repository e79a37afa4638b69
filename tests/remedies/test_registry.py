"""What the registry advises about its records, and about who owns what, done."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from clients.errors import Conflict
from clients.protocols import Binding
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.ownership.claims import TAKE_OVER, to_write
from retrain_hooks.ownership.lineage import StackClaimLifecycle
from retrain_hooks.registry.adoption import Adoption
from retrain_hooks.registry.markers import Markers, recorded
from retrain_hooks.registry.owners import OwnedByAnother, Owners, StackClaims
from retrain_hooks.registry.records import Records
from tests.healing import Told
from tests.unit.fakes import Listener, MemoryContainer, OpenGuard
from tests.unit.test_bound import BLOB, MARKER
from tests.unit.test_ownership import THING, claims, owner
from tests.unit.test_records import Thing
from tests.unit.training_world import World

heals = pytest.mark.heals
CLAIM = {"target": "local", "project": "retraining", "stack": "dev", "lineage": "one"}


@pytest.fixture
def registry() -> MemoryContainer:
    return MemoryContainer()


@pytest.fixture
def context(registry: MemoryContainer) -> Context:
    found = Context(Listener(), OpenGuard())
    found.registry = lambda _target: registry  # type: ignore[method-assign]
    return found


@heals("see who deletes blobs from the registry, then run the update again")
@heals("see who else works on it, then run the update again")
def test_records_that_others_work_on(remedy: Told, registry: MemoryContainer) -> None:
    """Once they don't, they are written."""
    things = Records(registry, "things", Thing, own_name=lambda thing: thing.name)
    write = registry.write

    def lost(*_arguments: object, **_more: object) -> str:
        raise Conflict("changed", "again", status=412)

    registry.write = lost  # type: ignore[method-assign]
    remedy.fails(lambda: things.offer("a", Thing("a"), None))
    remedy.fails(lambda: things.swap("a", lambda _: Thing("a")))
    registry.write = write  # type: ignore[method-assign]
    assert things.swap("a", lambda _: Thing("a")) == Thing("a")
    assert things.offer("b", Thing("b"), None)[1]


@heals("use the release that wrote it, or a later one")
def test_a_record_of_a_later_release(remedy: Told, registry: MemoryContainer) -> None:
    """That one reads it."""
    registry.put("things/a.json", b'{"name":"a","version":2}')
    remedy.fails(lambda: Records(registry, "things", Thing, (1,)).find("a"))
    assert Records(registry, "things", Thing, (1, 2)).find("a")


@pytest.mark.parametrize("way", ["up", "delete"])
@heals("run ./dev up on the stacks in use, which writes their markers anew, or delete {blob}")
def test_a_marker_that_cannot_be_read(remedy: Told, registry: MemoryContainer, way: str) -> None:
    """Written anew by what binds, or deleted: then it is known again what is bound."""
    registry.put(BLOB, b"{")
    assert recorded(registry).unreadable
    error = remedy.fails(lambda: Markers(registry)._records.find(MARKER.key))
    if way == "up":
        Markers(registry).mark(MARKER)
    else:
        registry.delete(error.remedy.rpartition("delete ")[2])
    assert not recorded(registry).unreadable


@heals(
    "find out who owns the thing, and delete the registry's {blob}: its owner's next update writes it anew"
)
def test_a_mark_that_cannot_be_read(remedy: Told, context: Context, registry: MemoryContainer) -> None:
    """To others it says nothing; deleted, others are refused as before, and its owner writes it."""
    ours = claims(context, owner())
    incarnation = ours.take({THING: False})
    registry.put(THING.name, b"{")
    error = remedy.fails(lambda: claims(context, owner("another")).refuse(THING, there=True, ours=False))
    blob = next(word for word in error.remedy.split() if word.startswith("owners/")).rstrip(":")
    registry.delete(blob)
    assert to_write(ours.refuse(THING, there=True, ours=True), incarnation)
    with pytest.raises(OwnedByAnother):
        claims(context, owner("another")).refuse(THING, there=True, ours=False)
    assert ours.take({THING: False}, incarnation) == incarnation
    mark = Owners(registry).of(THING)
    assert mark
    assert mark.owner == owner().owner


@heals("delete the registry's {blob}, then run ./dev up on the stack that is in use")
def test_a_stacks_claim_that_cannot_be_read(
    remedy: Told, context: Context, registry: MemoryContainer
) -> None:
    """Deleted, it is made again."""
    life = StackClaimLifecycle(context)
    _id, state = life.create(life.check(CLAIM, {}))
    [name] = list(registry.blobs)
    registry.put(name, b"{")
    error = remedy.fails(lambda: life.check(CLAIM | {"lineage": "two"}, {}))
    registry.delete(next(word for word in error.remedy.split() if word.startswith("stacks/")).rstrip(","))
    checked = life.check(CLAIM, state)
    assert life.diff(state, checked).changes
    life.update(_id, state, checked)
    assert StackClaims(registry).find("retraining", "dev")


@pytest.mark.parametrize("way", ["name", "alias"])
@heals("give it another name, adopt it with `existing=`, or declare an alias if it was renamed")
def test_what_belongs_to_another(remedy: Told, context: Context, way: str) -> None:
    """Another thing, or the alias that says that it is the same."""
    claims(context, owner()).take({THING: False})
    remedy.fails(lambda: claims(context, owner("renamed")).refuse(THING, there=True, ours=False))
    if way == "name":
        other = type(THING)(THING.kind, f"{THING.id}2")
        claims(context, owner("renamed")).refuse(other, there=False, ours=False)
        assert claims(context, owner("renamed")).take({other: False})
    else:
        renamed = claims(context, owner("renamed"), owner())
        renamed.refuse(THING, there=True, ours=True)
        assert renamed.take({THING: True})


@pytest.mark.parametrize("way", ["name", "take over"])
@heals(
    "give it another name, adopt it with `existing=`, or, where the registry was lost, take it over: ./dev up --take-over"
)
def test_what_nobody_is_known_to_have_made(
    remedy: Told, context: Context, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Another thing, or taken over as one's own."""
    remedy.fails(lambda: claims(context, owner()).refuse(THING, there=True, ours=False))
    if way == "name":
        other = type(THING)(THING.kind, f"{THING.id}2")
        claims(context, owner()).refuse(other, there=False, ours=False)
        assert claims(context, owner()).take({other: False})
    else:
        monkeypatch.setenv(TAKE_OVER, "1")
        claims(context, owner()).refuse(THING, there=True, ours=False)
        assert claims(context, owner()).take({THING: True})


@pytest.mark.parametrize("way", ["name", "take over"])
@heals("give this stack another name, or take over all that bears this one: ./dev up --take-over")
def test_a_stack_of_another_checkout(
    remedy: Told, context: Context, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Another name, or taken over."""
    life = StackClaimLifecycle(context)
    life.create(life.check(CLAIM, {}))
    remedy.fails(lambda: life.check(CLAIM | {"lineage": "two"}, {}))
    if way == "name":
        life.create(life.check(CLAIM | {"lineage": "two", "stack": "mine"}, {}))
    else:
        monkeypatch.setenv(TAKE_OVER, "1")
        life.create(life.check(CLAIM | {"lineage": "two"}, {}))


@heals("declare the data version that it is trained from: the next update then trains it again")
def test_a_model_that_nothing_is_known_of(remedy: Told) -> None:
    """Trained again, its bytes are known."""
    world = World()
    first, _reused = world.train()
    del world.registry.blobs[f"runs/{first.key}.json"]
    remedy.fails(lambda: world.ledger.hand_over(first.address))
    world.train()
    world.ledger.hand_over(first.address)


@heals("leave out `adopts`: the first update then trains a model and binds it")
def test_nothing_to_adopt(remedy: Told, context: Context) -> None:
    """An endpoint without a model: a program without `adopts` asks for none."""
    service = {"id": "s1", "workspace": {"resource": "/subscriptions/s/w", "id": "w1"}}
    adopts: dict[str, Any] = {"service": service, "endpoint": "live", "resource": "m", "data": {}}
    served: list[Binding] = []
    bindings = SimpleNamespace(read=lambda: served)
    context.services = lambda *_: SimpleNamespace(bindings=lambda *_: bindings)  # type: ignore[method-assign,assignment,return-value]
    remedy.fails(lambda: Adoption(context, "local", adopts).served("flights"))
    served.append(Binding("m", "theirs/1.ilearner"))
    assert Adoption(context, "local", adopts).served("flights")
