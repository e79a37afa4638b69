"""Calls one address from several connections at once, each call after the answer to the one before."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """What came of it: calls, how many a second, and how long they took, in seconds."""

    calls: int
    rate: float
    median: float
    p99: float


class Unanswered(Exception):
    """An answer that is not 200."""


def request(path: str, port: int, body: bytes, key: str = "") -> bytes:
    """A call as it is sent."""
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *([f"Authorization: Bearer {key}"] if key else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def drive(port: int, call: bytes, connections: int, seconds: float) -> Load:
    """Call for so long. Raises Unanswered."""
    return asyncio.run(_drive(port, call, connections, seconds))


def once(port: int, call: bytes) -> bytes:
    """The body of one answer. Raises Unanswered."""

    async def one() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(call)
        body = await _answer(reader)
        writer.close()
        return body

    return asyncio.run(one())


async def _drive(port: int, call: bytes, connections: int, seconds: float) -> Load:
    taken: list[float] = []
    end = time.perf_counter() + seconds

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
        while (started := time.perf_counter()) < end:
            writer.write(call)
            await _answer(reader)
            taken.append(time.perf_counter() - started)
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(connection() for _ in range(connections)))
    return Load(
        len(taken),
        len(taken) / (time.perf_counter() - begun),
        statistics.median(taken),
        sorted(taken)[int(len(taken) * 0.99)],
    )


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    at = head.lower().index(b"content-length:") + len(b"content-length:")
    body = await reader.readexactly(int(head[at : head.index(b"\r\n", at)]))
    if b" 200 " not in head[:16]:
        raise Unanswered(body.decode(errors="replace")[:500])
    return body
