"""The model that a New web service serves: the address of an asset of its definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clients.errors import BindingFailed, NotFound
from clients.protocols import Binding
from clients.resource_manager import Json, ResourceManager
from clients.storage import BlobRef
from clients.studio_new import definition as definitions
from clients.studio_new.storage_account import StorageAccount


class NewBindings:
    """Which model the web service with the ARM id *service* serves.

    *whole* completes a definition whose large part is in a blob, *put* replaces the service by one that has not changed
    since it had an ETag, *after_write* brings a change to the service's other regions.
    """

    def __init__(
        self,
        arm: ResourceManager,
        service: str,
        account: StorageAccount,
        whole: Callable[[Json], Json],
        put: Callable[[Json, str], None],
        after_write: Callable[[Json], None],
    ) -> None:
        self._arm, self._service, self._account = arm, service, account
        self._whole, self._put, self._after_write = whole, put, after_write

    @property
    def _name(self) -> str:
        return self._service.rpartition("/")[2]

    def read(self) -> list[Binding]:
        """The service's trained models. Raises BindingFailed where the service is gone."""
        return [
            Binding(name, self._account.location(uri), _reference(uri))
            for name, uri in definitions.models(self._definition()[0]).items()
        ]

    def write(self, resource: str, model: BlobRef) -> None:
        """Replace the address of one model in the definition, and wait until the service has taken it.

        A PATCH of the assets; where the definition is too large to be answered inline, it is read from its blob, and PUT
        as a whole.
        Raises BindingFailed for a service that is read-only or has no such model, Conflict where somebody else
        changes it.
        """
        definition, etag = self._definition()
        own = definitions.properties(definition)
        if definitions.member(own, "readOnly"):
            raise BindingFailed(
                f"the web service {self._name!r} is read-only: its model cannot be replaced",
                "publish it under another name without readOnly, and declare that one",
            )
        uri = f"{model['BaseLocation']}{model['RelativeLocation']}"
        if not self._reads(own, uri):
            uri += model["SasBlobToken"] or ""
        changed = definitions.with_model(definition, resource, uri)
        if definitions.member(own, "payloadsInBlobStorage"):
            self._put(changed, etag)
        else:
            what = f"the web service {self._name!r}"
            self._arm.patch(self._service, definitions.patch_of(changed), what, etag)
            self._after_write(changed)

    def _reads(self, own: dict[str, Any], uri: str) -> bool:
        """Whether the service opens the blob with its own storage account's key."""
        account = str(definitions.member(definitions.member(own, "storageAccount") or {}, "name") or "")
        return account == self._account.name and self._account.location(uri) != uri

    def _definition(self) -> tuple[Json, str]:
        try:
            definition, etag = self._arm.read(self._service)
        except NotFound:
            raise BindingFailed(
                f"there is no web service {self._name!r} any more", "run ./dev refresh, then ./dev up"
            ) from None
        return self._whole(definition), etag


def _reference(uri: str) -> BlobRef:
    """A model by its complete address."""
    return {"BaseLocation": uri, "RelativeLocation": "", "SasBlobToken": ""}
