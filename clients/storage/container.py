"""Blob containers over azure-storage-blob: listings, conditional writes, read-only SAS."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from clients.errors import Conflict, CredentialError, NotFound, ServiceError, Unreachable
from clients.http.transport import refused, wrong_clock
from clients.storage.listing import listed
from clients.storage.reference import Blob, BlobRef

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

# What the SDK leaves as it is in the path of a blob's address.
_AS_IT_IS = "~/"
# The SDK's own first retry comes after 15 s and its last after 90; these after about 1, 3, 5 and 9.
_RETRIES: dict[str, Any] = {
    "retry_total": 4,
    "initial_backoff": 1,
    "increment_base": 2,
    "random_jitter_range": 1,
}
# What a reader holds of a blob at once; the SDK's own first piece has 32 MB.
_PIECES: dict[str, Any] = {"max_single_get_size": 4 * 2**20, "max_chunk_get_size": 4 * 2**20}

# Codes that say that a condition was lost: https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
_LOST = frozenset(("", "BlobAlreadyExists", "ConditionNotMet", "TargetConditionNotMet"))
# SHA-256 by a blob's address and ETag.
_hashes: dict[tuple[str, str], str] = {}
# Content-MD5 and the size are of the bytes as they are stored, whatever Content-Encoding says.
_AS_STORED: dict[str, Any] = {"decompress": False}


class Container:
    """One blob container.

    Raises NotFound for a missing container or blob, Conflict for a lost condition, CredentialError, Unreachable,
    ServiceError.
    """

    def __init__(self, connection_string: str, name: str, remedy: str) -> None:
        self.name = name
        self._connection_string = connection_string
        self._remedy = remedy

    @cached_property
    def _client(self) -> ContainerClient:
        return _opened(self._connection_string, self.name)

    def url(self, name: str) -> str:
        """The address of a blob, without a credential."""
        return str(self._client.get_blob_client(name).url).partition("?")[0]

    def list(self, prefix: str = "", *, metadata: bool = False) -> list[Blob]:
        """All blobs under *prefix*, in one paged listing, ordered by name; with their *metadata* where that is wanted."""
        with self._errors(prefix):
            return [*listed(self._listable, prefix, metadata=metadata)]

    def read(self, name: str) -> tuple[bytes, str]:
        """Content and ETag of a blob."""
        with self._errors(name):
            download = self._client.download_blob(name, **_AS_STORED)
            return download.readall(), download.properties.etag

    def chunks(self, name: str, etag: str) -> Iterator[bytes]:
        """The content of a blob in pieces, whatever its size. Raises Conflict where its ETag is not *etag* any more."""
        from azure.core import MatchConditions

        with self._errors(name):
            yield from self._client.download_blob(
                name, etag=etag, match_condition=MatchConditions.IfNotModified, **_AS_STORED
            ).chunks()

    def sha256(self, name: str, etag: str) -> str:
        """The SHA-256 of a blob's bytes, read once in a process. Raises Conflict where its ETag is not *etag* any more."""
        key = (self.url(name), etag)
        if key not in _hashes:
            found = hashlib.sha256()
            for chunk in self.chunks(name, etag):
                found.update(chunk)
            _hashes[key] = found.hexdigest()
        return _hashes[key]

    def read_start(self, name: str, size: int) -> bytes:
        """The first *size* bytes of a blob, or all of a smaller one."""
        return self.read_range(name, 0, size)

    def read_range(self, name: str, start: int, size: int) -> bytes:
        """*size* bytes of a blob from *start* on, or fewer where it ends before."""
        from azure.core.exceptions import HttpResponseError

        with self._errors(name):
            try:
                return bytes(
                    self._client.download_blob(name, offset=start, length=size, **_AS_STORED).readall()
                )
            except HttpResponseError as error:
                if error.status_code == 416:  # it ends before
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

    def write(
        self, name: str, content: bytes, *, etag: str | None, metadata: Mapping[str, str] | None = None
    ) -> str:
        """Store *content* with its Content-MD5 if the blob still has *etag* (None: does not exist); its new ETag.

        *metadata* (names, and ASCII texts of 8 KB in all) is what a listing tells of it. Raises Conflict where it was changed in between.
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
            kept = dict(metadata) if metadata else None
            return str(
                blob.upload_blob(content, content_settings=settings, metadata=kept, **condition)["etag"]
            )

    def delete(self, name: str, *, etag: str | None = None) -> None:
        """Delete a blob, if it still has *etag* where one is given; one that is gone is not an error. Raises Conflict."""
        from azure.core import MatchConditions

        unchanged: dict[str, Any] = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
        try:
            with self._errors(name):
                self._client.delete_blob(name, **(unchanged if etag else {}))
        except NotFound:
            return
        except Conflict:  # also the answer where there is none
            if self.stat(name) is not None:
                raise

    def readable(self, name: str) -> BlobRef:
        """A reference that lets its holder read this one blob for a day (a SAS with ``sr=b``, ``sp=r``)."""
        from azure.storage.blob import BlobSasPermissions, generate_blob_sas

        key = self._key
        if not key:
            raise CredentialError(
                f"the connection string of {self.name!r} has no AccountKey, so that no blob can be opened to a service",
                "give a connection string with AccountName and AccountKey",
            )
        account, read = str(self._client.account_name), BlobSasPermissions(read=True)
        signature = generate_blob_sas(
            account, self.name, name, account_key=key, permission=read, **_for_a_day()
        )
        return BlobRef(self._base, f"{self.name}/{quote(name, safe=_AS_IT_IS)}", signature=f"?{signature}")

    @property
    def _key(self) -> str:
        """The account's key; empty where the connection string has a signature instead."""
        return str(getattr(self._client.credential, "account_key", ""))

    @property
    def _listable(self) -> str:
        """The container's address with what lets its holder list it."""
        from azure.storage.blob import ContainerSasPermissions, generate_container_sas

        address = str(self._client.url)
        if not self._key:
            return address
        signature = generate_container_sas(
            str(self._client.account_name),
            self.name,
            account_key=self._key,
            permission=ContainerSasPermissions(list=True),
            **_for_a_day(),
        )
        return f"{address}?{signature}"

    def writable(self, name: str) -> BlobRef:
        """A reference that lets its holder write this blob: by connection string."""
        return BlobRef(self._base, f"{self.name}/{name}", connection=self._connection_string)

    @property
    def _base(self) -> str:
        """The account's address."""
        return str(self._client.primary_endpoint).rsplit("/", 1)[0] + "/"

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
        except (azure.ServiceRequestError, azure.ServiceResponseError) as error:
            from clients.http.connections import what_is_missing_here

            gone = (f"the storage account of {self.name!r} does not answer", self._remedy)
            raise Unreachable(*(what_is_missing_here(error) or gone)) from None
        except azure.HttpResponseError as error:
            code = getattr(error, "error_code", None) or ""
            code = str(getattr(code, "value", code))
            if error.status_code in (409, 412) and code in _LOST:
                raise Conflict(
                    f"{where} was changed by somebody else", "run the update again", status=412
                ) from None
            if error.status_code in (401, 403):
                remedy = {
                    "AuthorizationFailure": "let this machine through the storage account's network rules",
                    "AuthorizationPermissionMismatch": "give a signature that may read, write, list and delete",
                }.get(
                    code, "check the storage credential (locally: ./dev cloud stop, then ./dev cloud start)"
                )
                raise CredentialError(
                    f"the storage account refused the credential for {where}{code and f' ({code})'}",
                    wrong_clock(getattr(error.response, "headers", {})) or remedy,
                ) from None
            status = error.status_code or 0
            said = f"storage answered {status} {code} for {where}: {error.reason}".replace("  ", " ")
            cause, remedy = {
                "BlobArchived": (
                    f"{where} is in the archive tier",
                    "move it to another tier, such as Cool, wait until it is there, then run it again",
                ),
                "BlobImmutableDueToPolicy": (
                    f"{where} is held by an immutability policy or a legal hold",
                    "end that policy or hold, then run the update again",
                ),
                "LeaseIdMissing": (
                    f"somebody holds a lease on {where}",
                    "end the lease, then run the update again",
                ),
            }.get(code, (said, refused(status)))
            raise ServiceError(cause, remedy, status=status, code=code) from None


@cache
def _opened(connection_string: str, name: str) -> ContainerClient:
    from azure.storage.blob import ContainerClient

    from clients.http import connections
    from clients.storage.account import judge

    judge(connection_string)
    try:
        return ContainerClient.from_connection_string(
            connection_string, name, transport=connections.for_azure(), **_RETRIES, **_PIECES
        )
    except ValueError:
        raise CredentialError(
            f"the storage connection string opens no container {name!r}", "check it, and the container's name"
        ) from None


def _for_a_day() -> dict[str, Any]:
    """How long a signature is good; somebody's clock may be late."""
    now = datetime.now(UTC)
    return {"start": now - timedelta(minutes=5), "expiry": now + timedelta(days=1)}


def _base64(md5: bytearray | None) -> str | None:
    return base64.b64encode(bytes(md5)).decode() if md5 else None
