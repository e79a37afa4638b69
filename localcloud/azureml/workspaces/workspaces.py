"""Microsoft.MachineLearningServices/workspaces: the workspace of Azure ML v2 (2024-10-01, 2025-12-01).

It stands on a storage account, a key vault and an Application Insights component, which are there before it and stay
its own. Unrelated to Microsoft.MachineLearning/workspaces.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from localcloud.arm.errors import ArmError
from localcloud.arm.operation import Answer, Call, text
from localcloud.arm.state import ArmState, Document
from localcloud.arm.tracked import Action, TrackedType
from localcloud.azureml.assets.places import NAMESPACE, TRACKING
from localcloud.azureml.assets.workspace import TYPE
from localcloud.azureml.tracking.state import Tracking
from localcloud.azureml.workspaces import going
from localcloud.azureml.workspaces.discovery import DISCOVERY
from localcloud.azureml.workspaces.identity import identity_of
from localcloud.facilities.store import now

# What it stands on, with the type of each; the container registry may come later.
_NEEDED = {
    "storageAccount": "Microsoft.Storage/storageAccounts",
    "keyVault": "Microsoft.KeyVault/vaults",
    "applicationInsights": "Microsoft.Insights/components",
}
_REGISTRY = {"containerRegistry": "Microsoft.ContainerRegistry/registries"}
_KEPT = ("storageAccount", "keyVault", "hbiWorkspace", "encryption")
_DEFAULTS: dict[str, Any] = {
    "friendlyName": "",
    "description": "",
    "hbiWorkspace": False,
    "publicNetworkAccess": "Enabled",
    "v1LegacyMode": False,
    "systemDatastoresAuthMode": "AccessKey",
}


class Workspaces(TrackedType):
    """Workspaces, each with all that is in it."""

    type = TYPE
    created_status = 202
    called = "workspace"
    writable = ("identity", "sku", "kind")

    def check_name(self, name: str) -> None:
        """A letter or digit, then 2 to 32 more, with `_` and `-`."""
        if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}", name):
            message = f"The workspace name '{name}' is not valid: 3 to 33 letters, digits, '_' and '-'."
            raise ArmError(400, "ValidationError", message, target="workspaceName")

    def completed(self, call: Call, document: Document, old: Document | None) -> Document:
        """What was declared, upon what it stands on."""
        given, before = document["properties"], old["properties"] if old else {}
        if old is None and call.state.get(_deleted(document["id"])) is not None:
            message = "Soft-deleted workspace exists. Please purge or recover it. https://aka.ms/wsoftdelete"
            raise ArmError(400, "BadRequest", message)
        for name, kind in {**_NEEDED, **_REGISTRY}.items():
            _check_reference(call, given, name, kind)
        if changed := [name for name in _KEPT if old and name in given and _differ(given, before, name)]:
            message = f"The property '{changed[0]}' of a workspace cannot be changed."
            raise ArmError(400, "ValidationError", message, target=changed[0])
        made = {
            "workspaceId": str(uuid.uuid4()),
            "tenantId": call.state.cloud.tenant,
            "notebookInfo": None,
            "privateLinkCount": 0,
            "storageHnsEnabled": False,
        }
        properties = {
            **_DEFAULTS,
            **given,
            **{name: before.get(name, value) for name, value in made.items()},
            "provisioningState": "Succeeded",
        }
        return {
            **document,
            "kind": document.get("kind") or "Default",
            "sku": document.get("sku") or {"name": "Basic", "tier": "Basic"},
            "identity": identity_of(call, document, old, "SystemAssigned"),
            "properties": properties,
        }

    def patched(self, call: Call, sent: dict[str, Any], old: Document) -> Document:
        """What is named changes; so do identity and sku."""
        body = call.document()
        named = {key: body[key] for key in ("identity", "sku") if body.get(key) is not None}
        return self.completed(call, {**old, **named, "properties": {**old["properties"], **sent}}, old)

    def shown(self, call: Call, document: Document) -> Document:
        """With the addresses of its data plane, by the name that the local cloud is called by."""
        addresses = {
            "discoveryUrl": f"{call.base_url}{DISCOVERY}",
            "mlFlowTrackingUri": f"{call.base_url}{TRACKING}{document['id']}",
        }
        return going.shown(call, {**document, "properties": {**document["properties"], **addresses}})

    def _put(self, call: Call) -> Answer:
        """Create it, or change what is declared."""
        answer = super()._put(call)
        if answer.status != self.created_status:
            return answer
        return going.creates(call, answer.body, "workspace", answer.status)

    def _delete(self, call: Call) -> Answer:
        """Delete it with all that is in it; 204 where there is none. With `forceToPurge` its name is free at once."""
        document, state = self.existing(call), call.state
        query = {name.lower(): value.lower() for name, value in call.query.items()}
        for_good = query.get("forcetopurge") == "true"
        if document is None:
            group = state.group(call.path["group"])["id"]
            gone = state.get(_deleted(f"{group}/providers/{self.type}/{call.path['name']}"))
            if gone is None or not for_good:
                return Answer(204)
            state.remove(gone)
            return Answer(200)
        with state.transaction():
            state.remove(document)
            if state.cloud.soft_delete and not for_good:
                state.put({"id": _deleted(document["id"]), "deleted": now()})
        return going.goes(call, document, "workspace")

    def remove(self, state: ArmState, document: Document) -> None:
        """All that is in it goes with it, and what was tracked."""
        Tracking(state.store).forget(document["properties"]["workspaceId"])
        super().remove(state, document)

    def actions(self) -> Mapping[str, Action]:
        """Keys of what it stands on."""
        return {
            "listKeys": _list_keys,
            "listStorageAccountKeys": _list_storage_keys,
            "resyncKeys": _resync_keys,
        }


def _deleted(workspace: str) -> str:
    """Where it is kept that a workspace is deleted; it goes with its resource group."""
    group, _, name = workspace.partition(f"/providers/{TYPE}/")
    return f"{group}/providers/{NAMESPACE}/deletedWorkspaces/{name}"


def _check_reference(call: Call, given: Mapping[str, Any], name: str, kind: str) -> None:
    """Raise ArmError for a reference that is missing, of another type, or to nothing."""
    value = text(given, name, f"properties.{name}")
    if not value:
        if name in _REGISTRY:
            return
        raise ArmError(
            400, "ValidationError", f"Missing dependent resources: '{name}' is required.", target=name
        )
    found = call.state.get(value.rstrip("/"))
    if found is None or str(found.get("type")).lower() != kind.lower():
        message = f"The resource '{value}', given as '{name}', is no {kind} that could be found."
        raise ArmError(400, "ValidationError", message, target=name)


def _differ(given: Mapping[str, Any], before: Mapping[str, Any], name: str) -> bool:
    """Whether another value is given; ids of resources in any case are the same."""
    one, other = given.get(name), before.get(name)
    return (str(one).casefold() != str(other).casefold()) if one is not None else False


def _list_keys(call: Call, workspace: Document) -> Answer:
    """List the keys of what the workspace stands on."""
    properties = workspace["properties"]
    insights = call.state.get(properties["applicationInsights"]) or {}
    keys = {
        "userStorageKey": call.state.cloud.account_key,
        "userStorageArmId": properties["storageAccount"],
        "appInsightsInstrumentationKey": insights.get("properties", {}).get("InstrumentationKey", ""),
    }
    return Answer(200, keys)


def _list_storage_keys(call: Call, _workspace: Document) -> Answer:
    """List the key of the workspace's storage account."""
    return Answer(200, {"userStorageKey": call.state.cloud.account_key})


def _resync_keys(_call: Call, _workspace: Document) -> Answer:
    """Read the keys of what the workspace stands on anew; nothing is kept of them here."""
    return Answer(200)
