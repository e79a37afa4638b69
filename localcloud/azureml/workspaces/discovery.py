"""Where the data plane of the workspaces is: all of it at this server's own address.

``GET /discovery`` is asked without credentials. Source: azure-ai-ml 1.35.2, which reads ``api`` of it.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from localcloud.facilities.wire import base_url

DISCOVERY = "/discovery"
_SERVICES = ("api", "history", "experimentation", "modelmanagement", "artifacts", "metrics", "mlflow")


async def discover(request: Request) -> Response:
    """GET the addresses of the data plane's services."""
    return JSONResponse(dict.fromkeys(_SERVICES, base_url(request)))


def routes() -> list[BaseRoute]:
    """The routes that need no workspace."""
    return [Route(DISCOVERY, discover, methods=["GET"])]
