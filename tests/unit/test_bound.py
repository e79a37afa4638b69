"""What is bound is on record, and what cannot be read counts for all."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from clients.errors import Conflict, LedgerError, Unreachable
from clients.protocols import Binding
from retrain_hooks.binding import ModelBindingLifecycle
from retrain_hooks.bound import Bound, Marker, in_use, recorded
from retrain_hooks.lifecycle import Context
from tests.unit.fakes import Listener, MemoryContainer, OpenGuard

WORKSPACE = {"resource": "/subscriptions/s/workspaces/mlw-dev", "id": "w1"}
MARKER = Marker("local", "s1", WORKSPACE, "retrained", "model", "models/flights/k/1.ilearner")


@pytest.fixture
def registry() -> MemoryContainer:
    return MemoryContainer()


def unavailable(_marker: Marker) -> dict[str, list[Binding]]:
    raise Unreachable("nobody answers", "start it")


def test_a_marker_says_where_a_model_is_served(registry):
    """Endpoint and workspace, by the model's address."""
    Bound(registry).mark(MARKER)
    assert recorded(registry).where == {MARKER.address: ["retrained of mlw-dev"]}


def test_another_model_at_the_same_endpoint_takes_the_markers_place(registry):
    """An endpoint's resource serves one model at a time."""
    Bound(registry).mark(MARKER)
    Bound(registry).mark(replace(MARKER, address="models/flights/k/2.ilearner"))
    assert list(recorded(registry).where) == ["models/flights/k/2.ilearner"]


def test_each_target_service_endpoint_and_resource_has_a_marker_of_its_own():
    """None of them hides another's."""
    others = [
        replace(MARKER, **{name: "other"})
        for name in ("target", "service", "endpoint", "resource", "address")
    ]
    assert [other.name == MARKER.name for other in others] == [False, False, False, False, True]


def test_two_that_mark_at_once_leave_one_readable_marker(registry):
    """The write is compare-and-swap, and tried again."""
    theirs = replace(MARKER, address="models/flights/theirs/1.ilearner")
    registry.before_write = lambda: Bound(registry).mark(theirs)
    Bound(registry).mark(MARKER)
    assert list(recorded(registry).where) == [MARKER.address]


def test_a_marker_that_can_never_be_written_is_an_error(registry, monkeypatch):
    """A binding that is not on record is not reported as done."""

    def taken(*_args: object, **_kwargs: object) -> str:
        raise Conflict("changed", "again", status=412)

    monkeypatch.setattr(registry, "write", taken)
    with pytest.raises(LedgerError, match="all the time"):
        Bound(registry).mark(MARKER)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"version": 2}',
        json.dumps({"version": 1, "address": "models/flights/k/1.ilearner"}).encode(),
    ],
)
def test_an_unreadable_marker_is_told_and_never_guessed_from(registry, content):
    """Garbage, halves, later formats and missing fields."""
    registry.put("bound/x.json", content)
    found = recorded(registry)
    assert (found.where, found.unreadable) == ({}, ["the marker bound/x.json cannot be read"])


def test_a_marker_under_another_endpoints_name_is_unreadable(registry):
    """A copy says nothing about the endpoint whose name it bears."""
    Bound(registry).mark(MARKER)
    registry.put("bound/copy.json", registry.read(MARKER.name)[0])
    assert recorded(registry).unreadable == ["the marker bound/copy.json cannot be read"]


def test_what_the_service_serves_counts_as_well(registry):
    """A model bound behind our back, and those of endpoints without a marker, such as staging."""
    Bound(registry).mark(MARKER)
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
        Bound(registry).mark(replace(MARKER, endpoint=endpoint))
    in_use(registry, lambda marker: asked.append(marker.service) or {})
    assert asked == ["s1"]


def test_what_a_silent_services_marker_names_stays_in_use(registry):
    """Not answering is not the same as serving nothing."""
    Bound(registry).mark(MARKER)
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
        self.serves = model["RelativeLocation"]


@pytest.fixture
def life(registry, monkeypatch) -> ModelBindingLifecycle:
    context, endpoint = Context(Listener(), OpenGuard()), Endpoint()
    monkeypatch.setattr(context, "registry", lambda _target: registry)
    services = SimpleNamespace(
        endpoint=lambda _service, _name: endpoint, bindings=lambda _service, _name: endpoint
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
