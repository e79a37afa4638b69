"""Routes of the help: swagger documents and pages, for everybody without a key."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from localcloud.facilities.wire import base_url
from localcloud.studio.data_plane import find_endpoint, routes_below
from localcloud.studio.help import pages, swagger
from localcloud.studio.management.errors import no_endpoint, no_service
from localcloud.works.context import works_of
from localcloud.works.services import Endpoint, WebService

_SERVICE = "/workspaces/{workspace}/webservices/{service}/endpoints/{endpoint}"


async def data_plane_swagger(request: Request) -> Response:
    """GET swagger.json beside execute."""
    endpoint = find_endpoint(request)
    service = works_of(request).services.service(endpoint.workspace_id, endpoint.service_id)
    assert service is not None, "an endpoint always has its web service"
    return await _document(request, service, endpoint, request.url.path.removesuffix("/swagger.json"))


async def apidocument(request: Request) -> Response:
    """GET apidocument below HelpLocation or the management API."""
    service, endpoint = _found(request)
    api = f"/workspaces/{endpoint.workspace_id}/services/{endpoint.id}"
    return await _document(request, service, endpoint, api)


async def page(request: Request) -> Response:
    """GET a help page."""
    works, (service, endpoint) = works_of(request), _found(request)
    base = base_url(request)
    experiment = await asyncio.to_thread(works.graphs.experiment, endpoint.package)
    api = f"{base}/workspaces/{endpoint.workspace_id}/services/{endpoint.id}"
    management = f"{base}/workspaces/{endpoint.workspace_id}/webservices/{service.id}"
    match request.path_params.get("page"):
        case None:
            shown = pages.overview(service, endpoint, f"{base}{request.url.path}")
        case "score":
            shown = pages.score(endpoint, experiment, api)
        case "jobs":
            shown = pages.jobs(endpoint, experiment, api)
        case "update":
            shown = pages.update(endpoint, management)
        case other:
            raise no_endpoint(str(other))
    return HTMLResponse(shown)


def _found(request: Request) -> tuple[WebService, Endpoint]:
    works, parameters = works_of(request), request.path_params
    service = works.services.service(parameters["workspace"], parameters["service"])
    if service is None:
        raise no_service(parameters["service"])
    endpoint = works.services.endpoint(service.id, parameters["endpoint"])
    if endpoint is None:
        raise no_endpoint(parameters["endpoint"])
    return service, endpoint


async def _document(request: Request, service: WebService, endpoint: Endpoint, api: str) -> Response:
    works, base = works_of(request), base_url(request)

    def make() -> dict[str, object]:
        experiment = works.graphs.experiment(endpoint.package)
        scorer = None if experiment.trains else works.graphs.scorer(endpoint.package, endpoint.resources)
        return swagger.document(service, experiment, scorer, f"{base}{api}")

    return JSONResponse(await asyncio.to_thread(make))


def routes() -> list[BaseRoute]:
    """All routes of the help."""
    help_page = f"/apihelp{_SERVICE}"
    return [
        *routes_below("/swagger.json", data_plane_swagger, "GET"),
        Route(f"{_SERVICE}/apidocument", apidocument, methods=["GET"]),
        Route(f"{help_page}/apidocument", apidocument, methods=["GET"]),
        Route(help_page, page, methods=["GET"]),
        Route(f"{help_page}/{{page}}", page, methods=["GET"]),
    ]
