"""Ids and path segments are compared without regard to case, for every resource and every operation."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# The fixture is only read, or left as it was found, by each example.
_quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

_GROUP = "/resourceGroups/Team-RG"
_ACCOUNT = f"{_GROUP}/providers/Microsoft.Storage/storageAccounts/store1"
_WORKSPACE = f"{_GROUP}/providers/Microsoft.MachineLearning/workspaces/My-WS"
_ALL = (_GROUP, _ACCOUNT, _WORKSPACE)


@st.composite
def _recased(draw: st.DrawFn, text: str) -> str:
    flips = draw(st.lists(st.booleans(), min_size=len(text), max_size=len(text)))
    return "".join(char.swapcase() if flip else char for char, flip in zip(text, flips, strict=True))


def _build(arm: Any) -> str:
    """One resource of each type, unless they are there; the subscription's path."""
    if arm("HEAD", _GROUP).status_code == 404:
        arm.workspace(name="My-WS", group="Team-RG", account="store1")
    return f"/subscriptions/{arm.cloud.subscription}"


@_quick
@given(data=st.data(), path=st.sampled_from(_ALL))
def test_any_case_finds_the_resource(arm: Any, data: st.DataObject, path: str) -> None:
    """Whatever the case of an id, GET gives the document, which shows the id as it was first written."""
    whole = _build(arm) + path
    answer = arm.raw("GET", data.draw(_recased(whole)))
    assert answer.status_code == 200
    assert answer.json()["id"] == whole


@_quick
@given(data=st.data(), path=st.sampled_from((_GROUP, _WORKSPACE)), tag=st.text("abc", max_size=3))
def test_any_case_writes_the_same_resource(arm: Any, data: st.DataObject, path: str, tag: str) -> None:
    """PUT and PATCH under another case change the resource that is there and make no second one."""
    whole = _build(arm) + path
    before = arm.raw("GET", whole).json()
    body = {key: before[key] for key in ("location", "properties")} | {"tags": {"t": tag}}
    put = arm.raw("PUT", data.draw(_recased(whole)), body)
    assert (put.status_code, put.json()["id"], put.json()["tags"]) == (200, whole, {"t": tag})
    arm.raw("PATCH", data.draw(_recased(whole)), {"tags": {"t": f"{tag}!"}})
    after = arm.raw("GET", whole).json()
    assert after == {**before, "tags": {"t": f"{tag}!"}}
    assert len(arm.store.arm_list("/")) == len(_ALL)


@_quick
@given(data=st.data())
def test_any_case_lists_acts_and_refers(arm: Any, data: st.DataObject) -> None:
    """Lists, POST actions and references from one resource to another take ids in any case, too."""
    root = _build(arm)
    listed = arm.raw("GET", data.draw(_recased(f"{root}{_WORKSPACE.rpartition('/')[0]}"))).json()["value"]
    assert [one["name"] for one in listed] == ["My-WS"]
    keys = arm.raw("POST", data.draw(_recased(f"{root}{_WORKSPACE}/listWorkspaceKeys")))
    assert keys.json() == arm("POST", f"{_WORKSPACE}/listWorkspaceKeys").json()
    body = arm("GET", _WORKSPACE).json()
    body["properties"]["userStorageAccountId"] = data.draw(_recased(root + _ACCOUNT))
    assert arm("PUT", _WORKSPACE, body).status_code == 200


@_quick
@given(data=st.data(), path=st.sampled_from((_GROUP, _WORKSPACE)))
def test_any_case_deletes_the_resource(arm: Any, data: st.DataObject, path: str) -> None:
    """DELETE under another case removes the resource, with the classic workspace behind it."""
    whole = _build(arm) + path
    workspace_id = arm("GET", _WORKSPACE).json()["properties"]["workspaceId"]
    assert arm.raw("DELETE", data.draw(_recased(whole))).status_code == 200
    assert arm.raw("GET", whole).status_code == 404
    assert arm.store.workspace(workspace_id) is None
    arm.raw("DELETE", f"/subscriptions/{arm.cloud.subscription}{_GROUP}")
    assert arm.store.arm_list("/") == []
