"""Routes below ``/_local``: no key, and no entry in the journal."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from studio.context import studio_of


async def get_journal(request: Request) -> Response:
    """GET all entries, oldest first."""
    return JSONResponse(studio_of(request).journal.entries())


async def clear_journal(request: Request) -> Response:
    """DELETE all entries."""
    studio_of(request).journal.clear()
    return Response(status_code=204)


async def health(request: Request) -> Response:
    """GET 200 once both ports serve."""
    serving = studio_of(request).proxy.serving
    return JSONResponse({"status": "ok" if serving else "starting"}, 200 if serving else 503)


def routes() -> list[BaseRoute]:
    """All local routes."""
    return [
        Route("/_local/journal", get_journal, methods=["GET"]),
        Route("/_local/journal", clear_journal, methods=["DELETE"]),
        Route("/_local/health", health, methods=["GET"]),
    ]
