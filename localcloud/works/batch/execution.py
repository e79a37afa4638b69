"""What a job does: read its inputs, compute, and only then write all outputs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from azure.core.exceptions import AzureError, ResourceNotFoundError

from localcloud.blobs.locations import Location
from localcloud.works.batch.computing import JobFailure, TableBlob, Task, compute
from localcloud.works.batch.jobs import JobProgress
from localcloud.works.batch.places import OWN_CONTAINER
from tables import ending

_MISSING_BLOB = frozenset({"BlobNotFound", "ContainerNotFound", "ResourceNotFoundError", "ResourceNotFound"})


def run_job(order: Mapping[str, Any], on_progress: Callable[[JobProgress], None]) -> dict[str, Any]:
    """Run one job as `localcloud.works.batch.runner` ordered it; hash and size of each output.

    Raises `JobFailure` for what the graph or the blob store refuses. No output is written before all are there.
    """
    return deliver(order, compute(gather(order), on_progress))


def gather(order: Mapping[str, Any]) -> Task:
    """An order's blobs and models, read. Raises `JobFailure`."""
    return Task(
        package=order["package"],
        parameters=order["parameters"],
        resources={name: Path(path).read_bytes() for name, path in order["resources"].items()},
        inputs={name: _read(name, Location(**location)) for name, location in order["inputs"].items()},
        outputs={name: _kind(Location(**location)) for name, location in order["outputs"].items()},
    )


def deliver(order: Mapping[str, Any], contents: Mapping[str, bytes]) -> dict[str, Any]:
    """Write an order's outputs; hash and size of each. Raises `JobFailure`."""
    for name, content in contents.items():
        _write(name, Location(**order["outputs"][name]), content)
    return {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in contents.items()
    }


def _kind(place: Location) -> str:
    return ending(place.name) or ".csv"


def _read(name: str, place: Location) -> TableBlob:
    try:
        with place.client() as client:
            download = client.download_blob(max_concurrency=1, decompress=False)
            content = download.readall()
    except AzureError as error:
        raise _blob_failure(name, place, error) from None
    claimed = download.properties.content_settings.content_md5
    if claimed and bytes(claimed) != hashlib.md5(content, usedforsecurity=False).digest():
        raise JobFailure(
            f"{name}: InvalidBlob: {place.relative} does not have the content that its Content-MD5 claims"
        )
    return TableBlob(content, _kind(place), place.relative)


def _write(name: str, place: Location, content: bytes) -> None:
    try:
        with place.client() as client:
            try:
                client.upload_blob(content, overwrite=True)
            except ResourceNotFoundError:
                if client.container_name != OWN_CONTAINER:
                    raise
                place.create_container()
                client.upload_blob(content, overwrite=True)
    except AzureError as error:
        raise _blob_failure(name, place, error) from None


def _blob_failure(name: str, place: Location, error: AzureError) -> JobFailure:
    code = str(getattr(error, "error_code", None) or type(error).__name__)
    code = code.rsplit(".", 1)[-1]
    if code in _MISSING_BLOB:
        return JobFailure(f"{name}: {code}: there is no blob {place.relative}")
    status = getattr(error, "status_code", None)
    return JobFailure(
        f"{name}: {code}{f' ({status})' if status else ''}: the blob {place.relative} cannot be reached"
    )
