"""The storage account that New web services read their models from: the registry's."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from clients.errors import CredentialError


@dataclass(frozen=True)
class StorageAccount:
    """A storage account by *name* and *key*."""

    name: str
    key: str = field(repr=False)

    @classmethod
    def parse(cls, connection_string: str) -> StorageAccount:
        """The account of a connection string. Raises CredentialError for one without name and key."""
        parts = dict(part.partition("=")[::2] for part in connection_string.split(";") if part)
        try:
            return cls(parts["AccountName"], parts["AccountKey"])
        except KeyError:
            raise CredentialError(
                "the storage account's connection string has no AccountName and AccountKey",
                "New web services read models with the account's key: give a connection string with one",
            ) from None

    def credential(self) -> dict[str, str]:
        """As a definition's ``storageAccount`` has it."""
        return {"name": self.name, "key": self.key}

    def location(self, uri: str) -> str:
        """The ``container/path`` of a blob of this account; of any other blob its address, without a SAS."""
        parts = urlsplit(uri)
        path = parts.path.lstrip("/")
        if (parts.hostname or "").split(".")[0] == self.name:
            return path
        first, _, rest = path.partition("/")
        return rest if first == self.name else uri.partition("?")[0]
