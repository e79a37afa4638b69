"""What request-response and batch execution share: the endpoint of a URL, its key, its version of the protocol."""

from __future__ import annotations

from starlette.requests import Request

from studio.auth import require
from studio.context import studio_of
from studio.errors import BadArgument, NotFound
from studio.management.state import Endpoint

_UNAUTHORIZED = "ScoreRequestUnauthorized"
_VERSION = "2.0"

PREFIX = "/workspaces/{workspace}/services/{endpoint}"


def find_endpoint(request: Request) -> Endpoint:
    """The endpoint whose guid the URL has; anybody may ask for its description."""
    endpoint_id = request.path_params["endpoint"]
    endpoint = studio_of(request).services.endpoint_by_id(request.path_params["workspace"], endpoint_id)
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
