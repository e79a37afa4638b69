"""Reading requests and writing addresses, the same for every API."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request

from localcloud.facilities.bodies import BodyTooLarge, UnreadableBody, parse_json, read_body
from localcloud.facilities.errors import BadArgument, TooLarge


async def json_body(request: Request, *, empty: Any = None, constants: bool = False) -> Any:
    """The JSON body whatever its content type says; `empty` where there are no bytes.

    Clients send ``charset=UTF8``, ``us-ascii``, no type at all, chunks, and zero bytes with a JSON type.
    Raises RequestBodyInvalid about the place for what cannot be read, RequestBodyTooLarge.
    """
    try:
        raw = await read_body(request)
        return parse_json(raw, constants=constants) if raw.strip() else empty
    except BodyTooLarge as error:
        raise TooLarge("RequestBodyTooLarge", str(error)) from None
    except UnreadableBody as error:
        raise BadArgument("RequestBodyInvalid", str(error), error.place or None) from None


async def json_object(request: Request, *, constants: bool = False) -> dict[str, Any]:
    """The JSON body, which must be an object. Raises RequestIsEmpty, RequestBodyInvalid, RequestBodyTooLarge."""
    body = await json_body(request, constants=constants)
    if body is None:
        raise BadArgument("RequestIsEmpty", "the request has no body")
    if not isinstance(body, dict):
        raise BadArgument("RequestBodyInvalid", "the request's body is not a JSON object")
    return body


def query_of(request: Request) -> QueryParams:
    """What the query of a call's address says, of which clients have the same one again and again."""
    return _query(request.scope["query_string"])


@lru_cache(1024)
def _query(raw: bytes) -> QueryParams:
    return QueryParams(raw)


def member(body: Mapping[str, Any], name: str) -> Any:
    """A member by its name, exactly or else without regard to case (as .NET reads it); None where absent."""
    if name in body:
        return body[name]
    lowered = name.lower()
    return next((value for key, value in body.items() if key.lower() == lowered), None)


def base_url(request: Request) -> str:
    """The address that this client used, so that the URLs it gets back work for it too."""
    return f"{request.url.scheme}://{request.headers.get('host') or request.url.netloc}"
