"""Where the data plane of the workspaces is, and the cloud's own services: all of it at this server's own address.

Both are asked without credentials. Source: azure-ai-ml 1.35.2, which reads ``api`` of ``GET /discovery``, and takes the
clouds that there are from ``GET /metadata/endpoints`` where ARM_CLOUD_METADATA_URL says so.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from localcloud.facilities.wire import base_url

DISCOVERY = "/discovery"
METADATA = "/metadata/endpoints"
_SERVICES = ("api", "history", "experimentation", "modelmanagement", "artifacts", "metrics", "mlflow")


async def discover(request: Request) -> Response:
    """GET the addresses of the data plane's services."""
    return JSONResponse(dict.fromkeys(_SERVICES, base_url(request)))


async def metadata(request: Request) -> Response:
    """GET the clouds that are known here: this one, as clients of Azure's are told of theirs."""
    base = base_url(request)
    cloud = {
        "name": "LocalCloud",
        "portal": "https://portal.azure.com",
        "resourceManager": base,
        "authentication": {
            "loginEndpoint": base,
            "audiences": [base],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "suffixes": {"storage": f"localhost:{request.url.port}"},
    }
    return JSONResponse([cloud])


def routes() -> list[BaseRoute]:
    """The routes that need no workspace."""
    return [Route(DISCOVERY, discover, methods=["GET"]), Route(METADATA, metadata, methods=["GET"])]
