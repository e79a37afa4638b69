"""By which names a local cloud may be called: this machine's, and those that its own file gives it.

A page of another site can make a browser call a server on loopback, under a name of its own that resolves to it: such
a call has that name as its Host, and is refused.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from localcloud.facilities.errors import BadArgument, bounded


@lru_cache(256)
def is_known(host: str, names: frozenset[str]) -> bool:
    """Whether a Host header names this machine, or is one of `names`; a port is not looked at."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    if name == "localhost" or name.endswith(".localhost") or name in names:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class HostsMiddleware:
    """Refuses calls by any other name."""

    def __init__(self, app: ASGIApp, names: frozenset[str]) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the call, or answer 400 `InvalidHost`; a call without a Host comes from no browser."""
        headers = scope["headers"] if scope["type"] == "http" else ()
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        unknown = [host for host in hosts if not is_known(host, self._names)]
        if not unknown:
            await self._app(scope, receive, send)
            return
        message = (
            f"this local cloud is not called '{bounded(unknown[0])}': call it by an address of its cloud file"
        )
        answer = JSONResponse(BadArgument("InvalidHost", message, "Host").to_json(), 400)
        await answer(scope, receive, send)
