"""The address at which `watch` hears of new data: a server in a thread, whose events only wake the loop."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cli.errors import CliError

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request as Incoming
    from starlette.responses import Response

_AT_ONCE = 20
_LEAST_BETWEEN = 5.0  # seconds between two looks, however many events there are


class Hints:
    """Whether there was an event since the last look; *pause* is how many seconds at least are between two looks."""

    def __init__(self, pause: float = _LEAST_BETWEEN) -> None:
        self._event, self._pause = threading.Event(), pause

    def give(self) -> None:
        """There was one."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Wait for one, at most *seconds*; whether there was one."""
        if not self._event.wait(seconds):
            return False
        time.sleep(self._pause)  # others that come with it are one
        self._event.clear()
        return True


@contextmanager
def listening(place: str, key_from: str, hints: Hints) -> Iterator[int]:
    """Hear events at *place* (host:port), whose key is in the environment variable *key_from*; the port. Raises CliError."""
    import uvicorn

    if not (key := os.environ.get(key_from, "")):
        raise CliError(
            f"the environment variable {key_from} is not set, so that nobody could be let in at {place}",
            f"set {key_from} to a secret of its own, and give it to the event subscription",
        )
    host, _, port = place.rpartition(":")
    config = uvicorn.Config(
        application(key, hints),
        limit_concurrency=_AT_ONCE,
        timeout_keep_alive=5,
        log_level="error",
        access_log=False,  # an address may hold the key
        lifespan="off",
    )
    try:
        listener = socket.create_server((host, int(port)))
    except OSError:
        raise CliError(
            f"nothing can listen at {place}", "name another place in `listen`, or end what listens there"
        ) from None
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="events", daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def application(key: str, hints: Hints) -> Starlette:
    """The server's application; a body is read no further than to its limit."""
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    from retrain_hooks.triggers.event_grid import MOST_BYTES, Request, answer

    async def hear(incoming: Incoming) -> Response:
        body = b""
        async for piece in incoming.stream():
            body += piece
            if len(body) > MOST_BYTES:
                break
        headers = {name.lower(): value for name, value in incoming.headers.items()}
        found = answer(Request(incoming.method, headers, incoming.url.query, body), key)
        if found.hint:
            hints.give()
        closing = {"Connection": "close"} if found.status == 413 else {}
        return Response(found.body, found.status, {**found.headers, **closing})

    return Starlette(routes=[Route("/{path:path}", hear, methods=["GET", "POST", "PUT", "OPTIONS"])])
