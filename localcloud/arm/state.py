"""What the ARM side keeps: one document for each resource, in the local cloud's store, by its id.

Ids and names are compared without regard to case and shown as they were first written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from localcloud.arm.errors import group_not_found
from localcloud.facilities.cloud import Cloud
from localcloud.facilities.long_operations import LongOperations
from localcloud.facilities.store import Store

Document = dict[str, Any]

GROUP_TYPE = "Microsoft.Resources/resourceGroups"


class KnownType(Protocol):
    """A resource type, as far as what is kept depends on it."""

    @property
    def type(self) -> str:
        """Its full name such as `Microsoft.Storage/storageAccounts`."""
        ...

    def remove(self, state: ArmState, document: Document) -> None:
        """Remove a resource with all that stands behind it."""


class ArmState:
    """Resource groups and what is in them; `types` are the known resource types by lower-case name.

    `operations` are those that take their time.
    """

    def __init__(
        self, store: Store, cloud: Cloud, types: Mapping[str, KnownType], operations: LongOperations
    ) -> None:
        self.store = store
        self.cloud = cloud
        self.operations = operations
        self._types = types

    @property
    def subscription_id(self) -> str:
        """The id (path) of the one subscription."""
        return f"/subscriptions/{self.cloud.subscription}"

    def group_id(self, name: str) -> str:
        """The id of a resource group, whether or not there is one."""
        return f"{self.subscription_id}/resourceGroups/{name}"

    @property
    def resource_types(self) -> list[str]:
        """The full names of the known resource types."""
        return [kind.type for kind in self._types.values()]

    def is_registered(self, namespace: str) -> bool:
        """Whether the subscription is registered to use a resource provider; it is unless told otherwise."""
        return self.get(self._registration(namespace)) is None

    def set_registered(self, namespace: str, registered: bool) -> None:
        """Register the subscription for a resource provider, or end that."""
        if registered:
            self.store.arm_delete(self._registration(namespace))
        else:
            self.put({"id": self._registration(namespace), "registrationState": "NotRegistered"})

    def _registration(self, namespace: str) -> str:
        return f"{self.subscription_id}/providers/{namespace}"

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes of the block, or none."""
        with self.store.transaction():
            yield

    def group(self, name: str) -> Document:
        """The resource group; raises ResourceGroupNotFound."""
        document = self.store.arm_get(self.group_id(name))
        if document is None:
            raise group_not_found(name)
        return document

    def groups(self) -> list[Document]:
        """All resource groups."""
        return self._listed(f"{self.subscription_id}/resourceGroups/", GROUP_TYPE)

    def resources(self, kind: str, group: str | None = None) -> list[Document]:
        """All resources of a type, in the subscription or in one group; raises ResourceGroupNotFound."""
        if group is None:
            return self._listed(f"{self.subscription_id}/resourceGroups/", kind)
        return self._listed(f"{self.group(group)['id']}/", kind)

    def get(self, resource_id: str) -> Document | None:
        """The document of an id, if there is one."""
        return self.store.arm_get(resource_id)

    def put(self, document: Document) -> None:
        """Keep the document under its `id`."""
        self.store.arm_put(document["id"], document)

    def remove(self, document: Document) -> None:
        """Remove a resource with all that stands behind it."""
        kind = self._types.get(str(document.get("type", "")).lower())
        with self.transaction():
            if kind is not None:
                kind.remove(self, document)
            else:
                self.store.arm_delete(document["id"])

    def remove_group(self, group: Document) -> None:
        """Remove a resource group with all that it holds."""
        with self.transaction():
            for document in self.store.arm_list(f"{group['id']}/"):
                self.remove(document)
            self.store.arm_delete(group["id"])

    def _listed(self, prefix: str, kind: str) -> list[Document]:
        return [
            document
            for document in self.store.arm_list(prefix)
            if str(document.get("type", "")).lower() == kind.lower()
        ]
