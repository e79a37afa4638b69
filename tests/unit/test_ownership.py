"""Owners: who may make, change and delete a physical thing, and under which names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain_hooks.host.lifecycle import UNKNOWN, Context
from retrain_hooks.ownership.claims import TAKE_OVER, Claims, OwnerRef, to_write
from retrain_hooks.ownership.lineage import LineageLifecycle, StackClaimLifecycle
from retrain_hooks.ownership.names import default_name
from retrain_hooks.registry.owners import OwnedByAnother, Owners, StackClaims, Thing
from retrain_hooks.registry.records import Unreadable
from tests.unit.fakes import MemoryContainer
from tests.unit.training_world import Listener, OpenGuard

THING = Thing("endpoint", "/subscriptions/s/resourceGroups/g/webservices/one/endpoints/live")


@pytest.fixture
def registry() -> MemoryContainer:
    return MemoryContainer()


@pytest.fixture
def context(registry, monkeypatch) -> Context:
    found = Context(Listener(), OpenGuard())
    monkeypatch.setattr(found, "registry", lambda _target: registry)
    return found


def owner(name: str = "endpoint", lineage: str = "one", stack: str = "dev") -> OwnerRef:
    return OwnerRef("retraining", stack, name, lineage)


def claims(context: Context, *owners: OwnerRef) -> Claims:
    return Claims(context, "local", *owners)


def test_what_is_taken_is_another_s_to_others(context):
    """Another resource, stack or checkout is refused, in the check and in the create; the owner is named."""
    StackClaims(context.registry("local")).claim("retraining", "dev", "one")
    claims(context, owner()).take({THING: False})
    for other in (owner("renamed"), owner(stack="other"), owner(lineage="two")):
        with pytest.raises(OwnedByAnother, match="belongs to retraining/dev/endpoint"):
            claims(context, other).refuse(THING, there=True, ours=False)
        with pytest.raises(OwnedByAnother):
            claims(context, other).take({THING: True})


def test_an_owner_takes_again_what_it_has(context):
    """Create is called again after a crash; ids differ in case only."""
    first = claims(context, owner()).take({THING: False})
    respelt = Thing(THING.kind, THING.id.replace("resourceGroups", "resourcegroups"))
    claims(context, owner()).refuse(respelt, there=True, ours=False)
    assert claims(context, owner()).take({respelt: True}) != first


def test_what_nobody_owns_is_refused_unless_the_state_has_it(context, monkeypatch):
    """A thing without a mark is an earlier release's or somebody's who works by hand."""
    with pytest.raises(OwnedByAnother, match="is there already"):
        claims(context, owner()).refuse(THING, there=True, ours=False)
    with pytest.raises(OwnedByAnother):
        claims(context, owner()).take({THING: True})
    claims(context, owner()).refuse(THING, there=True, ours=True)
    claims(context, owner()).refuse(THING, there=False, ours=False)
    monkeypatch.setenv(TAKE_OVER, "1")
    claims(context, owner()).refuse(THING, there=True, ours=False)
    assert claims(context, owner()).take({THING: True})


@pytest.mark.parametrize("lineage", ["two", UNKNOWN])
def test_what_is_taken_over_says_from_whom(context, monkeypatch, lineage):
    """Also in a preview of a new state, and where nobody has marked it; what is not there is made, and taken from nobody."""
    monkeypatch.setenv(TAKE_OVER, "1")
    taking = claims(context, owner(lineage=lineage))
    assert taking.refuse(THING, there=False, ours=False) == ""
    assert taking.refuse(THING, there=True, ours=False) == "nobody"
    StackClaims(context.registry("local")).claim("retraining", "dev", "one")
    claims(context, owner()).take({THING: True})
    assert taking.refuse(THING, there=False, ours=False) == ""
    assert taking.refuse(THING, there=True, ours=False) == "retraining/dev/endpoint (one)"
    assert claims(context, owner()).refuse(THING, there=True, ours=False) == ""


def test_a_first_preview_that_knows_no_lineage_refuses_other_names_only(context):
    """Its own name is the stack claim's to refuse."""
    claims(context, owner()).take({THING: False})
    claims(context, owner(lineage=UNKNOWN)).refuse(THING, there=True, ours=False)
    with pytest.raises(OwnedByAnother):
        claims(context, owner("renamed", UNKNOWN)).refuse(THING, there=True, ours=False)


def test_an_alias_brings_its_former_name(context, registry):
    """What the resource had by its old name it has by its new one; the incarnation stays."""
    incarnation = claims(context, owner()).take({THING: False})
    renamed = claims(context, owner("renamed"), owner())
    renamed.refuse(THING, there=True, ours=True)
    assert renamed.take({THING: False}, incarnation) == incarnation
    mark = Owners(registry).of(THING)
    assert (mark.owner.name, mark.incarnation) == ("renamed", incarnation)


def test_a_late_delete_leaves_what_was_taken_since(context):
    """The incarnation that made it decides, not the owner."""
    ours = claims(context, owner())
    first = ours.take({THING: False})
    second = ours.take({THING: True})
    assert not ours.may_delete(THING, first)
    assert not ours.may_delete(THING, "")
    ours.release(THING, first)
    assert ours.may_delete(THING, second)
    ours.release(THING, second)
    assert ours.may_delete(THING, "")


def test_a_stack_of_the_same_name_is_refused_until_it_takes_over(context, monkeypatch):
    """Then all that the lost state had is its own, whatever the resources were called."""
    life = StackClaimLifecycle(context)
    props = {"target": "local", "project": "retraining", "stack": "dev", "lineage": "one"}
    life.create(life.check(props, {}))
    claims(context, owner()).take({THING: False})
    for lineage in ("two", UNKNOWN):
        with pytest.raises(OwnedByAnother, match="--take-over"):
            life.check(props | {"lineage": lineage}, {})
    monkeypatch.setenv(TAKE_OVER, "1")
    life.create(life.check(props | {"lineage": "two"}, {}))
    monkeypatch.delenv(TAKE_OVER)
    claims(context, owner("renamed", "two")).refuse(THING, there=True, ours=False)
    with pytest.raises(OwnedByAnother):
        life.check(props, props)
    # Who lost the name gives nothing back that is another's now.
    life.delete("", props)
    assert life.read("", props | {"lineage": "two"}) is not None


def test_a_claim_that_was_lost_is_made_again(context, registry):
    """A registry that was emptied is claimed by the next update."""
    life = StackClaimLifecycle(context)
    props = {"target": "local", "project": "retraining", "stack": "dev", "lineage": "one"}
    life.create(life.check(props, {}))
    assert not life.diff(props, life.check(props, props)).changes
    registry.blobs.clear()
    assert life.read("", props) is None
    assert life.diff(props, life.check(props, props)).changes
    assert life.update("", props, life.check(props, props)) == props
    assert not life.diff(props, life.check(props, props)).changes


def test_a_mark_that_a_killed_and_destroyed_stack_left_stands_in_nobodys_way(context):
    """It was written before the thing was made; what came to be after all is for the resource of the same name."""
    life = StackClaimLifecycle(context)
    props = {"target": "local", "project": "retraining", "stack": "dev", "lineage": "one"}
    life.create(props)
    claims(context, owner()).take({THING: False})
    later = claims(context, owner(lineage="two"))
    with pytest.raises(OwnedByAnother):
        later.refuse(THING, there=False, ours=False)
    life.delete("", props)
    with pytest.raises(OwnedByAnother):
        claims(context, owner("renamed", "two")).refuse(THING, there=True, ours=False)
    claims(context, owner("renamed", "two")).refuse(THING, there=False, ours=False)
    later.refuse(THING, there=True, ours=False)
    assert later.take({THING: True})


DAMAGED = [
    None,
    b"",
    b"{",
    b"[]",
    b'{"version": 1}',
    b"\0\xff",
    b'{"version": 1, "project": "\\ud800"}',
]


def damage(registry: MemoryContainer, folder: str, content: bytes | None) -> str:
    """The folder's one record is gone, or is this."""
    [name] = [name for name in registry.blobs if name.startswith(f"{folder}/")]
    del registry.blobs[name]
    if content is not None:
        registry.put(name, content)
    return name


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_mark_is_written_anew_by_whoever_wrote_it(context, registry, content):
    """The check shows it; the incarnation stays, so that nothing is deleted late that was taken over."""
    ours = claims(context, owner())
    incarnation = ours.take({THING: False})
    damage(registry, "owners", content)
    remark = ours.refuse(THING, there=True, ours=True)
    assert to_write(remark, incarnation)
    assert not to_write(remark, "")
    assert ours.take({THING: False}, incarnation) == incarnation
    assert Owners(registry).of(THING).incarnation == incarnation
    assert not ours.refuse(THING, there=True, ours=True)
    assert not ours.may_delete(THING, "another's")


@pytest.mark.parametrize("content", DAMAGED[1:])
def test_a_damaged_mark_is_believed_by_nobody_else(context, registry, content):
    """Who has not made the thing is refused, with the mark's name; whoever made it can still delete it."""
    incarnation = claims(context, owner()).take({THING: False})
    name = damage(registry, "owners", content)
    with pytest.raises(Unreadable, match=name):
        claims(context, owner("renamed")).refuse(THING, there=True, ours=False)
    for there in (True, False):
        with pytest.raises(Unreadable, match=name):
            claims(context, owner("renamed")).take({THING: there})
    ours = claims(context, owner())
    assert ours.may_delete(THING, incarnation)
    ours.release(THING, incarnation)
    assert list(registry.blobs) == []


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_claim_is_made_again_and_given_back(context, registry, content):
    """By the stack that has it in its state; a new one is refused, with the claim's name."""
    life = StackClaimLifecycle(context)
    props = {"target": "local", "project": "retraining", "stack": "dev", "lineage": "one"}
    life.create(life.check(props, {}))
    name = damage(registry, "stacks", content)
    if content is not None:
        with pytest.raises(Unreadable, match=name):
            life.check(props | {"lineage": "two"}, {})
        assert life.read("", props) == (props, props)
    checked = life.check(props, props)
    assert life.diff(props, checked).changes
    assert life.update("", props, checked) == props
    assert not life.diff(props, life.check(props, props)).changes
    damage(registry, "stacks", content)
    life.delete("", props)
    assert list(registry.blobs) == []


def test_each_lineage_is_its_own(context):
    """It is made once, and stays."""
    life = LineageLifecycle(context)
    first, second = life.create({}), life.create({})
    assert first[0] == first[1]["lineage"] != second[0]
    assert not life.diff(first[1], {}).changes


PART = st.text("ab-_A1", min_size=1, max_size=30)


@given(
    st.lists(PART, min_size=1, max_size=4), st.lists(PART, min_size=1, max_size=4), st.sampled_from(["", "-"])
)
def test_default_names_of_different_parts_never_meet(one, other, separator):
    """Whatever is cut, changed, or holds the separator itself; and each is within the service's limit."""
    names = [default_name(*parts, limit=24, separator=separator) for parts in (one, other)]
    assert (names[0] == names[1]) == (one == other)
    assert all(len(name) <= 24 for name in names)


def test_a_default_name_is_readable():
    """Plain parts are joined."""
    assert default_name("rg", "retraining", "dev", "workspace") == "rg-retraining-dev-workspace"
