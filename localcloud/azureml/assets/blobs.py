"""Blobs of the local account, by container and path: what runs in threads, since its clients wait.

Nothing here follows a name or a link out of its folder.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localcloud.facilities.cloud import Cloud

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

_BACKDATED = timedelta(minutes=5)
_TIMEOUTS: dict[str, Any] = {
    "connection_timeout": 10,
    "read_timeout": 120,
    "retry_total": 4,
    "initial_backoff": 1,
}


class OutOfFolder(Exception):
    """A name or a link that leads out of its folder."""


class NoBlobs(Exception):
    """Nothing is there, or nothing that can be read."""


@dataclass(frozen=True)
class Place:
    """Blobs of the local account: one by its name, or all below a path ("": all of the container)."""

    container: str
    path: str = ""

    def under(self, *parts: str) -> Place:
        """A place below."""
        return Place(
            self.container, "/".join(part.strip("/") for part in (self.path, *parts) if part.strip("/"))
        )

    def url(self, cloud: Cloud) -> str:
        """Its address, without a signature."""
        return f"{cloud.blob}/{self.container}/{self.path}".rstrip("/")


def container_client(cloud: Cloud, container: str) -> ContainerClient:
    """A client of a container; close it."""
    # Half a second of imports that the server should not wait for when it starts.
    from azure.storage.blob import ContainerClient

    credential = {"account_name": cloud.account, "account_key": cloud.account_key}
    return ContainerClient(cloud.blob, container, credential=credential, **_TIMEOUTS)


def make_container(cloud: Cloud, container: str) -> None:
    """Make a container, if there is none."""
    from azure.core.exceptions import ResourceExistsError

    with container_client(cloud, container) as client, contextlib.suppress(ResourceExistsError):
        client.create_container()


def remove_container(cloud: Cloud, container: str) -> None:
    """Delete a container with its blobs, if there is one."""
    from azure.core.exceptions import ResourceNotFoundError

    with container_client(cloud, container) as client, contextlib.suppress(ResourceNotFoundError):
        client.delete_container()


def signed(cloud: Cloud, place: Place, permission: str, hours: float = 24) -> str:
    """The query of a SAS for one blob, or, without a path, for a container."""
    from azure.storage.blob import generate_blob_sas, generate_container_sas

    start = datetime.now(UTC) - _BACKDATED
    lasting: dict[str, Any] = {
        "permission": permission,
        "start": start,
        "expiry": start + timedelta(hours=hours),
    }
    if place.path:
        return generate_blob_sas(
            cloud.account, place.container, place.path, account_key=cloud.account_key, **lasting
        )
    return generate_container_sas(cloud.account, place.container, account_key=cloud.account_key, **lasting)


def names(client: ContainerClient, place: Place) -> Iterator[tuple[str, str]]:
    """The blobs of a place, each with its name within it; a single blob has its own."""
    from azure.core.exceptions import ResourceNotFoundError

    path = place.path.rstrip("/")
    with contextlib.suppress(ResourceNotFoundError):
        if path and not place.path.endswith("/") and client.get_blob_client(path).exists():
            yield path, path.rpartition("/")[2]
            return
        prefix = f"{path}/" if path else ""
        for name in client.list_blob_names(name_starts_with=prefix):
            if within := name[len(prefix) :].strip("/"):
                yield name, within


@contextlib.contextmanager
def _reading(cloud: Cloud, place: Place) -> Iterator[ContainerClient]:
    """A client of a place's container; what the blob store refuses, or does not answer, is `NoBlobs`."""
    from azure.core.exceptions import AzureError

    try:
        with container_client(cloud, place.container) as client:
            yield client
    except AzureError as error:
        reason = str(error).partition("\n")[0]
        raise NoBlobs(f"{place.container}/{place.path} cannot be read: {reason}") from None


def is_blob(cloud: Cloud, place: Place) -> bool:
    """Whether a place is one blob, not a folder of some. Raises `NoBlobs` where nobody can say."""
    with _reading(cloud, place) as client:
        return bool(place.path) and bool(client.get_blob_client(place.path).exists())


def exist(cloud: Cloud, place: Place) -> bool:
    """Whether there is a blob."""
    with container_client(cloud, place.container) as client:
        return next(names(client, place), None) is not None


def download(cloud: Cloud, place: Place, folder: Path) -> list[Path]:
    """Bring the blobs of a place into a folder; the files. Raises `NoBlobs` and `OutOfFolder`."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    with _reading(cloud, place) as client:
        for name, within in names(client, place):
            path = _inside(folder / within, folder)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                client.download_blob(name).readinto(file)
            found.append(path)
    if not found:
        raise NoBlobs(f"there is nothing at {place.container}/{place.path}")
    return found


def upload(cloud: Cloud, source: Path, place: Place) -> int:
    """Bring a file, or all files below a folder, to a place; how many. Raises `OutOfFolder`."""
    _inside(source, source.parent)
    files = [source] if source.is_file() else sorted(path for path in source.rglob("*") if path.is_file())
    with container_client(cloud, place.container) as client:
        for path in files:
            name = place if path == source else place.under(path.relative_to(source).as_posix())
            with _inside(path, source).open("rb") as file:
                client.upload_blob(name.path, file, overwrite=True)
    return len(files)


def delete(cloud: Cloud, place: Place) -> None:
    """Delete the blobs of a place."""
    with container_client(cloud, place.container) as client:
        for name, _ in list(names(client, place)):
            client.delete_blob(name)


def _inside(path: Path, folder: Path) -> Path:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise OutOfFolder(f"'{path.name}' leads out of its folder")
    return path
