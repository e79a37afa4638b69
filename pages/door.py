"""Who may come in: whoever was given a link, once; then the browser's session, called by its own name, from its own pages.

A server on loopback can be reached by every page that a browser shows, and by every user of the machine: so each request
names this machine (no other name that resolves to it), a session opens what is read, and what is sent comes from here.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

_LINKS = 20  # that nobody has used yet; older ones end
_SESSIONS = 200
_LOOPBACK = ("127.0.0.1", "localhost", "::1")

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Not no-referrer: a form would then be sent with the Origin "null".
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


class Door:
    """Links and sessions of one server. *how* tells a person where a link comes from.

    With a *port* it opens to loopback's names and that port only; without one somebody else has looked at the name.
    """

    def __init__(self, how: str, port: int | None = None, used: Callable[[], None] = lambda: None) -> None:
        self.how, self._port, self._used = how, port, used
        self._links: deque[bytes] = deque(maxlen=_LINKS)
        self._sessions: deque[bytes] = deque(maxlen=_SESSIONS)

    def link(self) -> str:
        """The token of a new link, which signs in once."""
        return _new(self._links)

    def enter(self, token: str) -> str | None:
        """The session that a link's token is exchanged for; None for a token that is none, or was used."""
        if not _take(self._links, token):
            return None
        session = _new(self._sessions)
        self._used()
        return session

    def leave(self, request: Request) -> None:
        """End the session of a request."""
        _take(self._sessions, _cookie(request))

    def knows(self, request: Request) -> bool:
        """Whether a request has a session. It takes the same time whichever it is."""
        given = _digest(_cookie(request))
        matches = [hmac.compare_digest(given, one) for one in self._sessions]
        return any(matches)

    def named(self, request: Request) -> bool:
        """Whether a request calls this server by a name of its own."""
        if self._port is None:
            return True
        try:
            parts = urlsplit(f"//{request.headers.get('host', '')}")
            return parts.hostname in _LOOPBACK and parts.port == self._port
        except ValueError:
            return False

    def from_here(self, request: Request) -> bool:
        """Whether a request was sent by one of our own pages, as its browser says."""
        origin = request.headers.get("origin")
        if origin is None:
            return request.headers.get("sec-fetch-site") == "same-origin"
        return origin == f"{request.url.scheme}://{request.headers.get('host', '')}"


def keep_session(answer: Response, request: Request, session: str) -> None:
    """Give the browser its session: sent to this server only, by its own pages only, and shown to no script."""
    answer.set_cookie(
        _cookie_name(request),
        session,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def forget_session(answer: Response, request: Request) -> None:
    """Take it back."""
    answer.delete_cookie(_cookie_name(request), httponly=True, samesite="strict")


def _cookie(request: Request) -> str:
    return request.cookies.get(_cookie_name(request), "")


def _cookie_name(request: Request) -> str:
    """Cookies know no ports: a server's own is told from another's by its name."""
    return f"page-{request.url.port or 80}"


def _new(kept: deque[bytes]) -> str:
    token = secrets.token_urlsafe(32)
    kept.append(_digest(token))
    return token


def _take(kept: deque[bytes], token: str) -> bool:
    """Whether a token was kept; it is no longer."""
    given = _digest(token)
    found = [one for one in list(kept) if hmac.compare_digest(given, one)]
    for one in found:
        kept.remove(one)
    return bool(found)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
