"""Routes below ``/_local``: no key, and no entry in the journal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from localcloud.facilities.errors import BadArgument
from localcloud.facilities.journal import MOST
from localcloud.works.context import works_of

_PAGE = 500
_LONGEST_NUMBER = 18  # digits


async def get_journal(request: Request) -> Response:
    """GET the entries, oldest first; with `after` those behind that id, with `limit` no more than so many, with `last` the newest so many."""
    journal = works_of(request).journal
    if request.query_params.get("last"):
        return JSONResponse(journal.newest(min(_number(request, "last", 0), MOST)))
    after, limit = _number(request, "after", 0), _number(request, "limit", MOST)

    async def parts() -> AsyncIterator[str]:
        """A page at a time, so that other calls are answered between."""
        last, left, before = after, limit, "["
        while page := journal.entries(last, min(_PAGE, left)):
            yield before + ",".join(json.dumps(entry) for entry in page)
            last, left, before = page[-1]["id"], left - len(page), ","
            await asyncio.sleep(0)
        yield "]" if before == "," else "[]"

    return StreamingResponse(parts(), media_type="application/json")


def _number(request: Request, name: str, default: int) -> int:
    given = request.query_params.get(name, "")
    if not given:
        return default
    if not (given.isascii() and given.isdecimal() and len(given) <= _LONGEST_NUMBER):
        raise BadArgument("BadParameterValue", f"{name} is a number from 0 on, not '{given}'", name)
    return int(given)


async def clear_journal(request: Request) -> Response:
    """DELETE all entries."""
    works_of(request).journal.clear()
    return Response(status_code=204)


async def get_scorers(request: Request) -> Response:
    """GET the graphs that are ready to score, whether each is compiled, and if not, why not."""
    return JSONResponse(works_of(request).graphs.ready())


async def health(request: Request) -> Response:
    """GET 200 once both ports serve."""
    serving = works_of(request).proxy.serving
    return JSONResponse({"status": "ok" if serving else "starting"}, 200 if serving else 503)


def routes() -> list[BaseRoute]:
    """All local routes."""
    return [
        Route("/_local/journal", get_journal, methods=["GET"]),
        Route("/_local/journal", clear_journal, methods=["DELETE"]),
        Route("/_local/scorers", get_scorers, methods=["GET"]),
        Route("/_local/health", health, methods=["GET"]),
    ]
