"""The server of a stack's pages: one process, on loopback, until Ctrl-C."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from contextlib import closing

from cli.errors import CliError
from cli.options import Engine

_HOST = "127.0.0.1"
_GRACE = 1  # seconds that an answer under way may take when the server ends


def serve(stack: str, engine: Engine, port: int, *, may_approve: bool, say: Callable[[str], None]) -> None:
    """Serve; *say* gets a link whenever there is one that nobody has used. Raises CliError for a port that is taken."""
    import uvicorn

    from cli.paging.source import StackSource
    from pages.app import served
    from pages.door import Door
    from pages.site import Site

    with (
        closing(listening(port)) as listener,
        closing(StackSource(stack, engine, may_approve=may_approve)) as source,
    ):
        own = int(listener.getsockname()[1])

        def offer() -> None:
            say(f"http://{_HOST}:{own}/sign-in?token={door.link()}")

        how = "./dev ui writes a link into its terminal, and another one as soon as that was used."
        door = Door(how, own, offer)
        offer()
        source.begin()
        config = uvicorn.Config(
            served(Site(source, door)),
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_GRACE,
        )
        uvicorn.Server(config).run(sockets=[listener])


def listening(port: int) -> socket.socket:
    """A socket that listens on loopback, on a free port where that is 0. Raises CliError for one that is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        listener.listen()
    except (OSError, OverflowError) as error:
        listener.close()
        taken = getattr(error, "errno", 0) == errno.EADDRINUSE
        cause = f"port {port} is taken by another program" if taken else f"port {port} can't be listened on"
        raise CliError(cause, "leave out --port, and a free one is taken") from None
    return listener
