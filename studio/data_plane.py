"""What request-response and batch execution share: the endpoint of a URL, its key, its version of the protocol."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from studio.auth import require
from studio.context import studio_of
from studio.errors import BadArgument, NotFound
from studio.management.state import Endpoint
from studio.webservices.state import owner_of

_UNAUTHORIZED = "ScoreRequestUnauthorized"
_VERSION = "2.0"

CLASSIC = "/workspaces/{workspace}/services/{endpoint}"
NEW = "/subscriptions/{subscription}/services/{endpoint}"


def routes_below(
    path: str, endpoint: Callable[[Request], Awaitable[Response]], method: str
) -> Iterator[BaseRoute]:
    """The routes of one operation: below endpoints of classic web services, and below New web services."""
    for prefix in (CLASSIC, NEW):
        yield Route(f"{prefix}{path}", endpoint, methods=[method])


def find_endpoint(request: Request) -> Endpoint:
    """The endpoint whose guid the URL has; anybody may ask for its description."""
    studio, path = studio_of(request), request.path_params
    endpoint_id, endpoint = path["endpoint"], None
    owner = (path.get("workspace") or path["subscription"]).lower()
    if (owner == owner_of(studio.cloud.subscription)) == ("subscription" in path):
        endpoint = studio.services.endpoint_by_id(owner, endpoint_id.lower())
    if endpoint is None:
        raise NotFound("WebServiceNotFound", f"there is no endpoint {endpoint_id}", endpoint_id)
    return endpoint


def open_endpoint(request: Request) -> Endpoint:
    """The endpoint of the URL, for the bearer of one of its keys, in api-version 2.0.

    Raises NotFound, Unauthorized (ScoreRequestUnauthorized), BadArgument (BadVersionCall).
    """
    endpoint = find_endpoint(request)
    require(request, endpoint.keys, _UNAUTHORIZED)
    version = request.query_params.get("api-version")
    if version != _VERSION:
        raise BadArgument(
            "BadVersionCall",
            f"api-version={_VERSION} is required" + (f", not {version}" if version else ""),
            "api-version",
        )
    return endpoint
