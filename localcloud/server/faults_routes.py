"""Routes of faults: ``/_local/faults``, for a local cloud that was started with them allowed."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from localcloud.facilities.wire import json_object
from localcloud.faults.errors import FaultsNotAllowed
from localcloud.faults.rules import read_rules
from localcloud.works.context import Works, works_of

_PATH = "/_local/faults"


def _allowed(request: Request) -> Works:
    works = works_of(request)
    if not works.faults.allowed:
        raise FaultsNotAllowed
    return works


async def get_faults(request: Request) -> Response:
    """GET the seed and the rules, with how often each matched and fired."""
    return JSONResponse(_allowed(request).faults.to_json())


async def put_faults(request: Request) -> Response:
    """PUT seed and rules in the place of all others, counters at zero; the answer is that of GET."""
    faults = _allowed(request).faults
    faults.replace(*read_rules(await json_object(request)))
    return JSONResponse(faults.to_json())


async def delete_faults(request: Request) -> Response:
    """DELETE all rules, and end what lasts: stalled jobs go on, endpoints serve what is bound."""
    works = _allowed(request)
    works.faults.stop()
    works.bindings.serve_all_bound()
    request.app.state.azureml.serving.stale.clear()
    request.app.state.azureml.runner.go_on()
    works.job_faults.go_on()
    return Response(status_code=204)


def routes() -> list[BaseRoute]:
    """All routes of faults."""
    return [
        Route(_PATH, get_faults, methods=["GET"]),
        Route(_PATH, put_faults, methods=["PUT"]),
        Route(_PATH, delete_faults, methods=["DELETE"]),
    ]
