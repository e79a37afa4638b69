"""Microsoft.Storage/storageAccounts/blobServices/containers: containers that are declared (2024-01-01).

Each is one of the local account: accounts that name the same share it, and it goes with the last that does. A container
that is made in the blob store without Resource Manager is not among them.
"""

from __future__ import annotations

import asyncio
import re

from localcloud.arm.errors import ArmError, resource_not_found
from localcloud.arm.operation import Answer, Call, Operation, created_by, section
from localcloud.arm.state import Document
from localcloud.arm.tracked import ResourceType
from localcloud.azureml.assets.blobs import make_container, remove_container
from localcloud.facilities.store import now

_ACCOUNTS = "Microsoft.Storage/storageAccounts"
_ALL = (
    f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{_ACCOUNTS}/{{account}}"
    "/blobServices/default/containers"
)
_ONE = f"{_ALL}/{{name}}"


class BlobContainers(ResourceType):
    """Containers of storage accounts."""

    type = f"{_ACCOUNTS}/blobServices/containers"

    def operations(self) -> tuple[Operation, ...]:
        """All operations of the type."""
        return (
            Operation("PUT", _ONE, self._put),
            Operation("GET", _ONE, self._get),
            Operation("DELETE", _ONE, self._delete),
            Operation("GET", _ALL, self._list),
        )

    async def _put(self, call: Call) -> Answer:
        """Create it, or change its metadata."""
        sent, name, above = section(call.document(), "properties"), call.path["name"], self._above(call)
        if not re.fullmatch(r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", name):
            message = f"The container name '{name}' is not valid: 3 to 63 lower-case letters, digits and single '-'."
            raise ArmError(400, "ContainerNameInvalid", message, target="containerName")
        await asyncio.to_thread(make_container, call.state.cloud, name)
        old = call.state.get(f"{above}/{name}")
        document: Document = {
            "id": f"{above}/{name}",
            "name": name,
            "type": self.type,
            "systemData": old["systemData"] if old else created_by(call),
            "properties": {
                "publicAccess": "None",
                "denyEncryptionScopeOverride": False,
                "defaultEncryptionScope": "$account-encryption-key",
                **sent,
                "deleted": False,
                "hasImmutabilityPolicy": False,
                "hasLegalHold": False,
                "lastModifiedTime": now(),
                "leaseState": "Available",
                "leaseStatus": "Unlocked",
                "remainingRetentionDays": 0,
            },
        }
        call.state.put(document)
        return Answer(200 if old else 201, document)

    def _get(self, call: Call) -> Answer:
        """Get it."""
        found = self._found(call)
        if found is None:
            raise ArmError(404, "ContainerNotFound", "The specified container does not exist.")
        return Answer(200, found)

    async def _delete(self, call: Call) -> Answer:
        """Delete it with its blobs; 204 where there is none."""
        found = self._found(call)
        if found is None:
            return Answer(204)
        call.state.remove(found)
        if all(one["name"] != found["name"] for one in call.state.resources(self.type)):
            await asyncio.to_thread(remove_container, call.state.cloud, found["name"])
        return Answer(200)

    def _list(self, call: Call) -> Answer:
        """List those of an account."""
        return Answer(200, {"value": call.state.store.arm_list(f"{self._above(call)}/")})

    def _above(self, call: Call) -> str:
        """The path of an account's containers. Raises ResourceNotFound."""
        group, name = call.state.group(call.path["group"]), call.path["account"]
        account = call.state.get(f"{group['id']}/providers/{_ACCOUNTS}/{name}")
        if account is None:
            raise resource_not_found(_ACCOUNTS, name, call.path["group"])
        return f"{account['id']}/blobServices/default/containers"

    def _found(self, call: Call) -> Document | None:
        return call.state.get(f"{self._above(call)}/{call.path['name']}")
