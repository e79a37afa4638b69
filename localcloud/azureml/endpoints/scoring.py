"""The scoring address: ``/inference/{region}/{endpoint}/score``, as `{endpoint}.{region}.inference…` is Azure's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from localcloud.azureml.endpoints.access import check_caller
from localcloud.azureml.endpoints.binding import split_of
from localcloud.azureml.endpoints.state import by_address, deployment_id
from localcloud.azureml.serving.errors import ScoringRefused
from localcloud.azureml.serving.replicas import Replicas
from localcloud.azureml.serving.state import Serving
from localcloud.facilities.bodies import BodyTooLarge, read_body
from localcloud.facilities.store import Store

_NAME = "azureml-model-deployment"
_MODEL_ERROR = "ms-azureml-model-error"


async def score(request: Request) -> Response:
    """POST a call: one of the endpoint's deployments answers, by its traffic, or the one that the header names."""
    try:
        return await _score(request)
    except ScoringRefused as refused:
        return JSONResponse(refused.to_json(), refused.status, refused.headers)
    except BodyTooLarge as error:
        return JSONResponse(ScoringRefused(413, "PayloadTooLarge", str(error)).to_json(), 413)


async def _score(request: Request) -> Response:
    works, path = request.app.state.works, request.path_params
    serving: Serving = request.app.state.azureml.serving
    store: Store = works.store
    endpoint = by_address(store, path["region"], path["endpoint"])
    if endpoint is None:
        raise ScoringRefused(404, "NotFound", f"There is no endpoint '{path['endpoint']}' in this region.")
    check_caller(request, endpoint, works.directory)
    body = await read_body(request)
    wanted = request.headers.get(_NAME)
    name = wanted or serving.splits[endpoint["id"]].next(split_of(request, serving, endpoint))
    if name is None:
        raise ScoringRefused(404, "NotFound", "No deployment of the endpoint has traffic.")
    deployed = _of(serving, endpoint, name)
    if deployed is None:
        raise ScoringRefused(404, "NotFound", f"The endpoint has no deployment '{name}' that serves.")
    if not wanted:
        _copy(serving, endpoint, body)
    headers = {_NAME: name}
    try:
        reply = await deployed.score(body)
    except ScoringRefused as refused:
        refused.headers.update(headers)
        raise
    if reply.status != 200:
        # Azure's front door says 424 of what is the model's own fault, and passes on what it says.
        headers |= {f"{_MODEL_ERROR}-reason": "model_error", f"{_MODEL_ERROR}-statuscode": str(reply.status)}
    return Response(
        reply.body, 200 if reply.status == 200 else 424, headers=headers, media_type=reply.content_type
    )


def _copy(serving: Serving, endpoint: Mapping[str, Any], body: bytes) -> None:
    """Send the call to the mirror, too, if it is one of those that are; nobody hears its answer."""
    mirror = endpoint["properties"]["mirrorTraffic"]
    if not mirror or (name := serving.copies[endpoint["id"]].next(mirror)) is None:
        return
    deployed = _of(serving, endpoint, name)

    async def call(deployed: Replicas) -> None:
        try:
            await deployed.score(body)
        except ScoringRefused:
            return

    if deployed is not None:
        serving.soon(call(deployed))


def _of(serving: Serving, endpoint: Mapping[str, Any], name: str) -> Replicas | None:
    return serving.find(deployment_id(endpoint["id"], name))


def routes() -> list[BaseRoute]:
    """The scoring address of every endpoint."""
    return [Route("/inference/{region}/{endpoint}/score", score, methods=["POST"])]
