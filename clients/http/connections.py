"""The process's connections to services: one pool for all REST clients and all blob containers, safe for threads.

A timeout of requests bounds one wait for some bytes only; ``cut_after`` bounds a whole exchange.

Imported by the first request: requests and what it brings along cost a tenth of a second.
"""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from clients.deadlines import left

if TYPE_CHECKING:
    from azure.core.pipeline.transport import RequestsTransport

# Azure's load balancers forget an idle connection after four minutes, without telling its ends.
_IDLE_SECONDS = 100.0
_AT_ONCE = 32
_PAUSE_SECONDS = 30.0


class _Exchange(threading.local):
    """The socket that this thread's exchange is on, and how it is told of it."""

    cut: _Cut | None = None


class _Cut:
    """Closes the socket of an exchange when its time is up, whatever the thread waits for then."""

    def __init__(self) -> None:
        self.is_due = False
        self._socket: socket.socket | None = None

    def hold(self, connected: socket.socket | None) -> None:
        self._socket = connected
        if self.is_due:
            self.fall()

    def fall(self) -> None:
        self.is_due = True
        if self._socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


_EXCHANGE = _Exchange()


@contextmanager
def cut_after(seconds: float) -> Iterator[_Cut]:
    """End this thread's exchanges inside after *seconds*: the cut that is given says afterwards whether it was due."""
    cut = _Cut()
    timer = threading.Timer(seconds, cut.fall)
    timer.daemon = True
    timer.start()
    _EXCHANGE.cut = cut
    try:
        yield cut
    finally:
        _EXCHANGE.cut = None
        timer.cancel()


class _Held:
    """A connection that tells the exchange of its socket."""

    sock: socket.socket | None

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        self._tell()

    def putrequest(self, *arguments: Any, **options: Any) -> None:
        self._tell()
        super().putrequest(*arguments, **options)  # type: ignore[misc]

    def _tell(self) -> None:
        if _EXCHANGE.cut is not None:
            _EXCHANGE.cut.hold(self.sock)


class _Connection(_Held, HTTPConnection):
    pass


class _SecureConnection(_Held, HTTPSConnection):
    pass


class _Connections(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecureConnections(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Pool(HTTPAdapter):
    """Connections that are used again while they are fresh: a write that meets a closed one can't be sent again."""

    def __init__(self) -> None:
        super().__init__(pool_maxsize=_AT_ONCE)
        self._used: dict[str, float] = {}

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Connections, "https": _SecureConnections}

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        host, now = urlsplit(str(request.url)).netloc, time.monotonic()
        if now - self._used.get(host, now) > _IDLE_SECONDS:
            self.close()  # those of requests under way stay open
        self._used[host] = now
        return super().send(request, *arguments, **options)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Each request brings its credential: without this, an entry of the user's .netrc would take its place."""
    return request


# What decides on a request's proxy and its certificates, in either case.
_ENVIRONMENT = tuple(
    name
    for each in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle")
    for name in (each, each.upper())
)


class _Session(requests.Session):
    def __init__(self) -> None:
        super().__init__()
        self._settings: dict[tuple[Any, ...], Any] = {}

    def merge_environment_settings(self, url: Any, proxies: Any, *settings: Any) -> Any:
        """Proxy and certificates for the host of *url*: requests looks through the whole environment for each request."""
        if proxies:
            return super().merge_environment_settings(url, proxies, *settings)
        place = urlsplit(str(url))
        key = (place.scheme, place.netloc, *settings, *map(os.environ.get, _ENVIRONMENT))
        if key not in self._settings:
            self._settings[key] = super().merge_environment_settings(url, {}, *settings)
        found = self._settings[key]
        return {**found, "proxies": dict(found["proxies"])}

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """A credential stays with its host, and the user's .netrc has none for where a redirect leads."""
        if self.should_strip_auth(response.request.url, prepared_request.url):  # type: ignore[no-untyped-call]
            prepared_request.headers.pop("Authorization", None)


def _open() -> requests.Session:
    opened = _Session()
    opened.auth = _as_it_is
    pool = _Pool()
    for scheme in ("http://", "https://"):
        opened.mount(scheme, pool)
    return opened


SESSION = _open()
os.register_at_fork(after_in_child=SESSION.close)  # two processes can't share a connection


def what_is_missing_here(error: BaseException) -> tuple[str, str] | None:
    """Cause and remedy where a connection failed for want of a file descriptor; None where the other end is at fault."""
    said = str(error)
    if f"[Errno {errno.EMFILE}]" in said or f"[Errno {errno.ENFILE}]" in said:
        remedy = "raise the limit (ulimit -n 1024), then run it again"
        return "this process has no free file descriptor", remedy
    return None


@cache
def for_azure() -> RequestsTransport:
    """The same connections, for clients of the Azure SDK, which would pause as long as any Retry-After says."""
    from azure.core.pipeline.transport import RequestsTransport

    class Bounded(RequestsTransport):  # type: ignore[misc]
        def sleep(self, duration: float) -> None:
            waiting = left()
            super().sleep(min(duration, _PAUSE_SECONDS if waiting is None else waiting))

    return Bounded(session=SESSION, session_owner=False, connection_timeout=10, read_timeout=100)
