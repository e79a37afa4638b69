"""Classic workspaces: ARM's document in front, Studio's workspace behind."""

from __future__ import annotations

import re
from typing import Any

import pytest


def _tokens(arm: Any, path: str) -> dict[str, str]:
    answer: dict[str, str] = arm("POST", f"{path}/listWorkspaceKeys").json()
    return answer


def test_put_creates_the_classic_workspace(arm: Any) -> None:
    """The id in the document is that of a workspace in the studio, and the listed tokens are its tokens."""
    path = arm.workspace()
    properties = arm("GET", path).json()["properties"]
    assert re.fullmatch(r"[0-9a-f]{32}", properties["workspaceId"])
    assert properties["workspaceState"] == "Enabled"
    assert properties["workspaceType"] == "Production"
    assert properties["studioEndpoint"].startswith("http")
    workspace = arm.store.workspace(properties["workspaceId"])
    assert workspace is not None
    assert workspace.name == "ws"
    assert _tokens(arm, path) == {
        "primaryToken": workspace.primary_token,
        "secondaryToken": workspace.secondary_token,
    }
    assert workspace.primary_token != workspace.secondary_token


def test_no_token_is_in_a_document(arm: Any) -> None:
    """Tokens come from listWorkspaceKeys only."""
    path = arm.workspace()
    shown = arm("GET", path).text + arm("GET", "/providers/Microsoft.MachineLearning/workspaces").text
    assert not any(token in shown for token in _tokens(arm, path).values())


def test_put_again_keeps_id_and_tokens(arm: Any) -> None:
    """An update changes what was declared and nothing of what the workspace was given."""
    path = arm.workspace()
    before, tokens = arm("GET", path).json(), _tokens(arm, path)
    body = {
        "location": "westeurope",
        "tags": {"owner": "team"},
        "properties": {**before["properties"], "ownerEmail": "other@example.org", "workspaceId": "f" * 32},
    }
    after = arm("PUT", path, body).json()
    assert after["properties"]["workspaceId"] == before["properties"]["workspaceId"]
    assert after["properties"]["creationTime"] == before["properties"]["creationTime"]
    assert after["properties"]["ownerEmail"] == "other@example.org"
    assert after["tags"] == {"owner": "team"}
    assert _tokens(arm, path) == tokens


def test_delete_removes_everything_in_it(arm: Any) -> None:
    """Deleting the ARM resource deletes the classic workspace; the next one of that name is a new one."""
    path = arm.workspace()
    workspace_id = arm("GET", path).json()["properties"]["workspaceId"]
    assert arm("DELETE", path).status_code == 200
    assert arm.store.workspace(workspace_id) is None
    assert arm("POST", f"{path}/listWorkspaceKeys").status_code == 404
    assert arm("DELETE", path).status_code == 204
    arm.workspace()
    assert arm("GET", path).json()["properties"]["workspaceId"] != workspace_id


def test_patch_takes_the_sku_inside_properties(arm: Any) -> None:
    """The workspace's PATCH has its sku under `properties`, unlike its PUT."""
    path = arm.workspace()
    patched = arm(
        "PATCH",
        path,
        {"tags": {"a": "1"}, "properties": {"sku": {"name": "S1"}, "workspaceState": "Disabled"}},
    ).json()
    assert patched["sku"] == {"name": "S1"}
    assert patched["tags"] == {"a": "1"}
    assert arm("GET", path).json()["properties"]["workspaceState"] == "Disabled"
    wrong = arm("PATCH", path, {"properties": {"workspaceState": "Sleeping"}})
    assert wrong.status_code == 400


@pytest.mark.parametrize(
    ("change", "code", "target"),
    [
        ({"ownerEmail": None}, "MissingRequiredProperty", "properties.ownerEmail"),
        ({"userStorageAccountId": None}, "MissingRequiredProperty", "properties.userStorageAccountId"),
        ({"userStorageAccountId": "/none"}, "InvalidStorageAccount", "properties.userStorageAccountId"),
        ({"ownerEmail": 7}, "InvalidRequestContent", "properties.ownerEmail"),
    ],
)
def test_a_wrong_workspace_is_refused(arm: Any, change: dict[str, Any], code: str, target: str) -> None:
    """The answer names the property, and no workspace is left behind, not in the studio either."""
    body = {
        "location": "westeurope",
        "properties": {"ownerEmail": "a@example.org", "userStorageAccountId": arm.account(), **change},
    }
    answer = arm("PUT", "/resourceGroups/rg/providers/Microsoft.MachineLearning/workspaces/ws", body)
    assert answer.status_code == 400
    assert (answer.json()["error"]["code"], answer.json()["error"]["target"]) == (code, target)
    assert arm.store.rows("SELECT * FROM workspaces") == []


def test_resync_storage_keys_succeeds(arm: Any) -> None:
    """The keys are never out of step here, so there is nothing to do."""
    assert arm("POST", f"{arm.workspace()}/resyncStorageKeys").status_code == 200


def test_workspaces_are_listed_by_group_and_by_subscription(arm: Any) -> None:
    """Both lists give whole documents; a list in a group that is not there is an error."""
    arm.workspace(group="one", account="store1")
    arm.workspace(group="two", account="store2")
    kind = "/providers/Microsoft.MachineLearning/workspaces"
    assert len(arm("GET", kind).json()["value"]) == 2
    assert len(arm("GET", f"/resourceGroups/one{kind}").json()["value"]) == 1
    assert arm("GET", f"/resourceGroups/three{kind}").status_code == 404


def test_who_created_a_resource_stays_with_it(arm: Any) -> None:
    """The creator is kept at creation, and an update by another does not take it over."""
    path = f"/subscriptions/{arm.cloud.subscription}/resourceGroups/rg"
    for creator in ("urn:first", "urn:second"):
        headers = {"Authorization": f"Bearer {arm.cloud.arm_token}", "x-local-created-by": creator}
        arm.client.request(
            "PUT", path, params={"api-version": "1"}, headers=headers, json={"location": "eastus"}
        )
    assert arm.raw("GET", path).json()["systemData"]["createdBy"] == "urn:first"


def test_all_of_it_survives_a_restart(arm: Any) -> None:
    """A studio that comes up on the same data answers with the same document and tokens."""
    path = arm.workspace()
    before, tokens = arm("GET", path).json(), _tokens(arm, path)
    arm.restart()
    assert arm("GET", path).json() == before
    assert _tokens(arm, path) == tokens
