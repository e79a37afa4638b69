"""Each physical thing has one owner, and a stack's name one lineage; whoever is not it changes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clients.errors import NotFound
from retrain_hooks.registry.owners import Mark, OwnedByAnother, Owner, Owners, StackClaim, StackClaims, Thing
from retrain_hooks.registry.records import Unreadable
from tests.unit.fakes import MemoryContainer

ID = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.MachineLearning/webServices/Flights"
THING = Thing("web service", ID)
OURS = Owner("retraining", "dev", "endpoint-studio", "lineage-1")
THEIRS = Owner("retraining", "prod", "endpoint-studio", "lineage-2")


def nobodys(mark: Mark | None) -> bool:
    return mark is None


def anybodys(_mark: Mark | None) -> bool:
    return True


class Forgetful(MemoryContainer):
    """Loses the answer of its next write: sent again, as the SDK does, the write meets itself."""

    lost = True

    def write(self, name: str, content: bytes, **more: Any) -> str:
        if self.lost:
            self.lost = False
            super().write(name, content, **more)
        return super().write(name, content, **more)


@pytest.fixture
def registry() -> MemoryContainer:
    return MemoryContainer()


@pytest.fixture
def owners(registry) -> Owners:
    return Owners(registry)


def test_an_owner_is_called_by_project_stack_and_resource():
    """The lineage tells checkouts apart, and is not part of the name."""
    assert str(OURS) == "retraining/dev/endpoint-studio"
    assert OURS.same_name(Owner("retraining", "dev", "endpoint-studio", ""))
    assert not OURS.same_name(THEIRS)


def test_a_thing_is_the_same_however_its_id_is_spelt():
    """Resource Manager's ids ignore case; another kind is another thing."""
    assert Thing("web service", ID.lower()).name == THING.name
    assert Thing("endpoint", ID).name != THING.name
    assert THING.name.startswith("owners/")


def test_what_is_claimed_is_found_and_listed(owners, registry):
    """Under the thing's name, with owner and incarnation."""
    mark = owners.claim(THING, OURS, "i1", nobodys)
    assert owners.of(THING) == mark == Mark(THING, OURS, "i1")
    assert list(owners.marks()) == [mark]
    assert list(registry.blobs) == [THING.name]


def test_what_another_has_is_refused_and_the_owner_named(owners):
    """With the ways out."""
    owners.claim(THING, THEIRS, "i1", nobodys)
    with pytest.raises(
        OwnedByAnother, match="web service 'Flights' belongs to retraining/prod/endpoint"
    ) as told:
        owners.claim(THING, OURS, "i2", nobodys)
    assert told.value.owner == THEIRS
    assert "`existing=`" in told.value.remedy
    assert owners.of(THING) == Mark(THING, THEIRS, "i1")


def test_what_another_lineage_of_the_same_name_has_is_to_be_taken_over(owners):
    """Another checkout, or a state that was lost: the remedy is not another name for the resource."""
    owners.claim(THING, Owner(OURS.project, OURS.stack, OURS.name, "lost"), "i1", nobodys)
    with pytest.raises(OwnedByAnother, match="lineage lost") as told:
        owners.claim(THING, OURS, "i2", nobodys)
    assert "--take-over" in told.value.remedy


def test_what_is_there_and_nobodys_may_be_refused(owners, registry):
    """Where the service has it and no mark says whose it is."""
    with pytest.raises(OwnedByAnother, match="no stack is known to have made it") as told:
        owners.claim(THING, OURS, "i1", lambda mark: mark is not None)
    assert told.value.owner is None
    assert registry.writes == []


def test_taking_over_writes_a_new_incarnation_of_the_thing_as_it_was_first_named(owners):
    """The spelling on record stays, so that it is known how the service named it."""
    owners.claim(THING, THEIRS, "i1", nobodys)
    mark = owners.claim(Thing("web service", ID.upper()), OURS, "i2", anybodys)
    assert mark == Mark(THING, OURS, "i2")


def test_a_claim_of_ones_own_is_not_asked_for_twice(owners, registry):
    """The same owner and incarnation are there already: a create that is called again after a crash."""
    owners.claim(THING, OURS, "i1", nobodys)
    owners.claim(THING, OURS, "i1", lambda _mark: False)
    assert len(registry.writes) == 1


def test_a_claim_whose_answer_is_lost_is_not_taken_for_anothers():
    """The write meets itself, and nobody else's claim is seen in it."""
    owners = Owners(Forgetful())
    assert owners.claim(THING, OURS, "i1", nobodys) == Mark(THING, OURS, "i1")


def test_of_two_that_claim_at_once_one_gets_it(owners, registry):
    """The other is asked again about the mark that was written in between."""
    registry.before_write = lambda: owners.claim(THING, THEIRS, "i1", nobodys)
    with pytest.raises(OwnedByAnother):
        owners.claim(THING, OURS, "i2", nobodys)
    assert owners.of(THING) == Mark(THING, THEIRS, "i1")


def test_a_release_forgets_only_its_own_incarnation(owners):
    """The late delete of a replaced resource leaves what was taken over since, even by its own owner."""
    owners.claim(THING, OURS, "i1", nobodys)
    owners.claim(THING, OURS, "i2", anybodys)
    owners.release(THING, "i1")
    assert owners.of(THING) == Mark(THING, OURS, "i2")
    owners.release(THING, "i2")
    owners.release(THING, "i2")
    assert owners.of(THING) is None


def test_what_is_taken_over_while_it_is_released_stays(owners, registry):
    """The delete is compare-and-swap as well."""
    owners.claim(THING, OURS, "i1", nobodys)
    registry.before_write = lambda: owners.claim(THING, THEIRS, "i2", anybodys)
    owners.release(THING, "i1")
    assert owners.of(THING) == Mark(THING, THEIRS, "i2")


@pytest.mark.parametrize("damage", ["nonsense", "another's name", "no owner", "a later format"])
def test_a_mark_that_cannot_be_read_is_nobodys_to_take(owners, registry, damage):
    """It is an error that names the blob, and the other marks are listed all the same."""
    owners.claim(THING, OURS, "i1", nobodys)
    other = owners.claim(Thing("endpoint", ID), OURS, "i2", nobodys)
    record = json.loads(registry.read(THING.name)[0])
    if damage == "another's name":
        record["thing"]["id"] += "2"
    elif damage == "no owner":
        del record["owner"]
    elif damage == "a later format":
        record["version"] = 2
    registry.put(THING.name, b"{" if damage == "nonsense" else json.dumps(record).encode())
    with pytest.raises(Unreadable, match=THING.name):
        owners.of(THING)
    with pytest.raises(Unreadable, match=THING.name):
        owners.claim(THING, OURS, "i1", anybodys)
    listed = list(owners.marks())
    assert [each for each in listed if isinstance(each, Mark)] == [other]
    assert len([each for each in listed if isinstance(each, Unreadable)]) == 1


def test_a_missing_registry_is_not_an_unowned_thing(owners, registry, monkeypatch):
    """Without the container nothing is known."""

    def read(_name: str) -> tuple[bytes, str]:
        raise NotFound("there is no container", "create it", status=404, code="ContainerNotFound")

    monkeypatch.setattr(registry, "read", read)
    with pytest.raises(NotFound):
        owners.of(THING)


def test_a_stacks_name_is_one_lineages(registry):
    """Another checkout's stack of the same name is refused, and told of the way out."""
    claims = StackClaims(registry)
    claim = claims.claim("retraining", "dev", "one", take_over=False)
    assert claims.find("retraining", "dev") == claim == StackClaim("retraining", "dev", "one")
    assert claims.claim("retraining", "dev", "one", take_over=False) == claim
    with pytest.raises(OwnedByAnother, match="'dev' belongs to retraining/dev of another checkout") as told:
        claims.claim("retraining", "dev", "two", take_over=False)
    assert "--take-over" in told.value.remedy
    assert len(registry.writes) == 1


def test_what_is_taken_over_remembers_who_had_it(registry):
    """Also when it goes back to one that had it before."""
    claims = StackClaims(registry)
    for lineage in ("one", "two", "one"):
        claim = claims.claim("retraining", "dev", lineage, take_over=True)
    assert claim == claims.find("retraining", "dev") == StackClaim("retraining", "dev", "one", ("two",))


def test_a_stacks_name_is_let_go_of_by_who_has_it(registry):
    """A destroy of the former lineage leaves it."""
    claims = StackClaims(registry)
    claims.claim("retraining", "dev", "one")
    claims.claim("retraining", "dev", "two", take_over=True)
    claims.release("retraining", "dev", "one")
    assert claims.find("retraining", "dev").lineage == "two"
    claims.release("retraining", "dev", "two")
    assert claims.find("retraining", "dev") is None
