"""What is bound is on record, and what cannot be read counts for all."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from clients.errors import Conflict, LedgerError, Unreachable
from clients.protocols import Binding
from retrain_hooks.binding.lifecycle import ModelBindingLifecycle
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.registry.markers import Marker, Markers, in_use, recorded
from retrain_hooks.registry.owners import Owner
from tests.unit.fakes import Listener, MemoryContainer, OpenGuard

WORKSPACE = {"resource": "/subscriptions/s/workspaces/mlw-dev", "id": "w1"}
MARKER = Marker("local", "s1", WORKSPACE, "retrained", "model", "models/flights/k/1.ilearner")

BLOB = f"bound/{MARKER.key}.json"
OURS, THEIRS = Owner("retraining", "dev", "binding", "l1"), Owner("retraining", "prod", "binding", "l2")


@pytest.fixture
def registry() -> MemoryContainer:
    return MemoryContainer()


def unavailable(_marker: Marker) -> dict[str, list[Binding]]:
    raise Unreachable("nobody answers", "start it")


def test_a_marker_says_where_a_model_is_served(registry):
    """Endpoint and workspace, by the model's address."""
    Markers(registry).mark(MARKER)
    assert recorded(registry).where == {MARKER.address: ["retrained of mlw-dev"]}


def test_another_model_at_the_same_endpoint_takes_the_markers_place(registry):
    """An endpoint's resource serves one model at a time."""
    Markers(registry).mark(MARKER)
    Markers(registry).mark(replace(MARKER, address="models/flights/k/2.ilearner"))
    assert list(recorded(registry).where) == ["models/flights/k/2.ilearner"]


def test_each_target_service_endpoint_and_resource_has_a_marker_of_its_own():
    """None of them hides another's."""
    others = [
        replace(MARKER, **{name: "other"})
        for name in ("target", "service", "endpoint", "resource", "address")
    ]
    assert [other.key == MARKER.key for other in others] == [False, False, False, False, True]


def test_two_that_mark_at_once_leave_one_readable_marker(registry):
    """The write is compare-and-swap, and tried again."""
    theirs = replace(MARKER, address="models/flights/theirs/1.ilearner")
    registry.before_write = lambda: Markers(registry).mark(theirs)
    Markers(registry).mark(MARKER)
    assert list(recorded(registry).where) == [MARKER.address]


def test_a_marker_that_can_never_be_written_is_an_error(registry, monkeypatch):
    """A binding that is not on record is not reported as done."""

    def taken(*_args: object, **_kwargs: object) -> str:
        raise Conflict("changed", "again", status=412)

    monkeypatch.setattr(registry, "write", taken)
    with pytest.raises(LedgerError, match="all the time"):
        Markers(registry).mark(MARKER)


def test_a_marker_ends_with_its_last_owner(registry):
    """Two bindings of one endpoint, one deleted: the model is served, and its marker stays."""
    markers = Markers(registry)
    markers.mark(MARKER, OURS)
    markers.mark(MARKER, THEIRS)
    markers.unmark(MARKER, OURS)
    assert recorded(registry).where == {MARKER.address: ["retrained of mlw-dev"]}
    markers.unmark(MARKER, OURS)
    markers.unmark(MARKER)
    assert BLOB in registry.blobs
    markers.unmark(MARKER, THEIRS)
    assert registry.blobs == {}


def test_an_owner_that_marks_again_is_one_owner(registry):
    """Whatever it binds, and another's binding of the same endpoint says which model it serves for both."""
    markers = Markers(registry)
    other = replace(MARKER, address="models/flights/k/2.ilearner")
    for marker, owner in ((MARKER, OURS), (MARKER, THEIRS), (other, OURS)):
        markers.mark(marker, owner)
    [found] = markers.all()
    assert (found.address, [*map(str, found.owners)]) == (other.address, [*map(str, (OURS, THEIRS))])
    writes = list(registry.writes)
    markers.mark(other, THEIRS)
    assert registry.writes == writes


def test_a_marker_without_owners_is_as_earlier_releases_write_and_read_it(registry):
    """It is held by an owner that isn't known, until one that is known overwrites it."""
    markers = Markers(registry)
    markers.mark(MARKER)
    assert json.loads(registry.read(BLOB)[0]) == {
        "target": "local",
        "service": "s1",
        "workspace": WORKSPACE,
        "endpoint": "retrained",
        "resource": "model",
        "address": MARKER.address,
        "version": 1,
    }
    markers.unmark(MARKER, OURS)
    assert BLOB in registry.blobs
    markers.mark(MARKER, OURS)
    markers.unmark(MARKER)
    assert BLOB in registry.blobs
    markers.unmark(MARKER, OURS)
    assert registry.blobs == {}


def test_a_marker_that_cannot_be_read_is_written_anew_and_not_deleted(registry):
    """Whose it was isn't known: a destroy leaves it to be looked at."""
    registry.put(BLOB, b"{")
    Markers(registry).unmark(MARKER, OURS)
    assert registry.read(BLOB)[0] == b"{"
    Markers(registry).mark(MARKER, OURS)
    assert list(recorded(registry).where) == [MARKER.address]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"version": 3}',
        json.dumps({"version": 1, "address": "models/flights/k/1.ilearner"}).encode(),
    ],
)
def test_an_unreadable_marker_is_told_and_never_guessed_from(registry, content):
    """Garbage, halves, later formats and missing fields."""
    registry.put("bound/x.json", content)
    found = recorded(registry)
    assert (found.where, len(found.unreadable)) == ({}, 1)
    assert "bound/x.json cannot be read" in found.unreadable[0]


def test_a_marker_under_another_endpoints_name_is_unreadable(registry):
    """A copy says nothing about the endpoint whose name it bears."""
    Markers(registry).mark(MARKER)
    registry.put("bound/copy.json", registry.read(BLOB)[0])
    assert "bound/copy.json cannot be read" in recorded(registry).unreadable[0]


def test_what_the_service_serves_counts_as_well(registry):
    """A model bound behind our back, and those of endpoints without a marker, such as staging."""
    Markers(registry).mark(MARKER)
    found = in_use(
        registry,
        lambda _marker: {
            "retrained": [Binding("model", "registry/models/flights/drift/1.ilearner")],
            "staging": [Binding("model", "/registry/models/flights/staged/1.ilearner")],
        },
    )
    assert found.where == {
        MARKER.address: ["retrained of mlw-dev"],
        "models/flights/drift/1.ilearner": ["retrained of mlw-dev"],
        "models/flights/staged/1.ilearner": ["staging of mlw-dev"],
    }


def test_a_service_is_asked_once_whatever_its_markers(registry):
    """One request a service, not one a marker."""
    asked = []
    for endpoint in ("retrained", "default"):
        Markers(registry).mark(replace(MARKER, endpoint=endpoint))
    in_use(registry, lambda marker: asked.append(marker.service) or {})
    assert asked == ["s1"]


def test_what_a_silent_services_marker_names_stays_in_use(registry):
    """Not answering is not the same as serving nothing."""
    Markers(registry).mark(MARKER)
    found = in_use(registry, unavailable)
    assert list(found.where) == [MARKER.address]
    assert "could not be asked what it serves (nobody answers)" in found.notes[0]


class Endpoint:
    """An endpoint that serves what it is told to."""

    def __init__(self) -> None:
        self.serves = ""

    def read(self) -> list[Binding]:
        return [Binding("model", self.serves)]

    def write(self, resource: str, model: dict[str, str]) -> None:
        self.serves = model.path


@pytest.fixture
def life(registry, monkeypatch) -> ModelBindingLifecycle:
    context, endpoint = Context(Listener(), OpenGuard()), Endpoint()
    monkeypatch.setattr(context, "registry", lambda _target: registry)
    services = SimpleNamespace(
        endpoint=lambda _service, _name: SimpleNamespace(models=tuple(endpoint.read())),
        bindings=lambda _service, _name: endpoint,
    )
    monkeypatch.setattr(context, "services", lambda _target, _service: services)
    return ModelBindingLifecycle(context)


PROPS = {
    "target": "local",
    "service": {"id": "s1", "workspace": WORKSPACE},
    "endpointName": "retrained",
    "resource": "model",
    "address": "models/flights/k/1.ilearner",
}


def test_a_binding_is_marked_once_it_was_read_back_and_forgotten_with_it(life, registry):
    """Created, re-bound, deleted."""
    _id, outputs = life.create(PROPS)
    assert list(recorded(registry).where) == [PROPS["address"]]
    outputs = life.update("x", outputs, PROPS | {"address": "models/flights/k/2.ilearner"})
    assert list(recorded(registry).where) == ["models/flights/k/2.ilearner"]
    life.delete("x", outputs)
    assert recorded(registry).where == {}


def owned(name: str) -> dict[str, object]:
    owner = {"project": "retraining", "stack": "dev", "name": name, "lineage": "l1"}
    return PROPS | {"owner": owner}


def test_of_two_bindings_of_one_endpoint_the_last_takes_the_marker_along(life, registry):
    """One is deleted, and the model is served: prune must know of it."""
    _id, first = life.create(owned("one"))
    _id, second = life.create(owned("two"))
    life.delete("x", first)
    assert list(recorded(registry).where) == [PROPS["address"]]
    life.delete("x", second)
    assert recorded(registry).where == {}


def test_a_binding_under_another_name_is_still_one_owner(life, registry):
    """An alias: what it was called before holds nothing when it is deleted."""
    _id, outputs = life.create(owned("before"))
    outputs = life.update("x", outputs, owned("after") | {"address": "models/flights/k/2.ilearner"})
    life.delete("x", outputs)
    assert recorded(registry).where == {}


def test_a_binding_that_was_replaced_leaves_its_successors_marker(life, registry):
    """It is deleted late, after its successor of the same name has bound the same endpoint: what it serves is in use."""
    _id, replaced = life.create(owned("same"))
    _id, successor = life.create(owned("same"))
    life.delete("x", replaced)
    assert list(recorded(registry).where) == [successor["address"]]
    life.delete("x", successor)
    assert recorded(registry).where == {}


def test_a_binding_of_an_earlier_release_is_forgotten_with_it(life, registry):
    """Its state has no owner, and neither has its marker."""
    _id, outputs = life.create(PROPS)
    outputs = life.update("x", outputs, owned("one"))
    life.delete("x", outputs)
    assert recorded(registry).where == {}


def test_an_endpoint_that_leaves_the_rings_is_not_marked_any_more(life, registry):
    """What it serves is no longer this binding's."""
    rings = [{"name": name, "endpoints": [name]} for name in ("pilot", "retrained")]
    _id, outputs = life.create(PROPS | {"rings": rings})
    assert recorded(registry).where == {PROPS["address"]: ["pilot of mlw-dev", "retrained of mlw-dev"]}
    life.update("x", outputs, PROPS)
    assert recorded(registry).where == {PROPS["address"]: ["retrained of mlw-dev"]}
