"""The pages of a site as routes of another application, or as an application of their own."""

from __future__ import annotations

import logging

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from pages.api import Api
from pages.facts import Problem
from pages.site import Site
from pages.views import Views

_log = logging.getLogger("pages")


def routes(site: Site) -> list[BaseRoute]:
    """All pages of a site, and their JSON."""
    return [*Views(site).routes(), *Api(site).routes()]


def served(site: Site) -> Starlette:
    """An application that is nothing but a site."""

    async def refuse(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        cause = {404: "There is no such page.", 405: "That is not done here."}.get(status, "This failed.")
        if status == 500:
            _log.error("a page failed", exc_info=error)
        problem = Problem(cause, "Go to the first page." if status == 404 else "", status)

        async def raise_it(_request: Request) -> Response:
            raise problem

        return await site.guarded(raise_it, "data" if "/api/" in request.url.path else "page")(request)

    return Starlette(routes=routes(site), exception_handlers={HTTPException: refuse, Exception: refuse})
