"""Diff: which changes are seen, and which of them take a replacement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime.proto import provider_pb2

from localcloud.azure_native.diff import changes
from localcloud.azure_native.wire import UNKNOWN, Secret

GROUP, WORKSPACE = "resources:ResourceGroup", "machinelearning:Workspace"
_OLD = {
    "resourceGroupName": "rg",
    "location": "West Europe",
    "tags": {"owner": "team", "a.b": "c"},
    "azureApiVersion": "2024-03-01",
}


def _kinds(diff: Any) -> dict[str, str]:
    names = provider_pb2.PropertyDiff.Kind.Name
    return {path: names(one.kind) for path, one in diff.detailedDiff.items()}


def test_equal_inputs_are_no_change(engine: Any, urn: Callable[..., str]) -> None:
    """The same inputs, and a location that is only spelt otherwise, are DIFF_NONE."""
    diff = engine.diff(urn(GROUP), _OLD, {**_OLD, "location": "westeurope"})
    assert diff.changes == provider_pb2.DiffResponse.DIFF_NONE
    assert list(diff.replaces) == []
    assert _kinds(diff) == {}


def test_tags_change_in_place_and_by_path(engine: Any, urn: Callable[..., str]) -> None:
    """Each tag is a path of its own, quoted where its name is not plain."""
    diff = engine.diff(urn(GROUP), _OLD, {**_OLD, "tags": {"owner": "other", "new": "1"}})
    assert diff.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert _kinds(diff) == {"tags.owner": "UPDATE", "tags.new": "ADD", 'tags["a.b"]': "DELETE"}
    assert list(diff.replaces) == []
    assert not diff.deleteBeforeReplace


@pytest.mark.parametrize("key", ["resourceGroupName", "location"])
def test_what_only_creation_sets_replaces(engine: Any, urn: Callable[..., str], key: str) -> None:
    """A new name or place is a new resource, and the old one goes first: its name may be needed."""
    diff = engine.diff(urn(GROUP), _OLD, {**_OLD, key: "eastus"})
    assert _kinds(diff) == {key: "UPDATE_REPLACE"}
    assert list(diff.replaces) == [key]
    assert diff.deleteBeforeReplace


def test_with_a_made_up_name_the_new_one_comes_first(engine: Any, urn: Callable[..., str]) -> None:
    """A made-up name is never in the way, so the replacement is created before the deletion."""
    olds = {**_OLD, "__createBeforeDelete": True}
    diff = engine.diff(urn(GROUP), olds, {**_OLD, "location": "eastus"})
    assert list(diff.replaces) == ["location"]
    assert not diff.deleteBeforeReplace


def test_unknown_counts_as_changed(engine: Any, urn: Callable[..., str]) -> None:
    """What is not known yet may be anything: an update, or a replacement where that is what a change takes."""
    olds = {
        "resourceGroupName": "rg",
        "workspaceName": "ws",
        "userStorageAccountId": "/a",
        "tags": {"x": "1"},
    }
    news = {**olds, "resourceGroupName": UNKNOWN, "userStorageAccountId": UNKNOWN, "tags": {"x": UNKNOWN}}
    diff = engine.diff(urn(WORKSPACE), olds, news)
    assert _kinds(diff) == {
        "resourceGroupName": "UPDATE_REPLACE",
        "userStorageAccountId": "UPDATE",
        "tags.x": "UPDATE",
    }


def test_to_make_a_value_secret_is_no_change_of_it(engine: Any, urn: Callable[..., str]) -> None:
    """Values are compared, marks are not."""
    diff = engine.diff(urn(GROUP), _OLD, {**_OLD, "tags": Secret(_OLD["tags"])})
    assert diff.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_to_spell_out_a_default_is_no_replacement(engine: Any, urn: Callable[..., str]) -> None:
    """A create-only property that is added with the value it has already changes nothing that matters."""
    olds = {key: value for key, value in _OLD.items() if key != "location"}
    state = {**_OLD, "location": "westeurope"}
    diff = engine.diff(urn(GROUP), olds, {**olds, "location": "West Europe"}, state)
    assert _kinds(diff) == {"location": "ADD"}
    assert list(diff.replaces) == []


def test_a_part_of_what_only_creation_sets_replaces_too(engine: Any, urn: Callable[..., str]) -> None:
    """An addition deep in a create-only property is a replacement, named by its path."""
    olds = {"accountName": "abc", "extendedLocation": {"type": "EdgeZone"}}
    news = {**olds, "extendedLocation": {"type": "EdgeZone", "name": "edge"}}
    diff = engine.diff(urn("storage:StorageAccount"), olds, news)
    assert _kinds(diff) == {"extendedLocation.name": "ADD_REPLACE"}


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab.", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.", max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)
_inputs = st.dictionaries(st.sampled_from(["tags", "sku", "kind"]), _values, max_size=3)


@given(_inputs, _inputs)
def test_there_is_a_change_where_inputs_differ(olds: dict[str, Any], news: dict[str, Any]) -> None:
    """No difference is missed, none is made up, and the way back undoes additions with deletions."""
    there, back = changes(olds, news, frozenset({"kind"})), changes(news, olds, frozenset({"kind"}))
    assert bool(there) == (repr(_sorted(olds)) != repr(_sorted(news)))
    opposite = {"add": "delete", "delete": "add", "update": "update"}
    assert {path: opposite[change.kind] for path, change in there.items()} == {
        path: change.kind for path, change in back.items()
    }
    assert all(change.replaces == path.startswith("kind") for path, change in there.items())


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
