"""The model that a New web service serves: the address of an asset of its definition."""

from __future__ import annotations

from typing import Any

from clients.arm.resource_manager import Json
from clients.errors import BindingFailed, NotFound
from clients.protocols import Binding
from clients.storage import BlobRef
from clients.studio_new import definition as definitions
from clients.studio_new.store import WebServiceStore, name_of


class NewBindings:
    """Which model the web service with the ARM id *service* serves."""

    def __init__(self, store: WebServiceStore, service: str) -> None:
        self._store, self._service = store, service

    def read(self) -> list[Binding]:
        """The service's trained models. Raises BindingFailed where the service is gone."""
        return models_of(self._store, self._definition()[0])

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
                f"the web service {name_of(self._service)!r} is read-only: its model cannot be replaced",
                "publish it under another name without readOnly, and declare that one",
            )
        uri = model.url if self._reads(own, model.url) else model.opened
        changed = definitions.with_model(definition, resource, uri)
        if definitions.member(own, "payloadsInBlobStorage"):
            self._store.put(self._service, changed, etag=etag)
        else:
            self._store.patch(self._service, changed, etag)

    def _reads(self, own: dict[str, Any], uri: str) -> bool:
        """Whether the service opens the blob with its own storage account's key."""
        account = str(definitions.member(definitions.member(own, "storageAccount") or {}, "name") or "")
        return account == self._store.account.name and self._store.account.location(uri) != uri

    def _definition(self) -> tuple[Json, str]:
        try:
            return self._store.read(self._service)
        except NotFound:
            raise BindingFailed(
                f"there is no web service {name_of(self._service)!r} any more",
                "run ./dev refresh, then ./dev up",
            ) from None


def models_of(store: WebServiceStore, definition: Json) -> list[Binding]:
    """The trained models of a whole definition."""
    return [
        Binding(name, store.account.location(uri), BlobRef(uri, ""))
        for name, uri in definitions.models(definition).items()
    ]
