"""`/history/v1.0<workspace's id>/…`, and where outputs lie: `/data/v1.0<workspace's id>/…`.

Source: the data plane clients of azure-ai-ml 1.35.2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from localcloud.arm.errors import ArmError
from localcloud.azureml.assets import blobs
from localcloud.azureml.assets.places import Document, Workspace
from localcloud.azureml.jobs.logs import NAME
from localcloud.azureml.jobs.request import MODELS
from localcloud.azureml.tracking.access import Caller, caller_of, workspace_at
from localcloud.azureml.tracking.errors import TrackingError, invalid, missing
from localcloud.facilities.wire import json_object
from localcloud.works.context import works_of

_CHANGEABLE = ("displayName", "description", "tags", "properties")
_LOG_HOURS = 24
Handler = Callable[[Request, Workspace, Caller], Awaitable[Any]]


def _job(request: Request, workspace: Workspace) -> Document:
    name = request.path_params["run"]
    found = workspace.job(name)
    if found is None:
        raise missing("Run", name)
    return found


async def _details(request: Request, workspace: Workspace, _caller: Caller) -> Document:
    """How a job goes, with addresses of its logs that need no other token."""
    job = _job(request, workspace)
    return {**_shown(job), "logFiles": await asyncio.to_thread(_logs, workspace, job["name"])}


def _logs(workspace: Workspace, job: str) -> dict[str, str]:
    place, cloud = workspace.artifacts(job, NAME), workspace.cloud
    if not blobs.exist(cloud, place):
        return {}
    return {NAME: f"{place.url(cloud)}?{blobs.signed(cloud, place, 'r', _LOG_HOURS)}"}


async def _run(request: Request, workspace: Workspace, _caller: Caller) -> Document:
    """What is known of a job's run."""
    return _shown(_job(request, workspace))


async def _change(request: Request, workspace: Workspace, caller: Caller) -> Document:
    """Change what is said about a job: its display name, description, tags; properties are added."""
    job, sent = _job(request, workspace), await json_object(request)
    caller.check_write_to_job(job["name"])
    properties = job["properties"]
    for name in _CHANGEABLE:
        if (value := sent.get(name)) is None:
            continue
        if name in ("tags", "properties"):
            if not isinstance(value, dict):
                raise invalid(f"{name} is not an object")
            properties[name] = {**properties[name], **value}
        else:
            properties[name] = str(value)
    workspace.store.arm_put(job["id"], job)
    return _shown(job)


async def _run_data(request: Request, workspace: Workspace, _caller: Caller) -> Document:
    """A run with its outputs, each an asset of its own."""
    sent = await json_object(request)
    name = str(sent.get("runId"))
    job = workspace.job(name)
    if job is None:
        raise missing("Run", name)
    return {"runMetadata": _shown(job), "runDefinition": None, "jobSpecification": None}


async def _addresses(request: Request, workspace: Workspace, _caller: Caller) -> Document:
    """Where the outputs lie that `_run_data` names."""
    values = (await json_object(request)).get("values")
    found = {}
    for asset in values if isinstance(values, list) else ():
        place = workspace.place(str(asset))
        uri = workspace.datastore_uri(place)
        found[asset] = {"uri": uri, "type": "uri_folder"}
    return {"values": found}


def _shown(job: Document) -> Document:
    properties, run = job["properties"], job["run"]
    return {
        "runId": job["name"],
        "runUuid": run.get("folder", "").partition("/")[0],
        "experimentName": properties["experimentName"],
        "displayName": properties["displayName"],
        "description": properties["description"],
        "status": properties["status"],
        "createdUtc": job["systemData"]["createdAt"],
        "startTimeUtc": run.get("started"),
        "endTimeUtc": run.get("ended"),
        "error": {"error": run["error"]} if run.get("error") else None,
        "warnings": [],
        "tags": properties["tags"],
        "properties": properties["properties"],
        # Without models: azure-ai-ml 1.35.2 fails on its way to ask where these lie, and finds them by their usual path.
        "outputs": {
            name: {"assetId": f"azureml://jobs/{job['name']}/outputs/{name}", "type": value["jobOutputType"]}
            for name, value in properties["outputs"].items()
            if value["jobOutputType"] not in MODELS
        },
        "logFiles": {},
    }


def _handled(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        works = works_of(request)
        try:
            workspace = workspace_at(works.store, works.cloud, request.path_params["scope"])
            caller = caller_of(request, works.directory, workspace)
            return JSONResponse(await handler(request, workspace, caller))
        except (TrackingError, ArmError) as error:
            body = {"error": {"code": error.code, "message": str(error)}}
            return JSONResponse(body, error.status)

    return answer


def routes() -> list[BaseRoute]:
    """All of them; an experiment in the path changes nothing, as runs have names of their own in a workspace."""
    runs: list[tuple[str, str, Handler]] = [
        ("GET", "/runs/{run}/details", _details),
        ("GET", "/runs/{run}", _run),
        ("PATCH", "/runs/{run}", _change),
    ]
    # The longer paths first: what is before `/runs` is a path of any length.
    table = [(method, f"/experiments/{{experiment}}{path}", handler) for method, path, handler in runs]
    table += [*runs, ("POST", "/rundata", _run_data)]
    history = "/history/v1.0/{scope:path}"
    return [
        *(Route(f"{history}{path}", _handled(handler), methods=[method]) for method, path, handler in table),
        Route(
            "/data/v1.0/{scope:path}/dataversion/batchGetResolvedUris", _handled(_addresses), methods=["POST"]
        ),
    ]
