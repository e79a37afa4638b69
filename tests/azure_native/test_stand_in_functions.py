"""Functions (invokes) that programs call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest

from localcloud.azure_native.wire import UNKNOWN, Secret

GROUP, ACCOUNT, WORKSPACE = "resources:ResourceGroup", "storage:StorageAccount", "machinelearning:Workspace"
_NAMES = {"resourceGroupName": "rg", "workspaceName": "ws"}


@pytest.fixture
def workspace(engine: Any, urn: Callable[..., str]) -> dict[str, Any]:
    """The outputs of a workspace that is there."""
    engine.make(urn(GROUP), resourceGroupName="rg")
    account, _, _ = engine.make(
        urn(ACCOUNT),
        resourceGroupName="rg",
        accountName="store1",
        kind="StorageV2",
        sku={"name": "Standard_LRS"},
    )
    _, _, outputs = engine.make(
        urn(WORKSPACE), **_NAMES, ownerEmail="owner@example.org", userStorageAccountId=account
    )
    found: dict[str, Any] = outputs
    return found


def test_keys_are_answered_as_secrets(engine: Any, cloud: Any, workspace: dict[str, Any]) -> None:
    """Workspace tokens and storage keys come marked secret, so that Pulumi encrypts them."""
    kept = cloud.store.workspace(workspace["workspaceId"])
    assert engine.invoke("azure-native:machinelearning:listWorkspaceKeys", _NAMES) == {
        "primaryToken": Secret(kept.primary_token),
        "secondaryToken": Secret(kept.secondary_token),
    }
    keys = engine.invoke(
        "azure-native:storage:listStorageAccountKeys", {"resourceGroupName": "rg", "accountName": "store1"}
    )["keys"]
    assert isinstance(keys, Secret)
    assert [key["value"] for key in keys.value] == ["a2V5", "a2V5"]


def test_getters_give_what_resources_have_and_the_id(engine: Any, workspace: dict[str, Any]) -> None:
    """`getWorkspace` answers the resource's outputs and its id."""
    answer = engine.invoke("azure-native:machinelearning:getWorkspace", _NAMES)
    assert answer.pop("id").endswith("/workspaces/ws")
    assert answer == workspace
    group = engine.invoke("azure-native:resources:getResourceGroup", {"resourceGroupName": "RG"})
    assert group["name"] == "rg"


def test_the_client_configuration_names_the_local_subscription(engine: Any, cloud: Any) -> None:
    """`getClientConfig` has the cloud's subscription, and ids that stay the same."""
    answer = engine.invoke("azure-native:authorization:getClientConfig", {})
    assert answer["subscriptionId"] in cloud.cloud_file.read_text()
    assert len({*answer.values()}) == 4
    assert engine.invoke("azure-native:authorization:getClientConfig", {}) == answer


def test_unknown_arguments_give_unknown_answers(engine: Any) -> None:
    """In a preview of what is not there yet, nothing is called."""
    asked = {**_NAMES, "resourceGroupName": UNKNOWN}
    answer = engine.invoke("azure-native:machinelearning:listWorkspaceKeys", asked)
    assert answer == {"primaryToken": UNKNOWN, "secondaryToken": UNKNOWN}


def test_arms_refusal_is_one_line_with_its_code(engine: Any) -> None:
    """ARM's code and message are the cause, and there is a remedy."""
    with pytest.raises(grpc.RpcError) as caught:
        engine.invoke("azure-native:machinelearning:getWorkspace", _NAMES)
    cause, remedy = caught.value.details().splitlines()
    assert cause.startswith("ResourceGroupNotFound: Resource group 'rg' could not be found. (request ")
    assert remedy.startswith("remedy: ./dev refresh")


def test_a_function_that_is_not_there_is_named(engine: Any) -> None:
    """An unknown function is told what there is."""
    with pytest.raises(grpc.RpcError, match="the local cloud has no function azure-native:web:getWebApp"):
        engine.invoke("azure-native:web:getWebApp", {})
