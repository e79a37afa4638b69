"""Routes of the page; how its links are made: by whoever has the key of the local cloud's file."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from localcloud.azureml.registered import AzureMl
from localcloud.facilities.auth import require
from localcloud.server.pages.source import CloudSource
from localcloud.works.context import Works
from pages.app import routes as pages_of
from pages.door import Door
from pages.site import Site

_BASE = "/_local/page"


def routes(works: Works, azureml: AzureMl, whole: Callable[[], ASGIApp]) -> list[BaseRoute]:
    """The page, and what is below it; rows are scored by the *whole* application, as everybody's are."""
    # By which names it is called, all of the local cloud is asked (facilities.hosts).
    door = Door("./dev cloud page prints a link.")
    site = Site(CloudSource(works, azureml, whole), door, _BASE)

    async def links(request: Request) -> Response:
        """POST with the local cloud's ARM token: the path of a link that signs in once."""
        require(request, [works.cloud.arm_token], "Unauthorized")
        return JSONResponse({"path": f"{site.at('sign-in')}?token={door.link()}"})

    return [*pages_of(site), Route(site.at("links"), links, methods=["POST"])]
