"""Microsoft.Storage/storageAccounts (2024-01-01).

Every declared account is the one account of the blob store underneath: its endpoint and its key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from localcloud.arm.errors import ArmError
from localcloud.arm.operation import Answer, Call, section, text
from localcloud.arm.state import Document
from localcloud.arm.tracked import Action, TrackedType
from localcloud.facilities.store import now

_SKUS = frozenset(
    {
        "Standard_LRS",
        "Standard_GRS",
        "Standard_RAGRS",
        "Standard_ZRS",
        "Standard_GZRS",
        "Standard_RAGZRS",
        "Premium_LRS",
        "Premium_ZRS",
    }
)
_KINDS = frozenset({"Storage", "StorageV2", "BlobStorage", "FileStorage", "BlockBlobStorage"})
_DEFAULTS: dict[str, Any] = {
    "accessTier": "Hot",
    "allowBlobPublicAccess": False,
    "minimumTlsVersion": "TLS1_2",
    "supportsHttpsTrafficOnly": True,
    "networkAcls": {
        "bypass": "AzureServices",
        "defaultAction": "Allow",
        "ipRules": [],
        "virtualNetworkRules": [],
    },
    "encryption": {
        "keySource": "Microsoft.Storage",
        "services": {
            "blob": {"enabled": True, "keyType": "Account"},
            "file": {"enabled": True, "keyType": "Account"},
        },
    },
}


class StorageAccounts(TrackedType):
    """Storage accounts; names are unique in the whole cloud."""

    type = "Microsoft.Storage/storageAccounts"
    created_status = 200
    called = "storage account"
    writable = ("sku", "kind", "identity", "extendedLocation")

    def check_name(self, name: str) -> None:
        """3 to 24 lower-case letters and digits."""
        if not re.fullmatch(r"[a-z0-9]{3,24}", name):
            message = (
                f"{name} is not a valid storage account name. Storage account name must be between 3 and 24"
                " characters in length and use numbers and lower-case letters only."
            )
            raise ArmError(400, "AccountNameInvalid", message, target="accountName")

    def completed(self, call: Call, document: Document, old: Document | None) -> Document:
        """The account's settings with their defaults, and its endpoints."""
        sku = _checked_sku(document)
        for other in call.state.resources(self.type):
            if other["name"] == document["name"] and other["id"].lower() != document["id"].lower():
                message = f"The storage account named {document['name']} is already taken."
                raise ArmError(409, "StorageAccountAlreadyTaken", message, target="accountName")
        created = old["properties"]["creationTime"] if old else now()
        properties = {
            **_DEFAULTS,
            **document["properties"],
            "creationTime": created,
            "keyCreationTime": {"key1": created, "key2": created},
            "primaryEndpoints": {"blob": f"{call.state.cloud.blob}/"},
            "primaryLocation": document["location"],
            "privateEndpointConnections": [],
            "provisioningState": "Succeeded",
            "statusOfPrimary": "available",
        }
        return {**document, "sku": sku, "properties": properties}

    def patched(self, call: Call, sent: dict[str, Any], old: Document) -> Document:
        """Settings that are named change, others stay; so do sku, kind and identity."""
        body = call.document()
        named = {key: body[key] for key in ("sku", "kind", "identity") if body.get(key) is not None}
        return self.completed(call, {**old, **named, "properties": {**old["properties"], **sent}}, old)

    def actions(self) -> Mapping[str, Action]:
        """`listKeys`: both keys are the one key of the blob store."""
        return {"listKeys": _list_keys}


def _list_keys(call: Call, account: Document) -> Answer:
    """List the keys; both are the one key of the blob store."""
    keys = [
        {
            "creationTime": account["properties"]["creationTime"],
            "keyName": name,
            "value": call.state.cloud.account_key,
            "permissions": "FULL",
        }
        for name in ("key1", "key2")
    ]
    return Answer(200, {"keys": keys})


def _checked_sku(document: Document) -> dict[str, str]:
    sku, kind = text(section(document, "sku"), "name", "sku.name"), text(document, "kind")
    if sku is None or sku not in _SKUS:
        raise _not_among("sku.name", sku, _SKUS)
    if kind not in _KINDS:
        raise _not_among("kind", kind, _KINDS)
    return {"name": sku, "tier": sku.partition("_")[0]}


def _not_among(name: str, value: str | None, accepted: frozenset[str]) -> ArmError:
    said = f"'{value}'" if value is not None else "nothing"
    message = f"{name} is {said}; it must be one of {', '.join(sorted(accepted))}."
    return ArmError(400, "InvalidRequestPropertyValue", message, target=name)
