"""Datastores: the two that each workspace has, and those that are registered. All are blobs of the local account."""

from __future__ import annotations

import asyncio
import re

from localcloud.arm.operation import Answer, Call, Operation, created_by, section, text
from localcloud.azureml.assets.blobs import Place, make_container, signed
from localcloud.azureml.assets.places import BLOB_STORE, Document, Workspace
from localcloud.azureml.assets.workspace import PATH, TYPE, not_found, page, refused, workspace_of

_NAME = re.compile(r"[a-z0-9_]{1,255}")
_ONCE = ("datastoreType", "accountName", "containerName", "endpoint", "protocol")
_HOURS = 1.0


def built_in(workspace: Workspace, name: str) -> Document:
    """A datastore that the workspace has from its creation."""
    scope = workspace.id.split("/")
    return {
        "id": f"{workspace.id}/datastores/{name}",
        "name": name,
        "type": f"{TYPE}/datastores",
        "systemData": workspace.document.get("systemData", {}),
        "properties": {
            "datastoreType": "AzureBlob",
            "accountName": workspace.cloud.account,
            "containerName": workspace.built_in[name],
            "endpoint": "core.windows.net",
            "protocol": "https",
            "credentials": {"credentialsType": "AccountKey"},
            "serviceDataAccessAuthIdentity": "None",
            "isDefault": name == BLOB_STORE,
            "subscriptionId": scope[2],
            "resourceGroup": scope[4],
            "description": None,
            "tags": {},
            "properties": {},
        },
    }


def find(workspace: Workspace, name: str) -> Document:
    """A datastore. Raises ArmError."""
    if name.lower() in workspace.built_in:
        return built_in(workspace, name.lower())
    found = workspace.store.arm_get(f"{workspace.id}/datastores/{name}")
    if found is None:
        raise not_found("datastore", name)
    return found


def _get(call: Call) -> Answer:
    """Get one; never with its secrets."""
    return Answer(200, find(workspace_of(call), call.path["name"]))


def _list(call: Call) -> Answer:
    """List them."""
    workspace = workspace_of(call)
    found = [built_in(workspace, name) for name in workspace.built_in]
    found += workspace.store.arm_list(f"{workspace.id}/datastores/")
    if default := call.query.get("isDefault"):
        found = [one for one in found if one["properties"]["isDefault"] == (default.lower() == "true")]
    return page(call, found)


def _put(call: Call) -> Answer:
    """Register one of blobs; what its credentials say is not kept: all accounts are the local one."""
    workspace, name = workspace_of(call), call.path["name"]
    if name.lower() in workspace.built_in:
        raise refused(f"The datastore '{name}' is the workspace's own and cannot be changed.", "name")
    if not _NAME.fullmatch(name):
        raise refused(f"'{name}' is no name of a datastore: lower-case letters, digits and _.", "name")
    given = section(call.document(), "properties")
    if given.get("datastoreType") != "AzureBlob":
        raise refused(
            "This local cloud has datastores of the type AzureBlob only.", "properties.datastoreType"
        )
    if not text(given, "containerName", "properties.containerName"):
        raise refused("The property 'containerName' of a datastore is required.", "properties.containerName")
    resource_id = f"{workspace.id}/datastores/{name}"
    old = workspace.store.arm_get(resource_id)
    kept = old["properties"] if old else given
    for field in _ONCE:
        if field in given and given[field] != kept.get(field):
            raise refused(f"The property '{field}' of a datastore cannot be changed.", f"properties.{field}")
    credentials = section(given, "credentials").get("credentialsType", "None")
    document = {
        "id": resource_id,
        "name": name,
        "type": f"{TYPE}/datastores",
        "systemData": old["systemData"] if old else created_by(call),
        "properties": {
            **built_in(workspace, BLOB_STORE)["properties"],
            **given,
            "credentials": {"credentialsType": credentials},
            "isDefault": False,
            "tags": section(given, "tags"),
            "properties": section(given, "properties"),
        },
    }
    workspace.store.arm_put(resource_id, document)
    return Answer(200 if old else 201, document)


def _delete(call: Call) -> Answer:
    """Forget one; its blobs stay."""
    workspace, name = workspace_of(call), call.path["name"]
    if name.lower() in workspace.built_in:
        raise refused(f"The datastore '{name}' is the workspace's own and cannot be deleted.", "name")
    if workspace.store.arm_get(f"{workspace.id}/datastores/{name}") is None:
        return Answer(204)
    workspace.store.arm_delete(f"{workspace.id}/datastores/{name}")
    return Answer(200)


async def _list_secrets(call: Call) -> Answer:
    """Give a SAS of its container where the caller takes one that expires, else the account's key."""
    workspace = workspace_of(call)
    container = find(workspace, call.path["name"])["properties"]["containerName"]
    cloud = workspace.cloud
    await asyncio.to_thread(make_container, cloud, container)
    asked = call.body if isinstance(call.body, dict) else {}
    if not asked.get("expirableSecret"):
        return Answer(200, {"secretsType": "AccountKey", "key": cloud.account_key})
    hours = asked.get("expireAfterHours") or _HOURS
    if not isinstance(hours, int | float) or not 0 < hours <= 24 * 7:
        raise refused("expireAfterHours is a number of hours, at most a week.", "expireAfterHours")
    token = await asyncio.to_thread(signed, cloud, Place(container), "rwdlac", hours)
    return Answer(200, {"secretsType": "Sas", "sasToken": token})


_ALL, _ONE = f"{PATH}/datastores", f"{PATH}/datastores/{{name}}"
OPERATIONS: tuple[Operation, ...] = (
    Operation("GET", _ALL, _list),
    Operation("GET", _ONE, _get),
    Operation("PUT", _ONE, _put),
    Operation("DELETE", _ONE, _delete),
    Operation("POST", f"{_ONE}/listSecrets", _list_secrets),
)
