"""Who may call: workspace tokens and endpoint keys, in the header forms that published clients send."""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from starlette.requests import Request

from localcloud.facilities.errors import Unauthorized

_TOKEN_HEADER = "x-ms-metaanalytics-authorizationtoken"  # noqa: S105 - a header's name


def credentials(request: Request) -> list[str]:
    """The keys a request carries: ``Authorization: Bearer K`` (any case, any run of blanks) and the old header.

    Keys may contain ``+`` and ``/`` and are never URL-decoded.
    """
    found = []
    scheme, _, key = request.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        found.append(key.strip())
    token = request.headers.get(_TOKEN_HEADER, "").strip()
    if token:
        found.append(token)
    return found


def allowed(request: Request, keys: Iterable[str]) -> bool:
    """Whether the request carries one of `keys`; takes the same time whichever it is."""
    given = [key.encode() for key in credentials(request)]
    accepted = [key.encode() for key in keys]
    matches = [hmac.compare_digest(one, other) for one in given for other in accepted]
    return any(matches)


def require(request: Request, keys: Iterable[str], code: str) -> None:
    """Refuse with 401 and detail `code` unless the request carries one of `keys`."""
    if not allowed(request, keys):
        said = "no key was sent" if not credentials(request) else "the key is not valid here"
        raise Unauthorized(code, f"{said}: send it as Authorization: Bearer")
