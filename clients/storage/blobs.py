"""Blobs by their address, in whatever storage account they are: the registry's, another one, or behind a signature."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from clients.credentials import Target
from clients.errors import ConfigurationError, CredentialError
from clients.http import transport
from clients.http.answers import rows, text
from clients.storage.account import StorageAccount
from clients.storage.container import Container

_ACCOUNTS = {"api-version": "2023-01-01"}


class Blobs:
    """Reads blobs with what *target* may open; other storage accounts of *subscription* by their keys."""

    def __init__(self, target: Target, subscription: str) -> None:
        self._target, self._subscription = target, subscription

    def read(self, uri: str, credentials: str = "") -> bytes:
        """The content of the blob at *uri*, whose SAS or connection string (*credentials*) opens it, where it has one.

        Raises NotFound, CredentialError, ServiceError, Unreachable.
        """
        if path := self._own(uri):
            return self._in(self._target.connection_string, path)
        place, _, signature = uri.partition("?")
        if not signature and credentials:
            return self._in(credentials, _path(place, _account_name(place)))
        if not signature and (account := self._account(_account_name(place))):
            return self._in(self._connection(account), _path(place, _account_name(place)))
        return transport.fetch(f"the blob {place}", uri, "check the address and the network")

    def key(self, account: str) -> StorageAccount:
        """The storage account called *account* with its key: the registry's own, or one of the subscription.

        Raises ConfigurationError where there is none, CredentialError where nobody may ask for its key.
        """
        own = self._own_account()
        if own and account in ("", own.name):
            return own
        found = self._account(account)
        if found is None:
            raise ConfigurationError(
                f"the subscription has no storage account {account!r}, so that its key cannot be read",
                "sign in where the account is, or move the service to another: ./dev definition export, then import",
            )
        return StorageAccount(account, self._key(found))

    def _own_account(self) -> StorageAccount | None:
        try:
            return StorageAccount.parse(self._target.connection_string)
        except CredentialError:
            return None

    def _own(self, uri: str) -> str:
        """``container/path`` of a blob of the registry's account; empty for any other."""
        own, place = self._own_account(), uri.partition("?")[0]
        path = own.location(place) if own else place
        return "" if path == place else unquote(path)

    def _account(self, name: str) -> dict[str, Any] | None:
        arm = self._target.arm
        page = arm.get(
            f"/subscriptions/{self._subscription}/providers/Microsoft.Storage/storageAccounts", **_ACCOUNTS
        )
        return next((one for one in rows(page, "value") if one.get("name") == name), None)

    def _key(self, account: dict[str, Any]) -> str:
        keys = self._target.arm.read(f"{text(account, 'id')}/listKeys", None, **_ACCOUNTS)
        return text(next(iter(rows(keys, "keys")), {}), "value")

    def _connection(self, account: dict[str, Any]) -> str:
        endpoint = text(account, "properties", "primaryEndpoints", "blob").rstrip("/")
        return (
            f"DefaultEndpointsProtocol={urlsplit(endpoint).scheme};AccountName={_account_name(endpoint + '/')};"
            f"AccountKey={self._key(account)};BlobEndpoint={endpoint}"
        )

    def _in(self, connection: str, path: str) -> bytes:
        container, _, blob = path.partition("/")
        return Container(connection, container, self._target.remedy).read(blob)[0]


def _account_name(uri: str) -> str:
    """The storage account of an address: the host's first label, or of an emulator's the path's first segment."""
    parts = urlsplit(uri)
    host = parts.hostname or ""
    if host == "localhost" or host.replace(".", "").isdigit():
        return parts.path.lstrip("/").partition("/")[0]
    return host.partition(".")[0]


def _path(uri: str, account: str) -> str:
    path = unquote(urlsplit(uri).path.lstrip("/"))
    first, _, rest = path.partition("/")
    return rest if first == account else path
