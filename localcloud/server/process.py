"""The process: its ports on loopback, one of them with HTTPS, signals, an orderly end within three seconds."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import itertools
import logging
import os
import signal
import socket
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn

from localcloud.facilities.cloud import Cloud
from localcloud.facilities.errors import StartError
from localcloud.server.app import create_app
from localcloud.server.protocol import Protocol
from localcloud.server.tls import ByName, Tls
from localcloud.works.batch.executor import PROCESSES, Executor
from localcloud.works.batch.processes import ProcessPool
from localcloud.works.context import Works, open_works
from localcloud.works.upkeep import bound_logs, tidy

_log = logging.getLogger("studio")

_HOST = "127.0.0.1"
_BACKLOG = 2048
# Longer than clients keep idle connections, so that none is closed while a request is on its way.
_KEEP_ALIVE_SECONDS = 300
_GRACE_SECONDS = 1
_UPKEEP_SECONDS = 60
_AN_HOUR = 60  # rounds of it
_START_AGAIN = "start the local cloud again: ./dev cloud start"


def serve(
    cloud: Cloud,
    port: int,
    blob_port: int,
    data_dir: Path,
    *,
    workers: int | None = None,
    executor: str = PROCESSES,
    https_port: int | None = None,
    log_dir: Path | None = None,
    allow_faults: bool = False,
    allow_scripts: bool = False,
) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises `StartError`."""
    with contextlib.ExitStack() as sockets:
        listener, blob_listener = (sockets.enter_context(_listen(one)) for one in (port, blob_port))
        secure = sockets.enter_context(_listen(https_port)) if https_port else None
        try:
            works = open_works(
                cloud,
                data_dir,
                executor=_executor(executor, workers),
                allow_faults=allow_faults,
                allow_scripts=allow_scripts,
            )
        except OSError as error:
            raise StartError(
                f"cannot write to the data directory {data_dir}: {error.strerror}",
                "let this user write there, or choose another: python -m localcloud --data-dir",
            ) from None
        tls = _open_tls(cloud) if secure else None
        _write_federated_tokens(works)
        asyncio.run(_serve(works, listener, blob_listener, secure, tls, log_dir))


def _open_tls(cloud: Cloud) -> Tls:
    if cloud.ca_file is None:
        raise StartError("the cloud file names no certificate authority (caFile)", _START_AGAIN)
    try:
        return Tls(cloud.ca_file)
    except OSError as error:
        raise StartError(
            f"cannot write the certificates in {cloud.ca_file.parent}: {error.strerror}",
            "let this user write there",
        ) from None
    except ValueError as error:
        raise StartError(
            f"a certificate in {cloud.ca_file.parent} cannot be read: {error}",
            f"delete that folder, then {_START_AGAIN}",
        ) from None


def _write_federated_tokens(works: Works) -> None:
    try:
        works.directory.write_federated_tokens()
    except (OSError, ValueError) as error:
        raise StartError(
            f"cannot write the federated tokens: {error}", f"delete what is in the way, then {_START_AGAIN}"
        ) from None


def _executor(name: str, workers: int | None) -> Executor:
    """The pool of processes, one for each core unless `workers` says otherwise, or the Dask cluster of that address."""
    if name == PROCESSES:
        return ProcessPool(workers or os.cpu_count() or 1)
    # Dask takes a second to import, which no other local cloud should wait for.
    from localcloud.works.batch.dask_cluster import DaskCluster

    return DaskCluster(name)


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
                "stop that program, or choose other ports: ./dev cloud start --new-ports, or python -m localcloud --port, --https-port, --blob-port",
            ) from None
        raise StartError(
            f"cannot listen on port {port}: {error.strerror}", "choose another port from 1024 to 65535"
        ) from None
    return listener


class Server(uvicorn.Server):
    """Uvicorn with a second listener that speaks HTTPS, under one lifespan.

    By the name of a blob account (`<account>.blob.localhost`, as Azure's own clients write it) that listener serves blobs.
    It leaves signals to us: it would end the process before the workers.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        secure: socket.socket | None = None,
        tls: Tls | None = None,
        blobs: Callable[[], asyncio.BaseProtocol] | None = None,
    ) -> None:
        super().__init__(config)
        self._secure = secure
        self._tls = tls
        self._blobs = blobs

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start both listeners."""
        await super().startup(sockets)
        if self._secure is None or self._tls is None or self.should_exit:
            return
        server = await asyncio.get_running_loop().create_server(
            lambda: ByName(self._protocol, self._blobs),
            sock=self._secure,
            ssl=self._tls.context,
            ssl_shutdown_timeout=_GRACE_SECONDS,
            backlog=_BACKLOG,
        )
        self.servers.append(server)

    def _protocol(self) -> Protocol:
        return Protocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


async def _serve(
    works: Works,
    listener: socket.socket,
    blob_listener: socket.socket,
    secure: socket.socket | None,
    tls: Tls | None,
    log_dir: Path | None,
) -> None:
    config = uvicorn.Config(
        create_app(works),
        http=Protocol,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = Server(config, secure, tls, works.proxy.protocol)
    loop = asyncio.get_running_loop()

    def stop(*_: object) -> None:
        server.should_exit = True

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: loop.call_soon_threadsafe(stop))
    await works.runner.executor.check()
    await works.proxy.start(blob_listener)
    _log.info("studio on %s, blobs on %s", _address(listener), _address(blob_listener))
    if secure:
        _log.info("studio with HTTPS on %s", _address(secure, "https"))
    upkeep = asyncio.create_task(_keep_up(works, tls, log_dir))
    try:
        await server.serve(sockets=[listener])
    finally:
        upkeep.cancel()
        await works.proxy.stop()


async def _keep_up(works: Works, tls: Tls | None, log_dir: Path | None) -> None:
    """Keep logs short; each hour delete what nothing names, and renew federated tokens, and certificates in time."""
    for minute in itertools.count(1):
        await asyncio.sleep(_UPKEEP_SECONDS)
        try:
            if log_dir is not None:
                bound_logs(log_dir)
            if minute % _AN_HOUR:
                continue
            tidy(works)
            works.directory.write_federated_tokens()
            if tls is not None and tls.renew():
                _log.info("the certificate of HTTPS was renewed")
        except (OSError, ValueError, sqlite3.Error):
            _log.exception("the local cloud's upkeep failed; trying again")


def _address(listener: socket.socket, scheme: str = "http") -> str:
    host, port = listener.getsockname()[:2]
    return f"{scheme}://{host}:{port}"
