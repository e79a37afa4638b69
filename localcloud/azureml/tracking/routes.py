"""The tracking server's routes: `/mlflow/v1.0/<workspace's id>/api/2.0/mlflow/…` and `…/mlflow-artifacts/artifacts/…`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from localcloud.azureml.assets.places import TRACKING
from localcloud.azureml.tracking import artifacts, logged_models, operations
from localcloud.azureml.tracking.access import caller_of, workspace_at
from localcloud.azureml.tracking.errors import TrackingError, invalid
from localcloud.azureml.tracking.state import Tracking
from localcloud.facilities.bodies import UnreadableBody, parse_json, read_body
from localcloud.works.context import works_of

_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"({\w+})", path)
    return re.compile(
        "".join(f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part) for part in parts)
    )


_TABLE = [
    (method, _pattern(path), handle)
    for (method, path), handle in {**operations.OPERATIONS, **logged_models.OPERATIONS}.items()
]


async def _answer(request: Request) -> Response:
    works = works_of(request)
    try:
        workspace = workspace_at(works.store, works.cloud, request.path_params["scope"])
        caller = caller_of(request, works.directory, workspace)
        tracking, path = Tracking(works.store), request.path_params.get("operation", "")
        if request.url.path.partition("/api/2.0/")[2].startswith("mlflow-artifacts/"):
            return await artifacts.answer(request, tracking, workspace, caller, path)
        given = await _given(request)
        call = operations.Call(tracking, workspace, caller, given)
        if (request.method, path) == ("GET", "artifacts/list"):
            run = call.run()["info"]["run_id"]
            return JSONResponse(await artifacts.listing(workspace, run, str(given.get("path", ""))))
        for method, pattern, handle in _TABLE:
            found = pattern.fullmatch(path)
            if method == request.method and found:
                named = operations.Call(tracking, workspace, caller, {**given, **found.groupdict()})
                return JSONResponse(handle(named))
        raise TrackingError("ENDPOINT_NOT_FOUND", f"{request.method} {path} is no operation of this server")
    except TrackingError as error:
        return JSONResponse(error.to_json(), error.status)


async def _given(request: Request) -> Mapping[str, Any]:
    """The parameters of a call: its body's, or its query's."""
    query: dict[str, Any] = dict(request.query_params)
    try:
        raw = await read_body(request)
        body = parse_json(raw, constants=True) if raw.strip() else {}
    except UnreadableBody as error:
        raise invalid(str(error)) from None
    if not isinstance(body, dict):
        raise invalid("the body is not a JSON object")
    return {**query, **body}


def routes() -> list[BaseRoute]:
    """All of them."""
    api = f"{TRACKING}/{{scope:path}}/api/2.0"
    return [
        Route(f"{api}/mlflow/{{operation:path}}", _answer, methods=_METHODS),
        Route(f"{api}/mlflow-artifacts/artifacts", _answer, methods=["GET"]),
        Route(f"{api}/mlflow-artifacts/artifacts/{{operation:path}}", _answer, methods=_METHODS),
    ]
