"""The blob proxy: a port that forwards everything to Azurite, journals each operation, and has faults on request.

Bytes, paths, queries and headers (their case too: metadata names keep it) pass as they are, so that SharedKey
and SAS signatures made for this port hold at Azurite. Bodies stream both ways at once. Only the headers that
belong to one connection are left out. A write is kept before its confirmation is passed on (`kept_writes`).
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import h11

from localcloud.blobs.kept_writes import SECONDS, KeepingWrite, KeptWrites, line_of
from localcloud.blobs.misbehaving import misbehave
from localcloud.blobs.peers import CHUNK, Headers, StreamPeer
from localcloud.blobs.restoring import Restoring
from localcloud.facilities.cloud import Cloud
from localcloud.facilities.hosts import is_known
from localcloud.facilities.journal import Journal
from localcloud.facilities.store import now
from localcloud.faults.state import Faults, Met

_log = logging.getLogger("localcloud.blobs")

_FRESH_SECONDS = 2.0
_HOP = frozenset({b"connection", b"keep-alive", b"proxy-connection"})
_ERROR = '<?xml version="1.0" encoding="utf-8"?><Error><Code>{}</Code><Message>{}</Message></Error>'
_UNREACHABLE = _ERROR.format(
    "ServerUnavailable", "Azurite does not answer; start it with ./dev cloud start"
).encode()
_MISNAMED = _ERROR.format("InvalidHost", "this local cloud is not called by that name").encode()


class _SenderGoneError(ConnectionError):
    """The side that sends a body closed its connection before the end."""


@dataclass(frozen=True)
class _Call:
    """A request that has arrived, with the faults that it meets."""

    request: h11.Request
    at: str
    met: Met
    journal: Journal

    def record(self, status: int, served: int | None = None) -> None:
        """Journal what the client sees, and what Azurite answered if that is something else."""
        method, target = line_of(self.request)
        self.journal.record(self.at, method, target, status, "blob", faults=self.met.kinds, served=served)


class _Upstream:
    """A client's connection to Azurite, used again while it is fresh: Azurite closes idle ones after five seconds."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._peer: StreamPeer | None = None
        self._used = 0.0

    async def peer(self) -> StreamPeer:
        """A connection that is ready for a request. Raises OSError where Azurite does not answer."""
        if self._peer and (self._peer.reader.at_eof() or monotonic() - self._used > _FRESH_SECONDS):
            await self.close()
        if self._peer is None:
            streams = await asyncio.open_connection(*self._address, limit=CHUNK)
            self._peer = StreamPeer(h11.CLIENT, streams)
        return self._peer

    async def used(self) -> None:
        """An exchange is over: the connection is kept where both sides have said all that they had to."""
        peer = self._peer
        if peer is None or peer.http.our_state is not h11.DONE or peer.http.their_state is not h11.DONE:
            await self.close()
            return
        peer.http.start_next_cycle()
        self._used = monotonic()

    async def close(self) -> None:
        """Close it; the next request has another."""
        peer, self._peer = self._peer, None
        if peer is not None:
            await peer.close()


class BlobProxy:
    """Serves one listening socket, before the Azurite of a cloud."""

    def __init__(self, cloud: Cloud, journal: Journal, faults: Faults, writes: KeptWrites) -> None:
        self._upstream = cloud.azurite_address
        self._names = cloud.names
        self._writes = writes
        self._restoring = Restoring(cloud, writes)
        self._tidying: asyncio.Task[None] | None = None
        self._journal = journal
        self._faults = faults
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    @property
    def serving(self) -> bool:
        """Whether the port accepts connections."""
        return self._server is not None and self._server.is_serving()

    async def start(self, listener: socket.socket) -> None:
        """Begin to serve."""
        self._server = await asyncio.start_server(self._on_client, sock=listener, limit=CHUNK)
        self._tidying = asyncio.create_task(self._tidy())

    def protocol(self) -> asyncio.StreamReaderProtocol:
        """What serves one connection that another listener accepted."""
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(limit=CHUNK), self._on_client)

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(SECONDS / 4)
            try:
                self._restoring.tidy()
            except OSError:
                _log.exception("kept writes cannot be deleted; trying again")

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is None:
            return
        self._server.close()
        if self._tidying is not None:
            self._tidying.cancel()
        self._restoring.close()
        for task in list(self._clients):
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        self._server = None

    async def _on_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        client = StreamPeer(h11.SERVER, (reader, writer))
        try:
            await self._serve(client)
        except (OSError, h11.RemoteProtocolError, h11.LocalProtocolError) as error:
            _log.debug("connection ended: %s", error)
        except asyncio.CancelledError:
            pass  # The server stops; asyncio's own callback would log a cancelled handler as an error.
        finally:
            self._clients.discard(task)
            await client.close()

    async def _serve(self, client: StreamPeer) -> None:
        azurite = _Upstream(self._upstream)
        try:
            await self._serve_by(client, azurite)
        finally:
            await azurite.close()

    async def _serve_by(self, client: StreamPeer, azurite: _Upstream) -> None:
        while True:
            request = await client.next()
            if not isinstance(request, h11.Request):
                return
            at = now()
            if not all(is_known(host.decode("latin-1"), self._names) for host in _hosts(request)):
                await _send_error(client, request, 400, _MISNAMED)
                return
            call = _Call(request, at, await self._faults.meet("blob", *line_of(request)), self._journal)
            try:
                await self._restoring.ready()
                peer = await azurite.peer()
            except OSError:
                await self._refuse(client, call)
                return
            if call.met.settles is None:
                await self._exchange(client, peer, call)
            else:
                await misbehave(call.met, client, peer, request, _end_to_end, call.record)
            await azurite.used()
            if client.http.our_state is not h11.DONE or client.http.their_state is not h11.DONE:
                return
            client.http.start_next_cycle()

    async def _exchange(self, client: StreamPeer, azurite: StreamPeer, call: _Call) -> None:
        request, kept = call.request, self._writes.begin(call.request)

        def answered(response: h11.Response) -> None:
            if kept is not None:
                kept.answered(response)
            call.record(response.status_code)

        await azurite.send(
            h11.Request(method=request.method, target=request.target, headers=_end_to_end(request))
        )
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_upload(client, azurite, kept))
                both.create_task(_answer(azurite, client, answered))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            if kept is not None:
                kept.drop()

    async def _refuse(self, client: StreamPeer, call: _Call) -> None:
        call.record(502)
        await _send_error(client, call.request, 502, _UNREACHABLE)


async def _send_error(client: StreamPeer, request: h11.Request, status: int, content: bytes) -> None:
    headers = [
        ("Content-Type", "application/xml"),
        ("Content-Length", str(len(content))),
        ("Connection", "close"),
    ]
    await client.send(h11.Response(status_code=status, headers=headers))
    if request.method != b"HEAD":
        await client.send(h11.Data(data=content))
    await client.send(h11.EndOfMessage())


def _hosts(request: h11.Request) -> list[bytes]:
    return [value for name, value in request.headers if name == b"host"]


def _end_to_end(message: h11.Request | h11.Response) -> Headers:
    return [(name, value) for name, value in message.headers.raw_items() if name.lower() not in _HOP]


async def _upload(client: StreamPeer, azurite: StreamPeer, kept: KeepingWrite | None) -> None:
    """Forward the request's body; once Azurite has refused it, read the rest, so that the client sees why."""
    try:
        await _pump(client, azurite, kept)
    except _SenderGoneError:
        raise
    except (OSError, h11.LocalProtocolError):
        while isinstance(await client.next(), h11.Data):
            pass


async def _pump(source: StreamPeer, target: StreamPeer, kept: KeepingWrite | None = None) -> None:
    """Forward a message's body up to its end."""
    while True:
        event = await source.next()
        if isinstance(event, h11.Data):
            if kept is not None:
                kept.add(bytes(event.data))
            await target.send(h11.Data(data=event.data))
        elif isinstance(event, h11.EndOfMessage):
            await target.send(h11.EndOfMessage(headers=event.headers.raw_items()))
            return
        else:
            raise _SenderGoneError("the sender went away within a body")


async def _answer(azurite: StreamPeer, client: StreamPeer, on_head: Callable[[h11.Response], None]) -> None:
    """Forward the answer: any 100 Continue, the head, the body."""
    while True:
        event = await azurite.next()
        if isinstance(event, h11.InformationalResponse):
            await client.send(
                h11.InformationalResponse(
                    status_code=event.status_code, reason=event.reason, headers=event.headers.raw_items()
                )
            )
        elif isinstance(event, h11.Response):
            on_head(event)
            await client.send(
                h11.Response(status_code=event.status_code, reason=event.reason, headers=_end_to_end(event))
            )
            await _pump(azurite, client)
            return
        else:
            raise ConnectionError("Azurite went away before it answered")
