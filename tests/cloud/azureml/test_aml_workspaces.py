"""Workspaces, their computes, and what they stand on, as Resource Manager answers for them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from localcloud.arm.types.role_assignments import ROLES
from localcloud.azureml.endpoints.state import DEPLOYMENTS
from localcloud.azureml.registered import OPERATIONS, TYPES
from localcloud.azureml.workspaces import going
from localcloud.azureml.workspaces.quotas import family_and_cores
from localcloud.facilities.cloud import Principal
from localcloud.facilities.long_operations import LongOperations
from localcloud.facilities.store import Store
from tests.arm.conftest import CLOUD, Arm, Client
from tests.cloud.azureml.conftest import GROUP, PROVIDERS, WORKSPACE, followed, stands_on, workspace

AML = {
    "computeType": "AmlCompute",
    "properties": {"vmSize": "STANDARD_DS3_V2", "scaleSettings": {"maxNodeCount": 2}},
}


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_workspace_says_where_its_data_plane_is(arm: Arm) -> None:
    """Nobody signs in for that."""
    made = workspace(arm)
    properties = made["properties"]
    assert uuid.UUID(properties["workspaceId"])
    assert made["identity"]["principalId"]
    assert properties["provisioningState"] == "Succeeded"
    assert properties["mlFlowTrackingUri"].endswith(made["id"])
    found = arm.client.request("GET", properties["discoveryUrl"])
    assert found.json()["api"] == "http://studio.test"


def test_what_it_was_given_stays(arm: Arm) -> None:
    """A second PUT and a PATCH change what they name."""
    before = workspace(arm)
    body = {**before, "properties": {**before["properties"], "friendlyName": "ours"}}
    after = arm("PUT", WORKSPACE, body)
    assert after.status_code == 200
    assert after.json()["properties"]["workspaceId"] == before["properties"]["workspaceId"]
    patched = arm("PATCH", WORKSPACE, {"tags": {"a": "b"}, "properties": {"description": "said"}}).json()
    assert (patched["tags"], patched["properties"]["friendlyName"]) == ({"a": "b"}, "ours")
    assert patched["identity"] == before["identity"]
    listed = arm("GET", f"{PROVIDERS}/Microsoft.MachineLearningServices/workspaces").json()["value"]
    assert listed == [arm("GET", WORKSPACE).json()]


@pytest.mark.parametrize("missing", ["storageAccount", "keyVault", "applicationInsights"])
@pytest.mark.parametrize("wrong", [None, "/subscriptions/s/resourceGroups/rg/providers/x/y/z"])
def test_a_workspace_stands_on_something(arm: Arm, missing: str, wrong: str | None) -> None:
    """What is not named, or not there, is refused by name."""
    properties = {**stands_on(arm), missing: wrong}
    answer = arm("PUT", WORKSPACE, {"location": "westeurope", "properties": properties})
    assert code(answer) == (400, "ValidationError")
    assert missing in answer.json()["error"]["message"]


def test_it_cannot_move_to_another_storage_account(arm: Arm) -> None:
    made = workspace(arm)
    other = arm.account("store2", "rg")
    body = {"location": "westeurope", "properties": {**made["properties"], "storageAccount": other}}
    assert code(arm("PUT", WORKSPACE, body)) == (400, "ValidationError")


def test_what_is_in_it_goes_with_it(arm: Arm) -> None:
    workspace(arm)
    compute = f"{WORKSPACE}/computes/cpu"
    assert arm("PUT", compute, {"location": "westeurope", "properties": AML}).status_code == 201
    assert arm("DELETE", WORKSPACE).status_code == 202
    assert arm("DELETE", WORKSPACE).status_code == 204
    workspace(arm)
    assert arm("GET", compute).status_code == 404


def test_creations_and_deletions_go_on_after_their_answer(arm: Arm) -> None:
    """202 for a workspace, 201 for a compute, with both addresses and no Retry-After; `Creating` until it is over."""
    compute = f"{WORKSPACE}/computes/cpu"
    for place, sent, status, what in (
        (WORKSPACE, _declared(arm), 202, "workspaceOperationsStatus"),
        (compute, {"location": "westeurope", "properties": AML}, 201, "computeOperationsStatus"),
    ):
        answer = arm("PUT", place, sent)
        assert (answer.status_code, "retry-after" in answer.headers) == (status, False)
        assert f"/locations/westeurope/{what}/" in answer.headers["Azure-AsyncOperation"]
        assert answer.json()["properties"]["provisioningState"] == "Creating"
        assert arm("GET", place).json()["properties"]["provisioningState"] == "Creating"
        again = arm("PUT", place, sent)
        assert again.status_code == 200
        assert _ends(followed(arm, answer)) == ("InProgress", "Succeeded")
        assert arm("GET", place).json()["properties"]["provisioningState"] == "Succeeded"
    gone = arm("DELETE", compute, underlyingResourceAction="Delete")
    assert arm("GET", compute).status_code == 404
    assert _ends(_location(arm, gone)) == (202, 200)
    gone = arm("DELETE", WORKSPACE)
    assert _ends(followed(arm, gone)) == ("InProgress", "Succeeded")
    elsewhere = arm.raw("GET", f"{httpx.URL(gone.headers['Location']).path.rpartition('/')[0]}/none")
    assert code(elsewhere) == (404, "NotFound")


def _ends(said: list[Any]) -> tuple[Any, Any]:
    return said[0], said[-1]


def _declared(arm: Arm) -> dict[str, Any]:
    return {"location": "westeurope", "identity": {"type": "SystemAssigned"}, "properties": stands_on(arm)}


def _location(arm: Arm, answer: httpx.Response) -> list[int]:
    """What the second of an operation's addresses answers until it is over."""
    said: list[int] = []
    while not said or said[-1] == 202:
        said.append(arm.raw("GET", httpx.URL(answer.headers["Location"]).path).status_code)
    return said


def test_a_killed_server_goes_on_with_them(arm: Arm) -> None:
    """The operation ends with the next start."""
    path = httpx.URL(arm("PUT", WORKSPACE, _declared(arm)).headers["Location"]).path

    async def start_again() -> bool:
        operations = LongOperations(arm.store, arm.cloud.subscription)
        going.resume(operations)
        await operations.settle()
        found = operations.find("westeurope", path.rpartition("/")[2])
        return found is not None and found.status == "Succeeded"

    assert asyncio.run(start_again())


def test_a_compute_scales_and_keeps_its_size(arm: Arm) -> None:
    workspace(arm)
    compute = f"{WORKSPACE}/computes/cpu"
    body = {"location": "westeurope", "properties": AML}
    assert arm("PUT", compute, body).status_code == 201
    assert arm("PUT", compute, body).status_code == 200
    scale = {"properties": {"properties": {"scaleSettings": {"maxNodeCount": 5}}}}
    own = arm("PATCH", compute, scale).json()["properties"]["properties"]
    assert (own["scaleSettings"]["maxNodeCount"], own["scaleSettings"]["minNodeCount"]) == (5, 0)
    larger = {**AML, "properties": {**AML["properties"], "vmSize": "STANDARD_DS4_V2"}}
    assert code(arm("PUT", compute, {**body, "properties": larger})) == (400, "ComputeUpdateNotSupported")
    assert [one["name"] for one in arm("GET", f"{WORKSPACE}/computes").json()["value"]] == ["cpu"]
    assert code(arm("DELETE", compute)) == (400, "ValidationError")
    assert arm("DELETE", compute, underlyingResourceAction="Delete").status_code == 202
    assert arm("DELETE", compute, underlyingResourceAction="Delete").status_code == 204


@pytest.mark.parametrize(
    "change",
    [
        {"computeType": "Kubernetes"},
        {"properties": {"scaleSettings": {"maxNodeCount": 2}}},
        {"properties": {"vmSize": "x", "scaleSettings": {"maxNodeCount": 1, "minNodeCount": 2}}},
        {"properties": {"vmSize": "x"}},
    ],
)
def test_a_compute_that_cannot_be(arm: Arm, change: dict[str, Any]) -> None:
    workspace(arm)
    body = {"location": "westeurope", "properties": {**AML, **change}}
    assert code(arm("PUT", f"{WORKSPACE}/computes/cpu", body)) == (400, "ValidationError")


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("Microsoft.KeyVault/vaults/1kv", "InvalidResourceName"),
        ("Microsoft.KeyVault/vaults/k--v", "InvalidResourceName"),
        ("Microsoft.KeyVault/vaults/kv-two", "InvalidRequestPropertyValue"),
        ("Microsoft.ContainerRegistry/registries/acr", "InvalidResourceName"),
        ("Microsoft.ContainerRegistry/registries/acrtwo", "InvalidRequestPropertyValue"),
        ("Microsoft.Insights/components/appi", "InvalidRequestPropertyValue"),
        ("Microsoft.MachineLearningServices/workspaces/ml", "ValidationError"),
    ],
)
def test_names_and_needs_of_what_it_stands_on(arm: Arm, place: str, expected: str) -> None:
    arm.group("rg")
    assert code(arm("PUT", f"{PROVIDERS}/{place}", {"location": "westeurope"})) == (400, expected)


def test_a_vaults_name_is_one_in_the_whole_cloud(arm: Arm) -> None:
    stands_on(arm)
    arm.group("other")
    body = {
        "location": "westeurope",
        "properties": {"tenantId": "t", "sku": {"family": "A", "name": "standard"}},
    }
    place = "/resourceGroups/other/providers/Microsoft.KeyVault/vaults/KV-one"
    assert code(arm("PUT", place, body)) == (409, "AlreadyInUse")


@pytest.mark.parametrize("scope", ["", GROUP, f"{PROVIDERS}/Microsoft.Storage/storageAccounts/store1"])
def test_a_role_is_given_once_and_taken_back(arm: Arm, scope: str) -> None:
    arm.account("store1", "rg")
    role = f"/subscriptions/{arm.cloud.subscription}/providers/Microsoft.Authorization/roleDefinitions/{ROLES['AcrPull']}"
    body = {"properties": {"roleDefinitionId": role, "principalId": str(uuid.uuid4())}}
    every = f"{scope}/providers/Microsoft.Authorization/roleAssignments"
    one, other = f"{every}/{uuid.uuid4()}", f"{every}/{uuid.uuid4()}"
    first, again = (arm("PUT", one, body) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert code(arm("PUT", other, body)) == (409, "RoleAssignmentExists")
    assert len(arm("GET", every).json()["value"]) == 1
    moved = {"properties": {**body["properties"], "principalId": str(uuid.uuid4())}}
    assert code(arm("PUT", one, moved)) == (400, "RoleAssignmentUpdateNotPermitted")
    assert arm("DELETE", one).status_code == 200
    assert arm("DELETE", one).status_code == 204
    assert code(arm("GET", one)) == (404, "ResourceNotFound")


def test_roles_are_found_by_name(arm: Arm) -> None:
    definitions = "/providers/Microsoft.Authorization/roleDefinitions"
    found = arm("GET", definitions, **{"$filter": "roleName eq 'Reader'"}).json()["value"]
    assert [one["name"] for one in found] == [ROLES["Reader"]]
    assert arm("GET", f"{definitions}/{ROLES['Owner']}").json()["properties"]["roleName"] == "Owner"
    unknown = {"roleDefinitionId": f"/x/{uuid.uuid4()}", "principalId": "p"}
    place = f"/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    assert code(arm("PUT", place, {"properties": unknown})) == (400, "RoleDefinitionDoesNotExist")


@pytest.mark.parametrize("scope", ["", GROUP, f"{PROVIDERS}/Microsoft.Storage/storageAccounts/store1"])
def test_what_the_caller_may_do_is_said_at_each_scope(tmp_path: Path, scope: str) -> None:
    """All for the owner, reading for a reader; of what is not there nothing is said."""
    cloud = replace(CLOUD, signs_in=(Principal("reader", client_id="r", token="the reader's"),))
    store = Store(tmp_path)
    arm = Arm(Client(store, TYPES, OPERATIONS, cloud=cloud), store)
    arm.account("store1", "rg")
    path = f"/subscriptions/{CLOUD.subscription}{scope}/providers/Microsoft.Authorization/permissions"
    actions = [
        arm.client.request(
            "GET", path, params={"api-version": "2022-04-01"}, headers={"Authorization": f"Bearer {token}"}
        ).json()["value"][0]["actions"]
        for token in (CLOUD.arm_token, "the reader's")
    ]
    assert actions == [["*"], ["*/read"]]
    assert arm("GET", f"{GROUP}none/providers/Microsoft.Authorization/permissions").status_code == 404
    arm.close()


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("Standard_DS3_v2", ("DSv2", 4)),
        ("STANDARD_D14_V2", ("Dv2", 16)),
        ("Standard_D4s_v3", ("DSv3", 4)),
        ("Standard_E8as_v4", ("EASv4", 8)),
        ("Standard_F4s_v2", ("FSv2", 4)),
        ("Standard_NC6", ("NC", 6)),
        ("odd", ("odd", 1)),
    ],
)
def test_a_size_has_a_family_and_cores(size: str, expected: tuple[str, int]) -> None:
    assert family_and_cores(size) == expected


def test_quotas_of_a_region_say_how_much_of_them_is_used(arm: Arm) -> None:
    """Clusters are counted, those at rest without cores; deployments by their instances, of this region only."""
    workspace(arm)
    arm("PUT", f"{WORKSPACE}/computes/cpu", {"location": "westeurope", "properties": AML})
    deployments = f"/subscriptions/{arm.cloud.subscription}{WORKSPACE}/onlineEndpoints/one/deployments"
    for name, location, capacity in (("a", "westeurope", 3), ("b", "northeurope", 5)):
        properties = {"instanceType": "Standard_DS3_v2"}
        document = {"type": DEPLOYMENTS, "location": location, "sku": {"capacity": capacity}}
        arm.store.arm_put(f"{deployments}/{name}", {**document, "properties": properties})
    place = "/providers/Microsoft.MachineLearningServices/locations/West Europe"
    used = {
        one["name"]["value"]: (one["currentValue"], one["limit"])
        for one in arm("GET", f"{place}/usages").json()["value"]
    }
    assert used["Clusters"] == (1, 200)
    assert used["Total Cluster Dedicated Regional vCPUs"] == (12, 100)
    assert used["Standard DSv2 Family Cluster Dedicated vCPUs"] == (12, 100)
    assert used["Standard FSv2 Family Cluster Dedicated vCPUs"] == (0, 100)
    quotas = arm("GET", f"{place}/quotas").json()["value"]
    assert {one["limit"] for one in quotas} == {100}
    assert "Standard DSv2 Family Cluster Dedicated vCPUs" in [one["name"]["localizedValue"] for one in quotas]


@pytest.fixture
def keeping(tmp_path: Path) -> Iterator[Arm]:
    """A side that keeps the names of what is deleted."""
    store, cloud = Store(tmp_path / "keeping"), replace(CLOUD, soft_delete=True)
    side = Arm(Client(store, TYPES, OPERATIONS, cloud=cloud), store, cloud)
    yield side
    side.close()


def test_a_deleted_workspace_keeps_its_name(keeping: Arm) -> None:
    """Until it is purged; a purge of one that is there is at once for good. Its group takes it along."""
    workspace(keeping)
    followed(keeping, keeping("DELETE", WORKSPACE))
    assert keeping("GET", WORKSPACE).status_code == 404
    assert keeping("DELETE", WORKSPACE).status_code == 204
    refused = keeping("PUT", WORKSPACE, _declared(keeping))
    assert code(refused) == (400, "BadRequest")
    assert refused.json()["error"]["message"].startswith("Soft-deleted workspace exists.")
    assert keeping("DELETE", WORKSPACE, forceToPurge="true").status_code == 200
    workspace(keeping)
    followed(keeping, keeping("DELETE", WORKSPACE, forceToPurge="true"))
    workspace(keeping)
    keeping("DELETE", WORKSPACE)
    assert keeping("DELETE", GROUP).is_success
    assert [one for one in keeping.store.arm_list("/subscriptions/") if "/resourceGroups/" in one["id"]] == []


VAULT = f"{PROVIDERS}/Microsoft.KeyVault/vaults/kv-one"
DELETED = "/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv-one"


@pytest.mark.parametrize("place", [VAULT, GROUP])
def test_a_deleted_vault_keeps_its_name(keeping: Arm, place: str) -> None:
    """Whoever deleted it, until it is purged or recovered with what it had."""
    stands_on(keeping)
    before = keeping("GET", VAULT).json()
    body = {"location": "westeurope", "properties": before["properties"]}
    assert code(keeping("GET", DELETED)) == (404, "DeletedVaultNotFound")
    assert keeping("DELETE", place).is_success
    keeping.group()
    assert keeping("GET", DELETED).json()["properties"]["vaultId"] == before["id"]
    listed = keeping("GET", "/providers/Microsoft.KeyVault/deletedVaults").json()["value"]
    assert [one["name"] for one in listed] == ["kv-one"]
    assert code(keeping("PUT", VAULT, body)) == (409, "ConflictError")
    recovered = keeping("PUT", VAULT, {"location": "westeurope", "properties": {"createMode": "recover"}})
    assert recovered.json()["properties"] == before["properties"]
    assert keeping("DELETE", VAULT).is_success
    assert keeping("POST", f"{DELETED}/purge").status_code == 200
    assert code(keeping("PUT", VAULT, {**body, "properties": {"createMode": "recover"}})) == (
        404,
        "VaultNotFound",
    )
    assert keeping("PUT", VAULT, body).is_success


def test_without_that_a_name_is_free_again(arm: Arm) -> None:
    """As the local cloud is unless told otherwise."""
    workspace(arm)
    for place in (WORKSPACE, VAULT):
        assert arm("DELETE", place).is_success
    workspace(arm)
