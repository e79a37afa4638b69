"""Blobs by their address, in whatever storage account they are: the registry's, another one, or behind a signature."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import requests

from clients.credentials import Target
from clients.errors import ConfigurationError, CredentialError, NotFound, ServiceError, Unreachable
from clients.storage import Container
from clients.studio_new.storage_account import StorageAccount

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
        return _fetched(uri)

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
                f"the key of the storage account {account!r} is not to be had: the subscription has none of that name",
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
        arm = self._target.resource_manager()
        page = arm.get(
            f"/subscriptions/{self._subscription}/providers/Microsoft.Storage/storageAccounts", **_ACCOUNTS
        )
        return next((one for one in page.get("value") or [] if one["name"] == name), None)

    def _key(self, account: dict[str, Any]) -> str:
        keys = self._target.resource_manager().read(f"{account['id']}/listKeys", None, **_ACCOUNTS)["keys"]
        return str(keys[0]["value"])

    def _connection(self, account: dict[str, Any]) -> str:
        endpoint = str(account["properties"]["primaryEndpoints"]["blob"]).rstrip("/")
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


def _fetched(uri: str) -> bytes:
    """By a plain GET: what is public, or opened by the signature in its address."""
    place = uri.partition("?")[0]
    try:
        answer = requests.get(uri, timeout=100)
    except requests.RequestException:
        raise Unreachable(f"nothing answers at {place}", "check the address and the network") from None
    if answer.status_code == 404:
        raise NotFound(f"there is no blob {place}", "check its address", status=404)
    if answer.status_code in (401, 403):
        raise CredentialError(f"{place} may not be read", "sign in with a credential that may read it")
    if answer.status_code != 200:
        raise ServiceError(f"{place} answers {answer.status_code}", "run it again", status=answer.status_code)
    return answer.content
