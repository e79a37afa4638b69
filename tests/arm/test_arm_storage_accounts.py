"""Storage accounts: each declared account is the one blob store."""

from __future__ import annotations

from typing import Any

import pytest

_BODY = {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
_PATH = "/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts"


def test_an_account_has_the_blob_store_behind_it(arm: Any) -> None:
    """Its endpoint and its keys are the blob store's own, so that clients find data there."""
    arm.account()
    account = arm("GET", f"{_PATH}/store1").json()
    assert account["properties"]["primaryEndpoints"]["blob"] == f"{arm.cloud.blob}/"
    assert account["properties"]["provisioningState"] == "Succeeded"
    assert account["sku"] == {"name": "Standard_LRS", "tier": "Standard"}
    assert arm.cloud.account_key not in str(account)
    keys = arm("POST", f"{_PATH}/store1/listKeys").json()["keys"]
    assert [key["keyName"] for key in keys] == ["key1", "key2"]
    assert {key["value"] for key in keys} == {arm.cloud.account_key}


@pytest.mark.parametrize("name", ["ab", "a" * 25, "with-dash", "Upper", "under_score", "ümlaut"])
def test_names_keep_to_the_rules(arm: Any, name: str) -> None:
    """Account names are 3 to 24 lower-case letters and digits."""
    arm.group()
    answer = arm("PUT", f"{_PATH}/{name}", _BODY)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "AccountNameInvalid"
    assert answer.json()["error"]["details"][0]["code"] == "AccountNameInvalid"


@pytest.mark.parametrize(
    ("change", "target"),
    [
        ({"sku": None}, "sku.name"),
        ({"sku": {"name": "Cheap"}}, "sku.name"),
        ({"sku": {}}, "sku.name"),
        ({"sku": "Standard_LRS"}, "sku"),
        ({"kind": None}, "kind"),
        ({"kind": "Disk"}, "kind"),
        ({"properties": "none"}, "properties"),
    ],
)
def test_a_wrong_account_is_refused(arm: Any, change: dict[str, Any], target: str) -> None:
    """The answer names the property that is wrong, and nothing is kept."""
    arm.group()
    answer = arm("PUT", f"{_PATH}/store1", {**_BODY, **change})
    assert answer.status_code == 400
    assert answer.json()["error"]["target"] == target
    assert arm("GET", _PATH).json()["value"] == []


def test_names_are_unique_in_the_cloud(arm: Any) -> None:
    """A name that another group has is taken."""
    arm.account("store1", "one")
    arm.group("two")
    answer = arm("PUT", "/resourceGroups/two/providers/Microsoft.Storage/storageAccounts/store1", _BODY)
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "StorageAccountAlreadyTaken"


def test_an_account_needs_its_group(arm: Any) -> None:
    """Nothing is created in a group that is not there."""
    answer = arm("PUT", f"{_PATH}/store1", _BODY)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "ResourceGroupNotFound"


def test_patch_keeps_what_it_does_not_name(arm: Any) -> None:
    """PATCH merges settings, PUT replaces them."""
    arm.account()
    path = f"{_PATH}/store1"
    arm(
        "PUT", path, {**_BODY, "properties": {"accessTier": "Cool", "isHnsEnabled": True}, "tags": {"a": "1"}}
    )
    patched = arm("PATCH", path, {"properties": {"minimumTlsVersion": "TLS1_2"}}).json()
    assert patched["properties"]["accessTier"] == "Cool"
    assert patched["tags"] == {"a": "1"}
    replaced = arm("PUT", path, _BODY).json()
    assert replaced["properties"]["accessTier"] == "Hot"
    assert "isHnsEnabled" not in replaced["properties"]
    assert replaced["tags"] == {}
    assert replaced["properties"]["creationTime"] == patched["properties"]["creationTime"]


def test_an_account_does_not_move(arm: Any) -> None:
    """Another location for an existing account is a conflict."""
    arm.account()
    answer = arm("PUT", f"{_PATH}/store1", {**_BODY, "location": "eastus"})
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "InvalidResourceLocation"


def test_deleting_twice_is_no_error(arm: Any) -> None:
    """The first DELETE is 200, the second 204."""
    arm.account()
    assert arm("DELETE", f"{_PATH}/store1").status_code == 200
    assert arm("DELETE", f"{_PATH}/store1").status_code == 204
    assert arm("GET", f"{_PATH}/store1").json()["error"]["code"] == "ResourceNotFound"
