"""Routes of datasets: ``/api/workspaces/{ws}/datasources...``, ``/api/resourceuploads/...``, ``/api/blobuploads/...``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import ParamSpec, TypeVar
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from localcloud.facilities.errors import BadArgument
from localcloud.facilities.wire import json_object, member
from localcloud.studio.datasets import errors
from localcloud.studio.datasets.wire import data_type, dataset_json, description
from localcloud.studio.workspaces.opening import open_workspace
from localcloud.works.context import Works, works_of
from localcloud.works.datasets import storing
from localcloud.works.datasets.state import EXTENSIONS, Description
from localcloud.works.datasets.uploads import LARGEST, MOST_BLOCKS, TooManyBytes, Upload

_R = "R"

P = ParamSpec("P")
Value = TypeVar("Value")


async def list_datasets(request: Request) -> Response:
    """GET the datasets, each in its last version."""
    works, workspace = works_of(request), open_workspace(request)
    datasets = works.datasets.latest(workspace.id)
    if not datasets and request.headers.get("user-agent") == _R:
        # The R client fails on an empty list, which Studio with its samples never had; it takes null for one.
        return JSONResponse(None)
    return JSONResponse(await asyncio.to_thread(lambda: [dataset_json(one, works.cloud) for one in datasets]))


async def get_dataset(request: Request) -> Response:
    """GET one version of a dataset, with an address that can be read for a day."""
    works, workspace = works_of(request), open_workspace(request)
    dataset = works.datasets.get(workspace.id, request.path_params["dataset"])
    if dataset is None:
        raise errors.no_dataset(request.path_params["dataset"])
    return JSONResponse(await asyncio.to_thread(dataset_json, dataset, works.cloud))


async def delete_family(request: Request) -> Response:
    """DELETE a dataset: all versions of its family, and their blobs."""
    works, workspace = works_of(request), open_workspace(request)
    family = request.path_params["family"]
    async with works.datasets.changing:
        versions = works.datasets.family(workspace.id, family)
        if not versions:
            raise errors.no_family(family)
        for version in versions:
            await asyncio.to_thread(_stored, storing.remove, works.cloud, version.place)
            works.datasets.delete(version.id)
    return Response(status_code=204)


async def begin_upload(request: Request) -> Response:
    """POST a new upload: empty, for blocks to come, or the whole content at once."""
    works, workspace = works_of(request), open_workspace(request)
    kind = data_type(request.query_params.get("dataTypeId"))
    upload = works.uploads.begin(workspace.id, kind)
    if await _keep(works, upload, 0, request):
        works.uploads.expect(upload, 1)
    return JSONResponse({"Id": upload.id, "DataTypeId": kind})


async def upload_block(request: Request) -> Response:
    """POST a block of an upload, by its number; in any order, and again if need be."""
    works, workspace = works_of(request), open_workspace(request)
    upload_id = request.query_params.get("uploadId", "")
    upload = works.uploads.get(workspace.id, upload_id)
    if upload is None:
        raise errors.no_upload(upload_id)
    blocks, number = _number(request, "numberOfBlocks", MOST_BLOCKS), _number(request, "blockId", MOST_BLOCKS)
    if number >= blocks:
        raise BadArgument(
            "InvalidQueryParameter", f"there is no block {number} of {blocks}: they begin at 0", "blockId"
        )
    if upload.blocks not in (None, blocks):
        raise errors.other_number(upload.blocks, blocks)
    works.uploads.expect(upload, blocks)
    if not await _keep(works, upload, number, request):
        raise BadArgument("RequestIsEmpty", "the block has no bytes", "blockId")
    return JSONResponse({"Id": upload.id, "BlockId": number})


async def create_dataset(request: Request) -> Response:
    """POST a dataset made of an upload: a new one, or a new version of its family; the answer is its id.

    Said again of the same upload, the answer is the same.
    """
    works, workspace = works_of(request), open_workspace(request)
    body = await json_object(request)
    says, upload_id = description(body), member(body, "UploadId")
    async with works.datasets.changing:
        made = works.datasets.uploaded_by(workspace.id, str(upload_id))
        if made is None:
            upload = works.uploads.get(workspace.id, str(upload_id))
            if upload is None:
                raise errors.no_upload(upload_id)
            _check(works, upload, says)
            dataset_id = await asyncio.to_thread(_make, works, upload, says)
        else:
            dataset_id = made.id
    # R cuts all quotes, azuremlps too: the id and nothing else.
    return Response(json.dumps(dataset_id), media_type="application/json; charset=utf-8")


def _check(works: Works, upload: Upload, says: Description) -> None:
    if upload.data_type != says.data_type:
        raise errors.other_type(upload.data_type, says.data_type)
    if says.family and not works.datasets.family(upload.workspace_id, says.family):
        raise errors.no_family(says.family)
    named = works.datasets.named(upload.workspace_id, says.name)
    if named is not None and named.family != says.family:
        raise errors.name_taken(says.name, named.family)
    missing = works.uploads.missing(upload)
    if not upload.blocks or missing:
        said = f"block {missing[0]} of {upload.blocks} has not come" if missing else "nothing has come"
        raise errors.missing_blocks(upload.id, said)


def _make(works: Works, upload: Upload, says: Description) -> str:
    """Write the dataset's blob, then record it: what is recorded is there."""
    versions = works.datasets.family(upload.workspace_id, says.family)
    says = replace(says, family=says.family or uuid4().hex)
    extension, file = EXTENSIONS[says.data_type], works.uploads.join(upload)
    status, rows = storing.look(file, extension)
    if versions:
        folder = versions[-1].place.rpartition("/")[0]
    else:
        folder = storing.folder_of(says.name)
        if works.datasets.folder_taken(folder, says.family):
            folder += f"-{says.family[:8]}"
    number = versions[-1].batch + 1 if versions else 1
    place = _stored(storing.store, works.cloud, folder, number, extension, file, rows)
    size = file.stat().st_size
    dataset_id = works.datasets.add(
        upload.workspace_id, upload.id, says, place=place, size=size, schema_status=status
    )
    works.uploads.forget(upload.id)
    return dataset_id


def _stored(do: Callable[P, Value], *arguments: P.args, **options: P.kwargs) -> Value:
    """What `do` gives. Raises StorageUnavailable."""
    try:
        return do(*arguments, **options)
    except storing.StorageFailed as error:
        raise errors.storage_failed(error) from None


async def _keep(works: Works, upload: Upload, number: int, request: Request) -> int:
    try:
        return await works.uploads.keep(upload, number, request.stream())
    except TooManyBytes:
        raise errors.too_large(LARGEST) from None


def _number(request: Request, name: str, most: int) -> int:
    given = request.query_params.get(name, "")
    if not (given.isascii() and given.isdecimal() and len(given) < 10 and int(given) <= most):
        raise BadArgument("InvalidQueryParameter", f"{name} is not a number of at most {most}", name)
    return int(given)


def routes() -> list[BaseRoute]:
    """All routes of this API."""
    datasets = "/api/workspaces/{workspace}/datasources"
    return [
        Route(datasets, list_datasets, methods=["GET"]),
        Route(datasets, create_dataset, methods=["POST"]),
        Route(f"{datasets}/{{dataset}}", get_dataset, methods=["GET"]),
        Route(f"{datasets}/family/{{family}}", delete_family, methods=["DELETE"]),
        Route("/api/resourceuploads/workspaces/{workspace}/", begin_upload, methods=["POST"]),
        Route("/api/blobuploads/workspaces/{workspace}/", upload_block, methods=["POST"]),
    ]
