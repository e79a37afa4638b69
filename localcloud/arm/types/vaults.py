"""Microsoft.KeyVault/vaults (2023-07-01): declarations, no secret is kept in one.

Where the local cloud keeps what is deleted (``./dev cloud start --soft-delete``), a deleted vault has its name until it
is purged, or declared again to be recovered. Source: azure-rest-api-specs, and the service's own errors.
"""

from __future__ import annotations

from typing import Any, ClassVar

from localcloud.arm.errors import ArmError
from localcloud.arm.operation import Answer, Call, Operation
from localcloud.arm.state import ArmState, Document
from localcloud.arm.types.neighbours import Neighbour
from localcloud.facilities.store import now

_PROVIDER = "/subscriptions/{subscription}/providers/Microsoft.KeyVault"
_DELETED = f"{_PROVIDER}/locations/{{location}}/deletedVaults/{{name}}"
_RECOVER = "recover"


class Vaults(Neighbour):
    """Key vaults."""

    type = "Microsoft.KeyVault/vaults"
    called = "vault"
    writable = ()
    named = (
        r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]",
        "3 to 24 letters, digits and single '-', a letter first",
    )
    needed = ("tenantId", "sku")
    defaults: ClassVar[dict[str, Any]] = {
        "accessPolicies": [],
        "enabledForDeployment": False,
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": 90,
        "enableRbacAuthorization": False,
        "publicNetworkAccess": "Enabled",
    }

    def operations(self) -> tuple[Operation, ...]:
        """Those of vaults, and of deleted ones."""
        return (
            *super().operations(),
            Operation("GET", _DELETED, self._get_deleted),
            Operation("POST", f"{_DELETED}/purge", self._purge),
            Operation("GET", f"{_PROVIDER}/deletedVaults", self._list_deleted),
        )

    def completed(self, call: Call, document: Document, old: Document | None) -> Document:
        """What was declared; where a deleted one is recovered, what that had."""
        mode = document["properties"].pop("createMode", None)
        if mode != _RECOVER or old is not None:
            return super().completed(call, document, old)
        deleted = self._deleted(call.state, document["name"])
        if deleted is None:
            message = f"There is no deleted vault '{document['name']}' to recover."
            raise ArmError(404, "VaultNotFound", message, target="properties.createMode")
        call.state.store.arm_delete(deleted["id"])
        return {**document, "properties": deleted["vault"]["properties"]}

    def check_free(self, call: Call, name: str) -> None:
        """Also deleted vaults have their names."""
        super().check_free(call, name)
        if self._deleted(call.state, name) is not None:
            message = (
                "A vault with the same name already exists in deleted state. You need to either recover or"
                " purge existing key vault."
            )
            raise ArmError(409, "ConflictError", message, target="vaultName")

    def remove(self, state: ArmState, document: Document) -> None:
        """Where what is deleted is kept, it is kept as deleted."""
        super().remove(state, document)
        if state.cloud.soft_delete and document["properties"]["enableSoftDelete"]:
            place = {"subscription": state.cloud.subscription, "location": document["location"]}
            kept = {"id": _DELETED.format_map({**place, "name": document["name"]}), "deleted": now()}
            state.put({**kept, "vault": document})

    def made(self, call: Call, name: str) -> dict[str, Any]:
        """Where it would answer."""
        return {"vaultUri": f"https://{name}.vault.azure.net/"}

    def _deleted(self, state: ArmState, name: str) -> Document | None:
        return next(
            (one for one in self._all_deleted(state) if one["vault"]["name"].lower() == name.lower()), None
        )

    def _all_deleted(self, state: ArmState) -> list[Document]:
        return state.store.arm_list(f"{state.subscription_id}/providers/Microsoft.KeyVault/locations/")

    def _find_deleted(self, call: Call) -> Document:
        found = call.state.get(_DELETED.format_map(call.path))
        if found is None:
            raise ArmError(404, "DeletedVaultNotFound", f"There is no deleted vault '{call.path['name']}'.")
        return found

    def _get_deleted(self, call: Call) -> Answer:
        """Get a deleted vault."""
        return Answer(200, _shown(self._find_deleted(call)))

    def _list_deleted(self, call: Call) -> Answer:
        """List the deleted vaults."""
        return Answer(200, {"value": [_shown(one) for one in self._all_deleted(call.state)]})

    def _purge(self, call: Call) -> Answer:
        """Delete a deleted vault for good: its name is free."""
        call.state.store.arm_delete(self._find_deleted(call)["id"])
        return Answer(200)


def _shown(deleted: Document) -> dict[str, Any]:
    vault = deleted["vault"]
    return {
        "id": deleted["id"],
        "name": vault["name"],
        "type": "Microsoft.KeyVault/deletedVaults",
        "properties": {
            "vaultId": vault["id"],
            "location": vault["location"],
            "deletionDate": deleted["deleted"],
            "tags": vault["tags"],
        },
    }
