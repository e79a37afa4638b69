"""The examples' data in the local cloud: the containers that outlive every stack, and a blob for each data version.

What is there is left alone: a blob is uploaded only where it is missing or its Content-MD5 differs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cli.errors import CliError
from cli.project import ROOT

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

    from cli.cloud.settings import Cloud

EXAMPLE = Path(__file__).with_name("example_data.py")


def _fingerprint() -> str:
    """What the uploaded data depends on: the code that makes it and the locked packages it is made from."""
    parts = [EXAMPLE.read_bytes(), (ROOT / "requirements.lock").read_bytes()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def done(directory: Path) -> bool:
    """Whether the data was uploaded, as this checkout would do it now."""
    stamp = directory / "seeded"
    return stamp.exists() and stamp.read_text() == _fingerprint()


def lost(cloud: Cloud) -> bool:
    """Whether a container that was made is not there any more."""
    from azure.storage.blob import BlobServiceClient

    credential = {"account_name": cloud.account, "account_key": cloud.accountKey}
    with BlobServiceClient(cloud.blob, credential=credential) as service:
        there = {container.name for container in service.list_containers()}
    return not {cloud.dataContainer, cloud.registryContainer} <= there


def upload(cloud: Cloud, directory: Path, say: Callable[[str], None]) -> None:
    """Create the data and registry containers, and upload the example's data, where they are missing."""
    from azure.core.exceptions import AzureError
    from azure.storage.blob import BlobServiceClient

    from cli.cloud.example_data import ExampleDataMissing

    credential = {"account_name": cloud.account, "account_key": cloud.accountKey}
    try:
        with BlobServiceClient(cloud.blob, credential=credential) as service:
            _containers(service, [cloud.dataContainer, cloud.registryContainer])
            _blobs(service, cloud.dataContainer, say)
    except AzureError as error:
        raise CliError(
            f"the example's data can't be uploaded to the local cloud: {error}",
            "./dev cloud stop, then run the command again; ./dev cloud logs shows more",
        ) from None
    except ExampleDataMissing as error:
        raise CliError(str(error), "delete .venv and run the command again") from None
    (directory / "seeded").write_text(_fingerprint())


def _containers(service: BlobServiceClient, names: list[str]) -> None:
    there = {container.name for container in service.list_containers()}
    for name in names:
        if name not in there:
            service.create_container(name)


def _blobs(service: BlobServiceClient, container: str, say: Callable[[str], None]) -> None:
    from azure.storage.blob import ContentSettings

    from cli.cloud.example_data import example_blobs

    client = service.get_container_client(container)
    there = {blob.name: bytes(blob.content_settings.content_md5 or b"") for blob in client.list_blobs()}
    uploaded = 0
    for name, content in example_blobs():
        digest = hashlib.md5(content, usedforsecurity=False).digest()
        if there.get(name) == digest:
            continue
        if not uploaded:
            say("uploading the examples' data, one blob for each data version")
        settings = ContentSettings(content_type="text/csv", content_md5=bytearray(digest))
        client.upload_blob(
            name, content, overwrite=True, content_settings=settings, metadata={"rows": str(_rows(content))}
        )
        uploaded += 1


def _rows(content: bytes) -> int:
    """How many rows a CSV with a header has (no field of the example's holds a line end)."""
    return content.count(b"\n") - 1
