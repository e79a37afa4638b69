"""What request-response and batch execution share: the endpoint of a URL, its key, its version of the protocol."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from localcloud.facilities.auth import require
from localcloud.facilities.errors import BadArgument, NotFound
from localcloud.facilities.wire import query_of
from localcloud.studio.web_services.state import owner_of
from localcloud.works.context import works_of
from localcloud.works.services import Endpoint

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
    works, path = works_of(request), request.path_params
    endpoint_id, endpoint = path["endpoint"], None
    owner = (path.get("workspace") or path["subscription"]).lower()
    if (owner == owner_of(works.cloud.subscription)) == ("subscription" in path):
        endpoint = works.services.endpoint_by_id(owner, endpoint_id.lower())
    if endpoint is None:
        raise NotFound("WebServiceNotFound", f"there is no endpoint {endpoint_id}", endpoint_id)
    return endpoint


def open_endpoint(request: Request) -> Endpoint:
    """The endpoint of the URL, for the bearer of one of its keys, in api-version 2.0.

    Raises NotFound, Unauthorized (ScoreRequestUnauthorized), BadArgument (BadVersionCall).
    """
    endpoint = find_endpoint(request)
    require(request, endpoint.keys, _UNAUTHORIZED)
    version = query_of(request).get("api-version")
    if version != _VERSION:
        raise BadArgument(
            "BadVersionCall",
            f"api-version={_VERSION} is required" + (f", not {version}" if version else ""),
            "api-version",
        )
    return endpoint
