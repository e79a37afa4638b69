"""The model that a classic endpoint serves: the management API's ``Resources``, and the PATCH that replaces one."""

from __future__ import annotations

from typing import Any

from clients.errors import BindingFailed, NotFound
from clients.http.answers import part, rows, text
from clients.http.transport import Transport
from clients.protocols import Binding
from clients.storage import BlobRef
from clients.storage.account import StorageAccount
from clients.studio_data_plane.references import parsed, written

Json = dict[str, Any]


class StudioBindings:
    """Which model the endpoint at *path* of the management API serves; *account* is ours, None where it has no name."""

    def __init__(self, transport: Transport, path: str, account: StorageAccount | None) -> None:
        self._transport, self._path, self._account = transport, path, account

    def read(self) -> list[Binding]:
        """The endpoint's updatable resources. Raises BindingFailed where the endpoint is gone."""
        try:
            return bindings_of(self._transport.object("GET", self._path), self._account)
        except NotFound:
            name = self._path.rpartition("/")[2]
            raise BindingFailed(
                f"there is no endpoint {name!r} any more", "run ./dev refresh, then ./dev up"
            ) from None

    def write(self, resource: str, model: BlobRef) -> None:
        """PATCH the endpoint; the service fetches the model at once."""
        self._transport.patch(self._path, {"Resources": [{"Name": resource, "Location": written(model)}]})


def bindings_of(endpoint: Json, account: StorageAccount | None) -> list[Binding]:
    """What an endpoint, as the management API answers it, serves; *account* is ours, None where it has no name."""
    return [
        Binding(
            text(resource, "Name"),
            _location(parsed(location), account),
            parsed(location) if location else None,
        )
        for resource in rows(endpoint, "Resources")
        for location in [part(resource, "Location")]
    ]


def _location(model: BlobRef, account: StorageAccount | None) -> str:
    """The ``container/path`` of a model of our account; of any other its address, without a SAS."""
    base, relative = model.base, model.path
    uri = f"{base.rstrip('/')}/{relative.lstrip('/')}".partition("?")[0]
    return relative if not relative or not base or account is None or account.owns(uri) else uri
