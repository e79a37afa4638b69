"""HTTP/1.1 as the local cloud speaks it: uvicorn's, with head and body of a short answer in one packet."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from localcloud.faults.middleware import ClosableProtocol


class Protocol(ClosableProtocol):
    """What serves a connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to serve."""
        super().connection_made(cast("asyncio.Transport", _Gathering(transport, self.loop)))


class _Gathering:
    """A transport that holds a piece back until the next one comes, in the same turn of the loop: the two are sent as one."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send, or hold back."""
        if self._held:
            data, self._held = self._held + data, b""
            self._transport.write(data)
        elif data:
            self._held = data
            self._loop.call_soon(self._release)

    def close(self) -> None:
        """Send what is held back, and close."""
        self._release()
        self._transport.close()

    def _release(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held)
