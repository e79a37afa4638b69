"""Blob references (``AzureBlobDataReference``) and the blobs they mean.

Two forms: a ConnectionString with a RelativeLocation of ``container/path``, or BaseLocation, RelativeLocation and
SasBlobToken, which only mean something when written one after the other: clients re-split that URL at other
places than we do.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from localcloud.facilities.cloud import Cloud
from localcloud.facilities.errors import BadArgument
from localcloud.facilities.wire import member

if TYPE_CHECKING:
    from azure.storage.blob import BlobClient

_BACKDATED = timedelta(minutes=5)
_VALID = timedelta(days=1)
_LONGEST_NAME = 1024
_AZURE = ".blob.core.windows.net"
_TIMEOUTS: dict[str, Any] = {
    "connection_timeout": 10,
    "read_timeout": 120,
    "retry_total": 2,
    "initial_backoff": 1,
}


@dataclass(frozen=True)
class Location:
    """A blob: `base` ends with a slash, `relative` begins without one; with a key, or with a SAS (or neither).

    With a key `relative` is the container and the blob's name as they are, else a part of an address.
    """

    base: str
    relative: str
    account: str = ""
    key: str = field(default="", repr=False)
    sas: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """The file name."""
        if self.key:
            return self.relative.rpartition("/")[2]
        return unquote(urlsplit(self.base + self.relative).path).rsplit("/", 1)[-1]

    @property
    def path(self) -> str:
        """What follows `base` in the blob's address; a name that came with a key is not quoted yet."""
        return quote(self.relative, safe="~/") if self.key else self.relative

    def read_url(self) -> str:
        """A URL that a plain GET can read."""
        return f"{self.base}{self.path}{self.read_sas()}"

    def read_sas(self, *, expired: bool = False) -> str:
        """A SAS for this blob (``sr=b``, ``sp=r``, 24 h 5 min from five minutes ago), or the one it came with.

        A fresh one, or one that `expired` about a day ago.
        """
        if not self.key:
            return self.sas
        # Half a second of imports that the server should not wait for when it starts.
        from azure.storage.blob import BlobSasPermissions, generate_blob_sas

        start = datetime.now(UTC) - _BACKDATED - (2 * _VALID if expired else timedelta())
        container, _, blob = self.relative.partition("/")
        token = generate_blob_sas(
            self.account,
            container,
            blob,
            account_key=self.key,
            permission=BlobSasPermissions(read=True),
            start=start,
            expiry=start + _BACKDATED + _VALID,
        )
        return f"?{token}"

    def client(self, *, patient: bool = True) -> BlobClient:
        """A client of the blob, for reading and writing; one that is not patient says at once what failed."""
        from azure.storage.blob import BlobClient

        options = _TIMEOUTS if patient else _TIMEOUTS | {"retry_total": 0}
        if not self.key:
            return BlobClient.from_blob_url(f"{self.base}{self.relative}{self.sas}", **options)
        container, _, blob = self.relative.partition("/")
        return BlobClient(
            self.base.rstrip("/"),
            container,
            blob,
            credential={"account_name": self.account, "account_key": self.key},
            **options,
        )

    def create_container(self) -> None:
        """Make the container of a blob that came with a key, if it is not there."""
        from azure.core.exceptions import ResourceExistsError
        from azure.storage.blob import ContainerClient

        credential = {"account_name": self.account, "account_key": self.key}
        with (
            ContainerClient(
                self.base.rstrip("/"), self.relative.partition("/")[0], credential=credential, **_TIMEOUTS
            ) as container,
            suppress(ResourceExistsError),
        ):
            container.create_container()


def local_location(cloud: Cloud, relative: str) -> Location:
    """A blob of the local account."""
    return Location(f"{cloud.blob}/", relative, cloud.account, cloud.account_key)


def readable(location: Location, cloud: Cloud) -> Location:
    """The same blob by the account's key where it is ours: a SAS that a job wrote with can't serve for reading."""
    ours, url = f"{cloud.blob}/", unquote(location.base + location.relative)
    return local_location(cloud, url[len(ours) :]) if url.startswith(ours) and not location.key else location


def locate_blob(reference: Mapping[str, Any], cloud: Cloud, target: str, *, fresh: bool = True) -> Location:
    """The blob that a reference means.

    Raises `BadArgument` about `target` for one that means none, and, if it must be `fresh`, for an expired SAS.
    """
    connection = _text(reference, "ConnectionString", target)
    base, sas = _text(reference, "BaseLocation", target), _text(reference, "SasBlobToken", target)
    relative = _text(reference, "RelativeLocation", target).lstrip("/")
    if not relative:
        raise BadArgument(
            "InputBlobRelativeLocationInvalid", f"{target}: RelativeLocation is missing or empty", target
        )
    if connection:
        return _by_connection_string(connection, relative, cloud, target)
    if not base:
        raise BadArgument(
            "MissingInputBlobInformation",
            f"{target}: neither ConnectionString nor BaseLocation is given",
            target,
        )
    if not _is_address(base):
        raise BadArgument(
            "BadParameterValue", f"{target}: BaseLocation is not an http or https address", target
        )
    if sas and not sas.startswith("?"):
        sas = f"?{sas}"
    if fresh:
        _refuse_expired(sas, target)
    if is_azures(base):
        base = f"{cloud.blob}{urlsplit(base).path}"
    return Location(base.rstrip("/") + "/", relative, sas=sas)


def is_azures(address: str) -> bool:
    """Whether an address is in a storage account of Azure: every such account is the one local account."""
    return (urlsplit(address).hostname or "").endswith(_AZURE)


def _is_address(base: str) -> bool:
    try:
        parts = urlsplit(base)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bracket without its other, a port that is none
        return False


def _text(reference: Mapping[str, Any], name: str, target: str) -> str:
    value = member(reference, name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadArgument("BadParameterValue", f"{target}: {name} is not a string", target)
    return value.strip()


def _by_connection_string(connection: str, relative: str, cloud: Cloud, target: str) -> Location:
    parts = dict(part.split("=", 1) for part in connection.split(";") if "=" in part)
    named = {name.strip().lower(): value.strip() for name, value in parts.items()}
    account, key = named.get("accountname", ""), named.get("accountkey", "")
    if not account or not key:
        raise BadArgument(
            "InvalidBlobConnectionString",
            f"{target}: the ConnectionString lacks AccountName or AccountKey",
            target,
        )
    container, _, blob = relative.partition("/")
    if not blob or not 3 <= len(container) <= 63:
        raise BadArgument(
            "ContainerSegmentInvalid", f"{target}: RelativeLocation must be container/path", target
        )
    if len(blob) > _LONGEST_NAME:
        raise BadArgument(
            "BlobNameTooLong", f"{target}: a blob's name has at most {_LONGEST_NAME} characters", target
        )
    base = named.get("blobendpoint", "")
    if base and not _is_address(base):
        raise BadArgument(
            "InvalidBlobConnectionString",
            f"{target}: the ConnectionString's BlobEndpoint is not an http or https address",
            target,
        )
    if not base or is_azures(base):
        # Every account a stack declares is the one local account, whatever its name.
        base, account = cloud.blob, cloud.account
    return Location(base.rstrip("/") + "/", relative, account, key)


def _refuse_expired(sas: str, target: str) -> None:
    expiry = parse_qs(sas.lstrip("?")).get("se", [""])[0]
    try:
        ends = datetime.fromisoformat(expiry)
    except ValueError:
        return
    if (ends if ends.tzinfo else ends.replace(tzinfo=UTC)) < datetime.now(UTC):
        raise BadArgument("ExpiryTimeInThePast", f"{target}: the SAS expired at {expiry}", target)
