"""Routes of the classic management API: ``/workspaces/{ws}/webservices...``."""

from __future__ import annotations

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from localcloud.facilities.auth import require
from localcloud.facilities.errors import BadArgument, InvalidOperation
from localcloud.facilities.store import Workspace
from localcloud.facilities.wire import base_url, json_body, json_object, member
from localcloud.studio.management import binding
from localcloud.studio.management.errors import UNAUTHORIZED, no_endpoint, no_service, no_workspace
from localcloud.studio.management.wire import (
    endpoint_json,
    endpoint_name,
    endpoint_settings,
    flag,
    given_resources,
    service_json,
)
from localcloud.works.context import works_of
from localcloud.works.services import Endpoint, WebService


def _workspace(request: Request) -> Workspace:
    workspace = works_of(request).store.workspace(request.path_params["workspace"])
    if workspace is None:
        raise no_workspace(request.path_params["workspace"])
    return workspace


def _service(request: Request) -> WebService:
    """The web service of the path, for the bearer of a workspace token."""
    workspace = _workspace(request)
    require(request, workspace.tokens, UNAUTHORIZED)
    service = works_of(request).services.service(workspace.id, request.path_params["service"])
    if service is None:
        raise no_service(request.path_params["service"])
    return service


def _endpoint(request: Request) -> Endpoint:
    """The endpoint of the path, for the bearer of a workspace token or of one of its own keys."""
    workspace, services = _workspace(request), works_of(request).services
    service = services.service(workspace.id, request.path_params["service"])
    name = request.path_params["endpoint"]
    found = None if service is None else services.endpoint(service.id, name)
    require(request, (*workspace.tokens, *(found.keys if found else ())), UNAUTHORIZED)
    if service is None:
        raise no_service(request.path_params["service"])
    if found is None:
        raise no_endpoint(name)
    return found


async def list_services(request: Request) -> Response:
    """GET the web services."""
    workspace = _workspace(request)
    require(request, workspace.tokens, UNAUTHORIZED)
    return JSONResponse([service_json(one) for one in works_of(request).services.services(workspace.id)])


async def get_service(request: Request) -> Response:
    """GET one web service."""
    return JSONResponse(service_json(_service(request)))


async def put_service(request: Request) -> Response:
    """PUT a code bundle, which Studio ran in its own containers and this local cloud does not."""
    require(request, _workspace(request).tokens, UNAUTHORIZED)
    raise BadArgument(
        "WebServiceTypeInvalid",
        "this local cloud publishes experiments (POST api/workspaces/{id}/experiments), not code bundles",
    )


async def delete_service(request: Request) -> Response:
    """DELETE a web service with its endpoints and their jobs."""
    works, service = works_of(request), _service(request)
    works.services.delete_service(service.workspace_id, service.id)
    await works.runner.drop_forgotten()
    return Response(status_code=204)


async def list_endpoints(request: Request) -> Response:
    """GET the endpoints."""
    endpoints = works_of(request).services.endpoints(_service(request).id)
    return JSONResponse([endpoint_json(one, base_url(request)) for one in endpoints])


async def get_endpoint(request: Request) -> Response:
    """GET one endpoint."""
    return JSONResponse(endpoint_json(_endpoint(request), base_url(request)))


async def put_endpoint(request: Request) -> Response:
    """PUT an endpoint: created as a copy of the default one (201), or its settings changed (200)."""
    works, service = works_of(request), _service(request)
    body = await json_body(request, empty={})
    if not isinstance(body, dict):
        raise BadArgument("RequestBodyInvalid", "the request's body is not a JSON object")
    found = works.services.endpoint(service.id, request.path_params["endpoint"])
    settings = endpoint_settings(body, found)
    if found is None:
        name = endpoint_name(request.path_params["endpoint"])
        endpoint = works.services.add_endpoint(service.id, name, settings.description)
    else:
        endpoint = found
    works.services.configure(endpoint.id, **asdict(settings))
    changed = works.services.endpoint_by_id(service.workspace_id, endpoint.id)
    assert changed is not None
    return JSONResponse(endpoint_json(changed, base_url(request)), 201 if found is None else 200)


async def patch_endpoint(request: Request) -> Response:
    """PATCH an endpoint's models; 200 with an empty body once it serves them."""
    endpoint = _endpoint(request)
    given = given_resources(await json_object(request))
    await binding.update(works_of(request), request, endpoint, given)
    return Response(status_code=200)


async def refresh_endpoint(request: Request) -> Response:
    """POST refresh: take over what was published since; 304 when there is nothing new."""
    works, endpoint = works_of(request), _endpoint(request)
    body = await json_body(request, empty={})
    overwrite = member(body, "OverwriteResources") if isinstance(body, dict) else None
    default = works.services.default_endpoint(endpoint.service_id)
    wanted = flag(overwrite, "OverwriteResources") if overwrite is not None else False
    changed = binding.refresh(works, endpoint, default, overwrite=wanted)
    return Response(status_code=200 if changed else 304)


async def delete_endpoint(request: Request) -> Response:
    """DELETE an endpoint and its jobs."""
    works, endpoint = works_of(request), _endpoint(request)
    if endpoint.is_default:
        raise InvalidOperation(
            "DefaultEndpointNotDeletable",
            "the default endpoint goes with its web service; delete that instead",
            endpoint.name,
        )
    works.services.delete_endpoint(endpoint.id)
    await works.runner.drop_forgotten()
    return Response(status_code=204)


def routes() -> list[BaseRoute]:
    """All routes of this API."""
    services = "/workspaces/{workspace}/webservices"
    one = f"{services}/{{service}}"
    endpoint = f"{one}/endpoints/{{endpoint}}"
    return [
        Route(services, list_services, methods=["GET"]),
        Route(one, get_service, methods=["GET"]),
        Route(one, put_service, methods=["PUT"]),
        Route(one, delete_service, methods=["DELETE"]),
        Route(f"{one}/endpoints", list_endpoints, methods=["GET"]),
        Route(endpoint, get_endpoint, methods=["GET"]),
        Route(endpoint, put_endpoint, methods=["PUT"]),
        Route(endpoint, patch_endpoint, methods=["PATCH"]),
        Route(endpoint, delete_endpoint, methods=["DELETE"]),
        Route(f"{endpoint}/refresh", refresh_endpoint, methods=["POST"]),
    ]
