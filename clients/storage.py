"""Blob containers over azure-storage-blob: listings, conditional writes, read-only SAS.

``BlobRef`` is what Studio's batch service takes and gives (``AzureBlobDataReference``, api-version 2.0).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from clients.errors import Conflict, CredentialError, NotFound, ServiceError, Unreachable
from clients.transport import redact

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

BlobRef = dict[str, str | None]
# The SDK's own first retry comes after 15 s and its last after 90; these after about 1, 3, 5 and 9.
_RETRIES: dict[str, Any] = {
    "retry_total": 4,
    "initial_backoff": 1,
    "increment_base": 2,
    "random_jitter_range": 1,
}


@dataclass(frozen=True)
class Blob:
    """One blob: *size* in bytes, *md5* as base64 (Content-MD5; None where it has none), *modified* in UTC."""

    name: str
    size: int
    md5: str | None
    etag: str
    modified: datetime | None = None


class Container:
    """One blob container.

    Raises NotFound for a missing container or blob, Conflict for a lost condition, CredentialError, Unreachable,
    ServiceError.
    """

    def __init__(self, connection_string: str, name: str, remedy: str) -> None:
        self.name = name
        self._connection_string = connection_string
        self._remedy = remedy
        self._opened: ContainerClient | None = None

    @property
    def _client(self) -> ContainerClient:
        if self._opened is None:
            from azure.storage.blob import ContainerClient

            self._opened = ContainerClient.from_connection_string(
                self._connection_string, self.name, connection_timeout=10, read_timeout=100, **_RETRIES
            )
        return self._opened

    def url(self, name: str) -> str:
        """The address of a blob, without a credential."""
        return str(self._client.get_blob_client(name).url)

    def list(self, prefix: str = "") -> list[Blob]:
        """All blobs under *prefix*, in one paged listing, ordered by name."""
        with self._errors(prefix):
            return [
                Blob(
                    item.name,
                    item.size,
                    _base64(item.content_settings.content_md5),
                    _quoted(item.etag),
                    item.last_modified,
                )
                for item in self._client.list_blobs(name_starts_with=prefix)
            ]

    def read(self, name: str) -> tuple[bytes, str]:
        """Content and ETag of a blob."""
        with self._errors(name):
            download = self._client.download_blob(name)
            return download.readall(), download.properties.etag

    def read_start(self, name: str, size: int) -> bytes:
        """The first *size* bytes of a blob, or all of a smaller one."""
        from azure.core.exceptions import HttpResponseError

        with self._errors(name):
            try:
                return bytes(self._client.download_blob(name, offset=0, length=size).readall())
            except HttpResponseError as error:
                if error.status_code == 416:  # an empty blob has no range
                    return b""
                raise

    def stat(self, name: str) -> Blob | None:
        """Size, MD5 and ETag of a blob; None where there is none."""
        try:
            with self._errors(name):
                found = self._client.get_blob_client(name).get_blob_properties()
        except NotFound:
            return None
        md5 = _base64(found.content_settings.content_md5)
        return Blob(name, found.size, md5, found.etag, found.last_modified)

    def write(self, name: str, content: bytes, *, etag: str | None) -> str:
        """Store *content* with its Content-MD5 if the blob still has *etag* (None: does not exist); its new ETag.

        Raises Conflict where it was changed in between.
        """
        from azure.core import MatchConditions
        from azure.storage.blob import ContentSettings

        condition: dict[str, Any] = (
            {"overwrite": False}
            if etag is None
            else {"overwrite": True, "etag": etag, "match_condition": MatchConditions.IfNotModified}
        )
        settings = ContentSettings(
            content_md5=bytearray(hashlib.md5(content, usedforsecurity=False).digest())
        )
        with self._errors(name):
            # The ETag of this very write: asked for afterwards it might be that of somebody else's.
            blob = self._client.get_blob_client(name)
            return str(blob.upload_blob(content, content_settings=settings, **condition)["etag"])

    def delete(self, name: str) -> None:
        """Delete a blob; one that is gone is no error."""
        try:
            with self._errors(name):
                self._client.delete_blob(name)
        except NotFound:
            return

    def readable(self, name: str, hours: float = 24.0) -> BlobRef:
        """A reference that lets its holder read this one blob for *hours* (a SAS with ``sr=b``, ``sp=r``)."""
        from azure.storage.blob import BlobSasPermissions, generate_blob_sas

        now = datetime.now(UTC)
        client = self._client
        sas = generate_blob_sas(
            str(client.account_name),
            self.name,
            name,
            account_key=client.credential.account_key,
            permission=BlobSasPermissions(read=True),
            start=now - timedelta(minutes=5),
            expiry=now + timedelta(hours=hours),
        )
        base = client.primary_endpoint.rsplit("/", 1)[0] + "/"
        return {
            "ConnectionString": None,
            "BaseLocation": base,
            "RelativeLocation": f"{self.name}/{name}",
            "SasBlobToken": "?" + sas,
        }

    def writable(self, name: str) -> BlobRef:
        """A reference by connection string, the only form in which Studio's batch service takes an output."""
        return {"ConnectionString": self._connection_string, "RelativeLocation": f"{self.name}/{name}"}

    @contextmanager
    def _errors(self, blob: str) -> Iterator[None]:
        from azure.core import exceptions as azure

        where = f"{self.name}/{blob}".rstrip("/")
        try:
            yield
        except azure.ResourceNotFoundError as error:
            if getattr(error, "error_code", None) == "ContainerNotFound":
                raise NotFound(
                    f"there is no container {self.name!r}",
                    "create it and fill it (locally: ./dev cloud start)",
                    status=404,
                    code="ContainerNotFound",
                ) from None
            raise NotFound(
                f"there is no blob {where}", "check its name", status=404, code="BlobNotFound"
            ) from None
        except (azure.ResourceExistsError, azure.ResourceModifiedError):
            raise Conflict(
                f"{where} was changed by somebody else", "run the update again", status=412
            ) from None
        except (azure.ServiceRequestError, azure.ServiceResponseError):
            raise Unreachable(f"the storage account of {self.name!r} does not answer", self._remedy) from None
        except azure.HttpResponseError as error:
            if error.status_code == 412:
                raise Conflict(
                    f"{where} was changed by somebody else", "run the update again", status=412
                ) from None
            if error.status_code in (401, 403):
                raise CredentialError(
                    f"the storage account refused the credential for {where}",
                    "check the storage credential (locally: ./dev cloud stop, then ./dev cloud start)",
                ) from None
            raise ServiceError(
                f"storage answered {error.status_code} for {where}: {redact(str(error.reason))}",
                "correct what the message names, then run the update again",
                status=error.status_code or 0,
            ) from None


def _quoted(etag: str) -> str:
    """An ETag as HTTP has it; a listing's XML has it without its quotes (List Blobs, all versions)."""
    return etag if etag.endswith('"') else f'"{etag}"'


def _base64(md5: bytearray | None) -> str | None:
    return base64.b64encode(bytes(md5)).decode() if md5 else None
