"""Resource groups: their life, and that what they hold goes with them."""

from __future__ import annotations

from typing import Any

import pytest


def test_a_group_lives_from_put_to_delete(arm: Any) -> None:
    """PUT creates with 201 and updates with 200, GET and HEAD find it, DELETE ends it."""
    created = arm("PUT", "/resourceGroups/rg", {"location": "West Europe", "tags": {"a": "1"}})
    assert created.status_code == 201
    assert created.json()["location"] == "westeurope"
    assert created.json()["properties"] == {"provisioningState": "Succeeded"}
    assert arm("PUT", "/resourceGroups/rg", {"location": "westeurope"}).status_code == 200
    assert arm("GET", "/resourceGroups/rg").json()["tags"] == {}
    assert arm("HEAD", "/resourceGroups/rg").status_code == 204
    assert [one["name"] for one in arm("GET", "/resourceGroups").json()["value"]] == ["rg"]
    assert arm("DELETE", "/resourceGroups/rg").status_code == 200
    assert arm("HEAD", "/resourceGroups/rg").status_code == 404
    assert arm("GET", "/resourceGroups/rg").json()["error"]["code"] == "ResourceGroupNotFound"
    assert arm("DELETE", "/resourceGroups/rg").status_code == 404


def test_patch_changes_tags_only(arm: Any) -> None:
    """PATCH replaces the tags and leaves the place alone."""
    arm.group()
    assert arm("PATCH", "/resourceGroups/rg", {"tags": {"b": "2"}}).json()["tags"] == {"b": "2"}
    assert arm("GET", "/resourceGroups/rg").json()["location"] == "westeurope"


def test_a_group_does_not_move(arm: Any) -> None:
    """Another location for an existing group is a conflict, and the group stays as it was."""
    arm.group()
    answer = arm("PUT", "/resourceGroups/rg", {"location": "eastus", "tags": {"x": "y"}})
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "InvalidResourceGroupLocation"
    assert arm("GET", "/resourceGroups/rg").json()["tags"] == {}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "LocationRequired"),
        ({"location": " "}, "LocationRequired"),
        ({"location": 5}, "InvalidRequestContent"),
        ({"location": "Mars"}, "LocationNotAvailableForResourceGroup"),
        ({"location": "eastus", "tags": {"a": 1}}, "InvalidRequestContent"),
        ({"location": "eastus", "tags": []}, "InvalidRequestContent"),
        ({"location": "eastus", "tags": {str(n): "" for n in range(51)}}, "TagsLimitExceeded"),
    ],
)
def test_a_wrong_group_is_refused(arm: Any, body: dict[str, Any], code: str) -> None:
    """Each mistake in the body has its own code, and nothing is kept."""
    answer = arm("PUT", "/resourceGroups/rg", body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code
    assert arm("GET", "/resourceGroups").json()["value"] == []


@pytest.mark.parametrize("name", ["ends.", "has space", "a" * 91, "a*b"])
def test_a_wrong_group_name_is_refused(arm: Any, name: str) -> None:
    """Names keep to ARM's rules."""
    answer = arm("PUT", f"/resourceGroups/{name}", {"location": "eastus"})
    assert answer.json()["error"]["code"] == "InvalidResourceGroupName"


def test_deleting_a_group_deletes_what_it_holds_and_nothing_else(arm: Any) -> None:
    """Account, workspace and the classic workspace behind it go; a group whose name only begins alike stays."""
    first = arm.workspace(group="team", account="store1")
    second = arm.workspace(group="team2", account="store2")
    ids = [arm("GET", path).json()["properties"]["workspaceId"] for path in (first, second)]
    assert arm("DELETE", "/resourceGroups/TEAM").status_code == 200
    assert arm("GET", first).status_code == 404
    assert arm("GET", second).status_code == 200
    assert [arm.store.workspace(one) is not None for one in ids] == [False, True]
    left = arm("GET", "/providers/Microsoft.Storage/storageAccounts").json()["value"]
    assert [account["name"] for account in left] == ["store2"]
