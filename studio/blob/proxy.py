"""The blob proxy: a port that forwards everything to Azurite, journals each operation, and has faults on request.

Bytes, paths, queries and headers (their case too: metadata names keep it) pass as they are, so that SharedKey
and SAS signatures made for this port hold at Azurite. Bodies stream both ways at once. Only the headers that
belong to one connection are left out.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass

import h11

from studio.blob.misbehaving import misbehave
from studio.faults.state import Faults, Met
from studio.journal import Journal
from studio.store import now

_log = logging.getLogger("studio.blob")

_CHUNK = 256 * 1024
_HOP = frozenset({b"connection", b"keep-alive", b"proxy-connection"})
_UNREACHABLE = (
    b'<?xml version="1.0" encoding="utf-8"?><Error><Code>ServerUnavailable</Code>'
    b"<Message>Azurite does not answer; start it with ./dev cloud start</Message></Error>"
)
Headers = list[tuple[bytes, bytes]]


class _SenderGoneError(ConnectionError):
    """The side that sends a body closed its connection before the end."""


class _Peer:
    """One side of an exchange: a connection and its HTTP state."""

    def __init__(self, role: type[h11.CLIENT] | type[h11.SERVER], streams: Streams) -> None:
        self.http = h11.Connection(role, max_incomplete_event_size=128 * 1024)
        self.reader, self.writer = streams

    async def next(self) -> h11.Event | None:
        """The next event; None where a further request waits behind this one."""
        while True:
            event = self.http.next_event()
            if event is h11.NEED_DATA:
                self.http.receive_data(await self.reader.read(_CHUNK))
            else:
                return event if isinstance(event, h11.Event) else None

    async def send(self, event: h11.Event) -> None:
        data = self.http.send(event)
        if data:
            self.writer.write(data)
            await self.writer.drain()

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class _Call:
    """A request that has arrived, with the faults that it meets."""

    request: h11.Request
    at: str
    met: Met
    journal: Journal

    def record(self, status: int, served: int | None = None) -> None:
        """Journal what the client sees, and what Azurite answered if that is something else."""
        method, target = _line(self.request)
        self.journal.record(self.at, method, target, status, "blob", faults=self.met.kinds, served=served)


class BlobProxy:
    """Serves one listening socket; `upstream` is Azurite's host and port."""

    def __init__(self, upstream: tuple[str, int], journal: Journal, faults: Faults) -> None:
        self._upstream = upstream
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
        self._server = await asyncio.start_server(self._on_client, sock=listener, limit=_CHUNK)

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is None:
            return
        self._server.close()
        for task in list(self._clients):
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        self._server = None

    async def _on_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        client = _Peer(h11.SERVER, (reader, writer))
        try:
            await self._serve(client)
        except (OSError, h11.RemoteProtocolError, h11.LocalProtocolError) as error:
            _log.debug("connection ended: %s", error)
        except asyncio.CancelledError:
            pass  # The server stops; asyncio's own callback would log a cancelled handler as an error.
        finally:
            self._clients.discard(task)
            await client.close()

    async def _serve(self, client: _Peer) -> None:
        while True:
            request = await client.next()
            if not isinstance(request, h11.Request):
                return
            at = now()
            call = _Call(request, at, await self._faults.meet("blob", *_line(request)), self._journal)
            try:
                streams = await asyncio.open_connection(*self._upstream, limit=_CHUNK)
            except OSError:
                await self._refuse(client, call)
                return
            azurite = _Peer(h11.CLIENT, streams)
            try:
                if call.met.settles is None:
                    await self._exchange(client, azurite, call)
                else:
                    await misbehave(call.met, client, azurite, request, _end_to_end, call.record)
            finally:
                await azurite.close()
            if client.http.our_state is not h11.DONE or client.http.their_state is not h11.DONE:
                return
            client.http.start_next_cycle()

    async def _exchange(self, client: _Peer, azurite: _Peer, call: _Call) -> None:
        request = call.request
        await azurite.send(
            h11.Request(method=request.method, target=request.target, headers=_end_to_end(request))
        )
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_upload(client, azurite))
                both.create_task(_answer(azurite, client, call.record))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    async def _refuse(self, client: _Peer, call: _Call) -> None:
        call.record(502)
        headers = [
            ("Content-Type", "application/xml"),
            ("Content-Length", str(len(_UNREACHABLE))),
            ("Connection", "close"),
        ]
        await client.send(h11.Response(status_code=502, reason=b"Bad Gateway", headers=headers))
        if call.request.method != b"HEAD":
            await client.send(h11.Data(data=_UNREACHABLE))
        await client.send(h11.EndOfMessage())


def _line(request: h11.Request) -> tuple[str, str]:
    """Method and target."""
    return request.method.decode("ascii"), request.target.decode("latin-1")


def _end_to_end(message: h11.Request | h11.Response) -> Headers:
    return [(name, value) for name, value in message.headers.raw_items() if name.lower() not in _HOP]


async def _upload(client: _Peer, azurite: _Peer) -> None:
    """Forward the request's body; once Azurite has refused it, read the rest, so that the client sees why."""
    try:
        await _pump(client, azurite)
    except _SenderGoneError:
        raise
    except (OSError, h11.LocalProtocolError):
        while isinstance(await client.next(), h11.Data):
            pass


async def _pump(source: _Peer, target: _Peer) -> None:
    """Forward a message's body up to its end."""
    while True:
        event = await source.next()
        if isinstance(event, h11.Data):
            await target.send(h11.Data(data=event.data))
        elif isinstance(event, h11.EndOfMessage):
            await target.send(h11.EndOfMessage(headers=event.headers.raw_items()))
            return
        else:
            raise _SenderGoneError("the sender went away within a body")


async def _answer(azurite: _Peer, client: _Peer, on_status: Callable[[int], None]) -> None:
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
            on_status(event.status_code)
            await client.send(
                h11.Response(status_code=event.status_code, reason=event.reason, headers=_end_to_end(event))
            )
            await _pump(azurite, client)
            return
        else:
            raise ConnectionError("Azurite went away before it answered")
