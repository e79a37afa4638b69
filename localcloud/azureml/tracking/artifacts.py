"""Files of runs and logged models, by way of the tracking server: `mlflow-artifacts:` is what clients know them by.

They lie in the workspace's artifact store, at the same path.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator
from typing import IO, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from localcloud.azureml.assets import blobs
from localcloud.azureml.assets.blobs import Place
from localcloud.azureml.assets.places import ARTIFACT_STORE, Workspace
from localcloud.azureml.tracking.access import Caller
from localcloud.azureml.tracking.errors import TrackingError, invalid, missing
from localcloud.azureml.tracking.state import Tracking

_IN_MEMORY = 4 * 1024 * 1024
_OF_RUN = re.compile(r"ExperimentRun/dcid\.([^/]+)(/.*)?")


async def answer(
    request: Request, tracking: Tracking, workspace: Workspace, caller: Caller, path: str
) -> Response:
    """Upload, download, delete or list files. Raises TrackingError."""
    if ".." in path.split("/") or path.startswith("/"):
        raise invalid(f"Invalid path: '{path}'")
    place = Place(workspace.built_in[ARTIFACT_STORE], path)
    if request.method == "GET":
        if path:
            return await _download(workspace, place)
        return JSONResponse(
            {"files": await _list(workspace, place.under(request.query_params.get("path", "")))}
        )
    caller.check_writes()
    if found := _OF_RUN.fullmatch(path):
        caller.check_write(tracking.run(workspace.guid, found[1]))
    elif caller.job:
        raise TrackingError("PERMISSION_DENIED", "A job writes below its own run only.")
    if request.method == "DELETE":
        await asyncio.to_thread(blobs.delete, workspace.cloud, place)
    else:
        await _upload(request, workspace, place)
    return JSONResponse({})


async def listing(workspace: Workspace, run: str, path: str) -> dict[str, Any]:
    """What `artifacts/list` answers: paths are relative to the run's artifacts."""
    root = workspace.artifacts(run)
    files = await _list(workspace, root.under(path))
    prefix = f"{path.strip('/')}/" if path.strip("/") else ""
    return {
        "root_uri": f"mlflow-artifacts:/{root.path}",
        "files": [{**one, "path": f"{prefix}{one['path']}"} for one in files],
    }


async def _list(workspace: Workspace, place: Place) -> list[dict[str, Any]]:
    def look() -> list[dict[str, Any]]:
        from azure.core.exceptions import ResourceNotFoundError

        prefix = f"{place.path.rstrip('/')}/" if place.path else ""
        found = []
        with blobs.container_client(workspace.cloud, place.container) as client:
            try:
                for one in client.walk_blobs(name_starts_with=prefix, delimiter="/"):
                    name = one.name[len(prefix) :].rstrip("/")
                    size = getattr(one, "size", None)
                    file = {"path": name, "is_dir": False, "file_size": size}
                    found.append(file if size is not None else {"path": name, "is_dir": True})
            except ResourceNotFoundError:
                return []
        return found

    return await asyncio.to_thread(look)


async def _upload(request: Request, workspace: Workspace, place: Place) -> None:
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        async for part in request.stream():
            await asyncio.to_thread(file.write, part) if len(part) > _IN_MEMORY else file.write(part)
        file.seek(0)
        await asyncio.to_thread(_put, workspace, place, file)


def _put(workspace: Workspace, place: Place, file: IO[bytes]) -> None:
    blobs.make_container(workspace.cloud, place.container)
    with blobs.container_client(workspace.cloud, place.container) as client:
        client.upload_blob(place.path, file, overwrite=True)


async def _download(workspace: Workspace, place: Place) -> Response:
    from azure.core.exceptions import ResourceNotFoundError

    client = blobs.container_client(workspace.cloud, place.container)
    try:
        stream = await asyncio.to_thread(client.download_blob, place.path)
    except ResourceNotFoundError:
        client.close()
        raise missing("artifact", place.path) from None

    async def parts() -> AsyncIterator[bytes]:
        try:
            chunks = stream.chunks()
            while part := await asyncio.to_thread(next, chunks, b""):
                yield part
        finally:
            client.close()

    return StreamingResponse(
        parts(), media_type="application/octet-stream", headers={"Content-Length": str(stream.size)}
    )
