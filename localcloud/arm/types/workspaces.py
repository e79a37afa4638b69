"""Microsoft.MachineLearning/workspaces: Studio's classic workspace (2016-04-01, 2019-10-01).

A workspace has an id of 32 hex digits and two tokens, which open Studio's own APIs; both are made when it is
created and stay with it. Unrelated to Microsoft.MachineLearningServices/workspaces.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from localcloud.arm.errors import ArmError
from localcloud.arm.operation import Answer, Call, section, text
from localcloud.arm.state import ArmState, Document
from localcloud.arm.tracked import Action, TrackedType
from localcloud.arm.types.storage_accounts import StorageAccounts
from localcloud.facilities.store import now

_STATES = frozenset({"Deleted", "Enabled", "Disabled", "Migrated", "Updated", "Registered", "Unregistered"})
_KEPT = ("workspaceId", "workspaceType", "workspaceState", "creationTime", "studioEndpoint")


class Workspaces(TrackedType):
    """Classic workspaces. PUT answers 200 when it creates, too."""

    type = "Microsoft.MachineLearning/workspaces"
    created_status = 200
    called = "workspace"

    def completed(self, call: Call, document: Document, old: Document | None) -> Document:
        """What was declared, with the id and times that the workspace has from its creation."""
        given = document["properties"]
        declared = {
            "ownerEmail": _required(given, "ownerEmail"),
            "userStorageAccountId": _account(call, given),
        }
        if key_vault := text(given, "keyVaultIdentifierId"):
            declared["keyVaultIdentifierId"] = key_vault
        if old is not None:
            kept = {name: old["properties"][name] for name in _KEPT}
            return {**document, "properties": {**declared, **kept}}
        workspace_id = secrets.token_hex(16)
        call.state.store.create_workspace(
            workspace_id, document["name"], secrets.token_hex(16), secrets.token_hex(16)
        )
        made = {
            "workspaceId": workspace_id,
            "workspaceType": "Production",
            "workspaceState": "Enabled",
            "creationTime": now(),
            "studioEndpoint": call.base_url,
        }
        return {**document, "properties": {**declared, **made}}

    def patched(self, call: Call, sent: dict[str, Any], old: Document) -> Document:
        """PATCH takes workspaceState, keyVaultIdentifierId and, inside `properties`, sku."""
        document = {**old, "properties": dict(old["properties"])}
        if sku := section(sent, "sku"):
            document["sku"] = sku
        if key_vault := text(sent, "keyVaultIdentifierId"):
            document["properties"]["keyVaultIdentifierId"] = key_vault
        if state := text(sent, "workspaceState"):
            if state not in _STATES:
                message = f"The value '{state}' of workspaceState is not one of {', '.join(sorted(_STATES))}."
                raise ArmError(
                    400, "InvalidRequestPropertyValue", message, target="properties.workspaceState"
                )
            document["properties"]["workspaceState"] = state
        return document

    def remove(self, state: ArmState, document: Document) -> None:
        """The classic workspace goes, with its experiments, services, endpoints and jobs."""
        state.store.delete_workspace(document["properties"]["workspaceId"])
        super().remove(state, document)

    def actions(self) -> Mapping[str, Action]:
        """`listWorkspaceKeys` gives the tokens; `resyncStorageKeys` has nothing to do here."""
        return {"listWorkspaceKeys": _list_keys, "resyncStorageKeys": _resync}


def _resync(_call: Call, _workspace: Document) -> Answer:
    """Take over rotated keys of the storage account; there is nothing to do here."""
    return Answer(200)


def _list_keys(call: Call, document: Document) -> Answer:
    """List the two tokens, which open the Studio API."""
    workspace = call.state.store.workspace(document["properties"]["workspaceId"])
    if workspace is None:
        message = f"The workspace behind '{document['name']}' is gone; create it again."
        raise ArmError(409, "WorkspaceNotFound", message)
    return Answer(200, {"primaryToken": workspace.primary_token, "secondaryToken": workspace.secondary_token})


def _required(given: Mapping[str, Any], name: str) -> str:
    value = text(given, name, f"properties.{name}")
    if not value:
        message = f"The property '{name}' of a workspace is required."
        raise ArmError(400, "MissingRequiredProperty", message, target=f"properties.{name}")
    return value


def _account(call: Call, given: Mapping[str, Any]) -> str:
    account_id = _required(given, "userStorageAccountId")
    account = call.state.get(account_id)
    if account is None or account["type"] != StorageAccounts.type:
        message = f"The storage account '{account_id}' of the workspace does not exist."
        raise ArmError(400, "InvalidStorageAccount", message, target="properties.userStorageAccountId")
    return account_id
