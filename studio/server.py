"""The process: two ports on loopback, signals, an orderly end within three seconds."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from studio.app import create_app
from studio.cloud import Cloud
from studio.context import Studio, open_studio
from studio.errors import StartError
from studio.faults.middleware import ClosableProtocol
from studio.store import StoreError

_log = logging.getLogger("studio")

_HOST = "127.0.0.1"
_BACKLOG = 2048
# Longer than clients keep idle connections, so that none is closed while a request is on its way.
_KEEP_ALIVE_SECONDS = 300
_GRACE_SECONDS = 1


def serve(
    cloud: Cloud,
    port: int,
    blob_port: int,
    data_dir: Path,
    workers: int | None = None,
    *,
    allow_faults: bool = False,
) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises `StartError`."""
    with contextlib.ExitStack() as sockets:
        listeners = [sockets.enter_context(_listen(one)) for one in (port, blob_port)]
        try:
            studio = open_studio(cloud, data_dir, workers=workers or _room(), allow_faults=allow_faults)
        except StoreError as error:
            raise StartError(error.cause, error.remedy) from None
        except OSError as error:
            raise StartError(
                f"cannot write to the data directory {data_dir}: {error.strerror}",
                "choose another with --data-dir",
            ) from None
        asyncio.run(_serve(studio, *listeners))


def _room() -> int:
    """As many workers as leave a core for everything else, at most two."""
    return max(1, min(2, (os.cpu_count() or 2) // 2))


def _listen(port: int) -> socket.socket:
    # With the protocol named, asyncio turns Nagle's algorithm off: else each answer waits 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise StartError(
                f"port {port} is taken by another program",
                "stop that program, or choose another port with --port and --blob-port",
            ) from None
        raise StartError(
            f"cannot listen on port {port}: {error.strerror}", "choose another port from 1024 to 65535"
        ) from None
    return listener


class _Server(uvicorn.Server):
    """Uvicorn, except that it leaves signals to us: it would end the process before the workers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(studio: Studio, listener: socket.socket, blob_listener: socket.socket) -> None:
    config = uvicorn.Config(
        create_app(studio),
        http=ClosableProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(config)
    loop = asyncio.get_running_loop()

    def stop(*_: object) -> None:
        server.should_exit = True

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: loop.call_soon_threadsafe(stop))
    await studio.proxy.start(blob_listener)
    _log.info("studio on %s, blobs on %s", _address(listener), _address(blob_listener))
    try:
        await server.serve(sockets=[listener])
    finally:
        await studio.proxy.stop()


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"
