"""Reading requests and writing addresses, the same for every API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from studio.errors import BadArgument


async def json_body(request: Request, *, empty: Any = None) -> Any:
    """The JSON body whatever its content type says; `empty` where there are no bytes.

    Clients send ``charset=UTF8``, ``us-ascii``, no type at all, chunks, and zero bytes with a JSON type.
    Raises RequestBodyInvalid for anything that is not JSON.
    """
    raw = await request.body()
    if not raw.strip():
        return empty
    try:
        return json.loads(raw.decode("utf-8-sig"))
    except ValueError:
        raise BadArgument("RequestBodyInvalid", "the request's body is not JSON") from None


async def json_object(request: Request) -> dict[str, Any]:
    """The JSON body, which must be an object. Raises RequestIsEmpty, RequestBodyInvalid."""
    body = await json_body(request)
    if body is None:
        raise BadArgument("RequestIsEmpty", "the request has no body")
    if not isinstance(body, dict):
        raise BadArgument("RequestBodyInvalid", "the request's body is not a JSON object")
    return body


def member(body: Mapping[str, Any], name: str) -> Any:
    """A member by its name, exactly or else without regard to case (as .NET reads it); None where absent."""
    if name in body:
        return body[name]
    lowered = name.lower()
    return next((value for key, value in body.items() if key.lower() == lowered), None)


def base_url(request: Request) -> str:
    """The address that this client used, so that the URLs it gets back work for it too."""
    return f"{request.url.scheme}://{request.headers.get('host') or request.url.netloc}"
