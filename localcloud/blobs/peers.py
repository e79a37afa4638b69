"""One side of an HTTP exchange over asyncio's streams."""

from __future__ import annotations

import asyncio
import contextlib

import h11

CHUNK = 256 * 1024
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Headers = list[tuple[bytes, bytes]]


class StreamPeer:
    """One side of an exchange: a connection and its HTTP state."""

    def __init__(self, role: type[h11.CLIENT] | type[h11.SERVER], streams: Streams) -> None:
        self.http = h11.Connection(role, max_incomplete_event_size=128 * 1024)
        self.reader, self.writer = streams

    async def next(self) -> h11.Event | None:
        """The next event; None where a further request waits behind this one."""
        while True:
            event = self.http.next_event()
            if event is h11.NEED_DATA:
                self.http.receive_data(await self.reader.read(CHUNK))
            else:
                return event if isinstance(event, h11.Event) else None

    async def send(self, event: h11.Event) -> None:
        """Send an event."""
        data = self.http.send(event)
        if data:
            self.writer.write(data)
            await self.writer.drain()

    async def close(self) -> None:
        """Close the connection."""
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()
