"""How a dataset comes to its blob: `datasets/<name>/<version><extension>` of the data container.

There batch jobs, `./dev data` and stacks find it as any other data version: `datasets/<name>/{version}.csv`.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from graph import ModuleError, read_table
from localcloud.blobs.locations import Location, local_location
from localcloud.facilities.cloud import Cloud
from tables import ENDINGS

CONTAINER = "data"
_LARGEST_READ = 64 * 1024 * 1024
_LONGEST_FOLDER = 100

COMPLETE, FAILED, NOT_SUPPORTED = "Complete", "Failed", "NotSupported"


class StorageFailed(Exception):
    """The blob store did not do what it was asked for."""


def folder_of(name: str) -> str:
    """The folder of a dataset's versions: its name, with `-` for what would mean something in a path."""
    plain = re.sub(r"[^\w.-]+", "-", name).strip("-.")[:_LONGEST_FOLDER]
    return f"{CONTAINER}/datasets/{plain or 'dataset'}"


def store(cloud: Cloud, folder: str, version: int, extension: str, file: Path, rows: int | None) -> str:
    """Write a version to its blob, or to that of a later number where other bytes are; the place it has.

    Raises `StorageFailed`.
    """
    # Half a second of imports that the server should not wait for when it starts.
    from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
    from azure.storage.blob import ContentSettings

    with file.open("rb") as content:
        digest = hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).digest()
    metadata = {} if rows is None else {"rows": str(rows)}
    while True:
        place = local_location(cloud, f"{folder}/{version}{extension}")
        with _failing(place), place.client(patient=False) as client:
            try:
                with file.open("rb") as content:
                    settings = ContentSettings(content_md5=bytearray(digest))
                    client.upload_blob(content, content_settings=settings, metadata=metadata)
                return place.relative
            except ResourceNotFoundError:
                place.create_container()
            except ResourceExistsError:
                there = client.get_blob_properties().content_settings.content_md5
                if there and bytes(there) == digest:
                    return place.relative
                version += 1


def remove(cloud: Cloud, place: str) -> None:
    """Delete a version's blob, if it is there. Raises `StorageFailed`."""
    from azure.core.exceptions import ResourceNotFoundError

    location = local_location(cloud, place)
    with (
        _failing(location),
        location.client(patient=False) as client,
        contextlib.suppress(ResourceNotFoundError),
    ):
        client.delete_blob()


def look(file: Path, extension: str) -> tuple[str, int | None]:
    """Whether a file is the table that its extension says, and its rows: as far as such files can be read."""
    if extension not in ENDINGS or file.stat().st_size > _LARGEST_READ:
        return NOT_SUPPORTED, None
    try:
        return COMPLETE, len(read_table(file.read_bytes(), extension, typed=False))
    except ModuleError:
        return FAILED, None


@contextlib.contextmanager
def _failing(place: Location) -> Iterator[None]:
    from azure.core.exceptions import AzureError

    try:
        yield
    except AzureError as error:
        code = str(getattr(error, "error_code", None) or type(error).__name__).rsplit(".", 1)[-1]
        raise StorageFailed(f"the blob {place.relative} cannot be written: {code}") from None
