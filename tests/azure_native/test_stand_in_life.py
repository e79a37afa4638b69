"""Create, update, read and delete: what is called, and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest

from localcloud.azure_native.wire import UNKNOWN, Secret

GROUP, ACCOUNT, WORKSPACE = "resources:ResourceGroup", "storage:StorageAccount", "machinelearning:Workspace"
_ACCOUNT = {"resourceGroupName": "rg", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}


@pytest.fixture
def built(engine: Any, urn: Callable[..., str]) -> dict[str, Any]:
    """A group, an account and a workspace: per kind, (id, inputs, outputs)."""
    group = engine.make(urn(GROUP), resourceGroupName="rg", tags={"owner": "team"})
    account = engine.make(urn(ACCOUNT), **_ACCOUNT)
    workspace = engine.make(
        urn(WORKSPACE),
        resourceGroupName="rg",
        workspaceName="ws",
        ownerEmail="owner@example.org",
        userStorageAccountId=account[0],
    )
    return {GROUP: group, ACCOUNT: account, WORKSPACE: workspace}


def test_outputs_are_flat_as_azure_natives(built: dict[str, Any]) -> None:
    """`properties.*` of ARM's document is at the top, under the SDK's names, with the API version used."""
    _, _, group = built[GROUP]
    assert group == {
        "name": "rg",
        "type": "Microsoft.Resources/resourceGroups",
        "location": "westeurope",
        "tags": {"owner": "team"},
        "properties": {"provisioningState": "Succeeded"},
        "azureApiVersion": "2024-03-01",
    }
    id_, inputs, account = built[ACCOUNT]
    assert id_.endswith(f"/providers/Microsoft.Storage/storageAccounts/{inputs['accountName']}")
    assert account["primaryEndpoints"] == {"blob": "http://127.0.0.1:10001/retrainlocal/"}
    assert account["enableHttpsTrafficOnly"] is True
    assert account["networkRuleSet"]["defaultAction"] == "Allow"
    assert account["provisioningState"] == "Succeeded"
    assert not {"id", "supportsHttpsTrafficOnly", "resourceGroupName"} & account.keys()
    _, _, workspace = built[WORKSPACE]
    assert len(workspace["workspaceId"]) == 32
    assert workspace["workspaceState"] == "Enabled"
    assert workspace["type"] == "Microsoft.MachineLearning/workspaces"


def test_a_preview_calls_nothing_and_knows_its_inputs(
    engine: Any, cloud: Any, urn: Callable[..., str]
) -> None:
    """Create in preview gives the inputs, and unknown for what only ARM sets; nothing is created."""
    inputs, _ = engine.check(urn(WORKSPACE), {"resourceGroupName": UNKNOWN, "ownerEmail": "a@example.org"})
    id_, outputs = engine.create(urn(WORKSPACE), inputs, preview=True)
    assert id_ == ""
    assert outputs["ownerEmail"] == "a@example.org"
    assert outputs["workspaceId"] is UNKNOWN
    assert outputs["userStorageAccountId"] is UNKNOWN
    assert cloud.kept() == []


def test_a_preview_works_without_the_studio(
    engine: Any, cloud: Any, urn: Callable[..., str], built: dict[str, Any]
) -> None:
    """Update in preview keeps name and location, which never change, and touches nothing."""
    id_, inputs, outputs = built[WORKSPACE]
    news = {**inputs, "tags": {"a": "1"}}
    shown = engine.update(urn(WORKSPACE), id_, outputs, news, preview=True)
    assert (shown["name"], shown["location"], shown["tags"]) == ("ws", "westeurope", {"a": "1"})
    assert shown["workspaceId"] is UNKNOWN
    assert engine.read(urn(WORKSPACE), id_, outputs, inputs) == (id_, outputs, inputs)


def test_an_update_changes_in_place(engine: Any, urn: Callable[..., str], built: dict[str, Any]) -> None:
    """Tags change, and the workspace keeps its id and its tokens."""
    id_, inputs, outputs = built[WORKSPACE]
    asked = {"resourceGroupName": "rg", "workspaceName": "ws"}
    tokens = engine.invoke("azure-native:machinelearning:listWorkspaceKeys", asked)
    after = engine.update(urn(WORKSPACE), id_, outputs, {**inputs, "tags": {"a": "1"}})
    assert after == {**outputs, "tags": {"a": "1"}}
    assert engine.invoke("azure-native:machinelearning:listWorkspaceKeys", asked) == tokens


def test_secret_inputs_are_secret_outputs(
    engine: Any, cloud: Any, urn: Callable[..., str], built: dict[str, Any]
) -> None:
    """A value that went in secret comes out secret, on update and on read; ARM gets the value itself."""
    id_, inputs, outputs = built[WORKSPACE]
    news = {**inputs, "ownerEmail": Secret("x@example.org"), "tags": {"a": "1", "b": Secret("2")}}
    after = engine.update(urn(WORKSPACE), id_, outputs, news)
    assert after["ownerEmail"] == Secret("x@example.org")
    assert after["tags"] == {"a": "1", "b": Secret("2")}
    assert cloud.store.arm_get(id_)["tags"] == {"a": "1", "b": "2"}
    assert engine.read(urn(WORKSPACE), id_, after, news) == (id_, after, news)


def test_refresh_shows_drift_in_the_inputs(
    engine: Any, cloud: Any, urn: Callable[..., str], built: dict[str, Any]
) -> None:
    """What was changed behind our back is in the inputs that Read gives; ARM's defaults are not."""
    id_, inputs, outputs = built[GROUP]
    cloud.arm("PATCH", "/resourcegroups/RG", {"tags": {"owner": "intruder", "x": "y"}})
    _, after, drifted = engine.read(urn(GROUP), id_, outputs, inputs)
    assert after["tags"] == {"owner": "intruder", "x": "y"}
    assert drifted == {**inputs, "tags": {"owner": "intruder", "x": "y"}}
    diff = engine.diff(urn(GROUP), drifted, inputs, after)
    assert sorted(diff.detailedDiff) == ["tags.owner", "tags.x"]

    id_, inputs, outputs = built[ACCOUNT]
    path = id_.split("/", 3)[3]
    cloud.arm("PATCH", f"/{path}", {"properties": {"accessTier": "Cool"}})
    _, _, drifted = engine.read(urn(ACCOUNT), id_, outputs, inputs)
    assert drifted == {**inputs, "accessTier": "Cool"}


def test_removed_tags_are_drift_too(
    engine: Any, cloud: Any, urn: Callable[..., str], built: dict[str, Any]
) -> None:
    """Tags that somebody took away are missing from the inputs afterwards."""
    id_, inputs, outputs = built[GROUP]
    cloud.arm("PATCH", "/resourceGroups/rg", {"tags": {}})
    _, _, drifted = engine.read(urn(GROUP), id_, outputs, inputs)
    assert drifted["tags"] == {}


def test_a_resource_that_is_gone_has_no_id(
    engine: Any, cloud: Any, urn: Callable[..., str], built: dict[str, Any]
) -> None:
    """Read gives an empty id for what is gone, also where the whole group is."""
    cloud.arm("DELETE", "/resourceGroups/rg")
    for kind, (id_, inputs, outputs) in built.items():
        assert engine.read(urn(kind), id_, outputs, inputs)[0] == ""


def test_read_without_inputs_gives_those_that_would_declare_it(
    engine: Any, urn: Callable[..., str], built: dict[str, Any]
) -> None:
    """An import finds the inputs in the id and in the document."""
    id_, _, _ = built[WORKSPACE]
    found, _, inputs = engine.read(urn(WORKSPACE), id_)
    assert found == id_
    assert inputs["resourceGroupName"] == "rg"
    assert inputs["workspaceName"] == "ws"
    assert inputs["userStorageAccountId"] == built[ACCOUNT][0]
    assert not {"workspaceId", "subscriptionId", "creationTime"} & inputs.keys()


def test_deleting_what_is_gone_succeeds(
    engine: Any, cloud: Any, urn: Callable[..., str], built: dict[str, Any]
) -> None:
    """Delete takes them all away, and again is no error, even when the group went first."""
    cloud.arm("DELETE", "/resourceGroups/rg")
    for _ in range(2):
        for kind in (WORKSPACE, ACCOUNT, GROUP):
            engine.delete(urn(kind), built[kind][0])
    assert cloud.kept() == []


def test_what_another_created_is_not_taken_over(
    engine: Any, urn: Callable[..., str], built: dict[str, Any]
) -> None:
    """As on Azure, creating what exists is an error; the remedy says how to adopt it."""
    _, inputs, _ = built[GROUP]
    with pytest.raises(grpc.RpcError) as caught:
        engine.create(urn(GROUP, stack="other"), inputs)
    cause, remedy = caught.value.details().splitlines()
    assert cause.startswith("cannot create already existing resource '/subscriptions/")
    assert remedy.startswith("remedy: choose another resourceGroupName, or adopt it")


def test_a_create_that_lost_its_record_goes_on(
    engine: Any, cloud: Any, urn: Callable[..., str], built: dict[str, Any]
) -> None:
    """A run that was killed between PUT and its record creates again, and finds its own resource."""
    id_, inputs, outputs = built[WORKSPACE]
    assert engine.create(urn(WORKSPACE), inputs) == (id_, outputs)
    assert len(cloud.kept()) == 3


def test_an_unknown_never_reaches_arm(
    engine: Any, cloud: Any, urn: Callable[..., str], built: dict[str, Any]
) -> None:
    """A real create with an unknown input is refused."""
    inputs = {**built[WORKSPACE][1], "workspaceName": "second", "ownerEmail": UNKNOWN}
    with pytest.raises(grpc.RpcError, match="still unknown"):
        engine.create(urn(WORKSPACE), inputs)
    assert len(cloud.kept()) == 3
