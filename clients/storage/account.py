"""The storage account that New web services read their models from: the registry's."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from clients.errors import CredentialError

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_COPY = "copy the whole of it from the storage account's access keys: AccountName, AccountKey, EndpointSuffix"


def judge(connection_string: str) -> None:
    """Raises CredentialError for a connection string that opens no storage account: its remedy has no part of it."""
    parts = _parts(connection_string)
    name, key = parts.get("accountname"), parts.get("accountkey")
    place = parts.get("blobendpoint")
    problem = ""
    if name is None and place is None:
        problem = "names no storage account: it has neither AccountName nor BlobEndpoint"
    elif name is not None and not _NAME.fullmatch(name):
        problem = "has an AccountName that is no name of a storage account"
    elif place is not None and not _is_address(place):
        problem = "has a BlobEndpoint that is no address"
    elif key is not None and not _is_base64(key):
        problem = "has an AccountKey that is cut off or changed: it is not base64"
    elif key is None and not parts.get("sharedaccesssignature"):
        problem = "has no credential: neither AccountKey nor SharedAccessSignature"
    elif key is not None and name is None:
        problem = "has an AccountKey, and no AccountName that it is of"
    if problem:
        raise CredentialError(f"the storage connection string {problem}", _COPY)


def _parts(connection_string: str) -> dict[str, str]:
    pairs = (part.strip().partition("=")[::2] for part in connection_string.split(";") if part.strip())
    return {name.strip().lower(): value.strip() for name, value in pairs}


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except ValueError:
        return False


@dataclass(frozen=True)
class StorageAccount:
    """A storage account by *name* and *key*."""

    name: str
    key: str = field(repr=False)

    @classmethod
    def parse(cls, connection_string: str) -> StorageAccount:
        """The account of a connection string. Raises CredentialError for one without name and key."""
        parts = _parts(connection_string)
        try:
            return cls(parts["accountname"], parts["accountkey"])
        except KeyError:
            raise CredentialError(
                "the storage account's connection string has no AccountName and AccountKey",
                "New web services read models with the account's key: give a connection string with one",
            ) from None

    @classmethod
    def named(cls, connection_string: str) -> StorageAccount | None:
        """The account of a connection string; None for one without name and key."""
        try:
            return cls.parse(connection_string)
        except CredentialError:
            return None

    def credential(self) -> dict[str, str]:
        """As a definition's ``storageAccount`` has it."""
        return {"name": self.name, "key": self.key}

    def location(self, uri: str) -> str:
        """The ``container/path`` of a blob of this account; of any other blob its address, without a SAS."""
        path = self._path(uri)
        return uri.partition("?")[0] if path is None else path

    def owns(self, uri: str) -> bool:
        """Whether a blob's address is one of this account."""
        return self._path(uri) is not None

    def _path(self, uri: str) -> str | None:
        """The path within this account; None for an address of another."""
        parts = urlsplit(uri)
        host, path = parts.hostname or "", parts.path.lstrip("/")
        if host.split(".")[0] == self.name.lower():
            return path
        first, _, rest = path.partition("/")
        # Only an emulator has the account's name in the path.
        return rest if first == self.name and ".blob." not in host else None
