"""Faults of the answer, for blob operations: statuses, dropped and half-sent answers.

Such an operation isn't streamed: request and answer are each read to their end, so that what Azurite did and what
the client sees are two things.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol
from uuid import uuid4

import h11

from localcloud.faults.errors import ConnectionDropped, blob_error
from localcloud.faults.rules import FaultRule
from localcloud.faults.state import Met

Headers = list[tuple[bytes, bytes]]


class Peer(Protocol):
    """One side of the exchange."""

    http: h11.Connection

    async def next(self) -> h11.Event | None:
        """The next event."""

    async def send(self, event: h11.Event) -> None:
        """Send an event."""


async def misbehave(
    met: Met,
    client: Peer,
    azurite: Peer,
    request: h11.Request,
    end_to_end: Callable[[h11.Request | h11.Response], Headers],
    record: Callable[[int, int | None], None],
) -> None:
    """Answer one operation as the rule that settles it says.

    `record` gets what the client sees and what Azurite answered if that is something else, before anything is sent.
    Raises `ConnectionDropped` where the connection is to be closed.
    """
    rule = met.settles
    assert rule is not None
    if not met.carried_out:
        if not client.http.they_are_waiting_for_100_continue:
            await _body(client)
        await _refuse(rule, client, request, None, record)
        return
    if client.http.they_are_waiting_for_100_continue:
        await client.send(h11.InformationalResponse(status_code=100, headers=[]))
    answer, content = await _carried_out(azurite, request, end_to_end(request), await _body(client))
    if rule.kind == "truncate" and content:
        record(answer.status_code, None)
        await _send_half(client, answer, end_to_end(answer), content)
        raise ConnectionDropped("the answer ends after its first half on request")
    await _refuse(rule, client, request, answer.status_code, record)


async def _refuse(
    rule: FaultRule,
    client: Peer,
    request: h11.Request,
    served: int | None,
    record: Callable[[int, int | None], None],
) -> None:
    """A status on request, or no answer at all (there is no half of one without a body)."""
    if rule.kind != "status" or rule.status is None:
        record(0, served)
        raise ConnectionDropped("the connection is closed on request")
    record(rule.status, served)
    code, content = blob_error(rule.status)
    headers = [
        ("Content-Type", "application/xml"),
        ("Content-Length", str(len(content))),
        ("x-ms-error-code", code),
        ("x-ms-request-id", str(uuid4())),
    ]
    if rule.retry_after is not None:
        headers.append(("Retry-After", str(rule.retry_after)))
    await client.send(h11.Response(status_code=rule.status, headers=headers))
    if request.method != b"HEAD":
        await client.send(h11.Data(data=content))
    await client.send(h11.EndOfMessage())


async def _carried_out(
    azurite: Peer, request: h11.Request, headers: Headers, content: bytes
) -> tuple[h11.Response, bytes]:
    """Azurite's answer, whole."""
    kept = [(name, value) for name, value in headers if name.lower() != b"expect"]
    await azurite.send(h11.Request(method=request.method, target=request.target, headers=kept))
    if content:
        await azurite.send(h11.Data(data=content))
    await azurite.send(h11.EndOfMessage())
    event = await azurite.next()
    while isinstance(event, h11.InformationalResponse):
        event = await azurite.next()
    if not isinstance(event, h11.Response):
        raise ConnectionError("Azurite went away before it answered")
    return event, await _body(azurite)


async def _send_half(client: Peer, answer: h11.Response, headers: Headers, content: bytes) -> None:
    framing = (b"content-length", b"transfer-encoding")
    kept = [(name, value) for name, value in headers if name.lower() not in framing]
    kept.append((b"Content-Length", str(len(content)).encode()))
    await client.send(h11.Response(status_code=answer.status_code, reason=answer.reason, headers=kept))
    await client.send(h11.Data(data=content[: len(content) // 2]))


async def _body(sender: Peer) -> bytes:
    """A message's body, read to its end."""
    parts = []
    while isinstance(event := await sender.next(), h11.Data):
        parts.append(bytes(event.data))
    if not isinstance(event, h11.EndOfMessage):
        raise ConnectionError("the sender went away within a body")
    return b"".join(parts)
