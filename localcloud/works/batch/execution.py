"""What a job does: read its inputs, run the graph, and only then write all outputs."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import ContainerClient

from graph import GraphError, InvalidModel, ModuleError, Progress, parse_experiment, run
from graph.tables import read_table, write_table
from localcloud.blobs.locations import Location
from localcloud.works.batch.jobs import JobProgress
from localcloud.works.batch.places import OWN_CONTAINER, TABLES, extension

_MISSING_BLOB = frozenset({"BlobNotFound", "ContainerNotFound", "ResourceNotFoundError", "ResourceNotFound"})


class JobFailure(Exception):
    """Why a job failed, in one line."""


def run_job(order: Mapping[str, Any], on_progress: Callable[[JobProgress], None]) -> dict[str, Any]:
    """Run one job as `localcloud.works.batch.runner` ordered it; hash and size of each output.

    Raises `JobFailure` for what the graph or the blob store refuses. No output is written before all are there.
    """
    try:
        experiment = parse_experiment(order["package"])
        inputs = {
            name: _read(name, Location(**location), typed=not experiment.resources)
            for name, location in order["inputs"].items()
        }
        produced = run(
            experiment,
            inputs,
            resources={name: Path(path).read_bytes() for name, path in order["resources"].items()},
            parameters=order["parameters"],
            progress=lambda progress: on_progress(_shown(progress)),
        )
    except (ModuleError, GraphError, InvalidModel) as error:
        raise JobFailure(str(error)) from None
    places = {name: Location(**location) for name, location in order["outputs"].items()}
    contents = {name: _content(produced[name], place) for name, place in places.items()}
    for name, content in contents.items():
        _write(name, places[name], content)
    return {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in contents.items()
    }


def _shown(progress: Progress) -> JobProgress:
    return JobProgress(Module=progress.module, Rows=progress.rows, Done=progress.done, Total=progress.total)


def _read(name: str, place: Location, *, typed: bool) -> pd.DataFrame:
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
    try:
        return read_table(content, extension(place.name, TABLES) or ".csv", name, typed=typed)
    except ModuleError as error:
        raise JobFailure(f"{error} The blob is {place.relative}.") from None


def _content(value: bytes | pd.DataFrame, place: Location) -> bytes:
    if isinstance(value, bytes):
        return value
    return write_table(value, extension(place.name, TABLES) or ".csv")


def _write(name: str, place: Location, content: bytes) -> None:
    try:
        with place.client() as client:
            try:
                client.upload_blob(content, overwrite=True)
            except ResourceNotFoundError:
                if client.container_name != OWN_CONTAINER:
                    raise
                _create_own_container(place)
                client.upload_blob(content, overwrite=True)
    except AzureError as error:
        raise _blob_failure(name, place, error) from None


def _create_own_container(place: Location) -> None:
    """The workspace's container for results comes into being with its first one."""
    credential = {"account_name": place.account, "account_key": place.key}
    with (
        ContainerClient(place.base.rstrip("/"), OWN_CONTAINER, credential=credential) as container,
        contextlib.suppress(ResourceExistsError),
    ):
        container.create_container()


def _blob_failure(name: str, place: Location, error: AzureError) -> JobFailure:
    code = str(getattr(error, "error_code", None) or type(error).__name__)
    code = code.rsplit(".", 1)[-1]
    if code in _MISSING_BLOB:
        return JobFailure(f"{name}: {code}: there is no blob {place.relative}")
    status = getattr(error, "status_code", None)
    return JobFailure(
        f"{name}: {code}{f' ({status})' if status else ''}: the blob {place.relative} cannot be reached"
    )
