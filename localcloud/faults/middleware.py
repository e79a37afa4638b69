"""Faults of the answer, for every route of the local cloud's port: delays, statuses, dropped and half-sent answers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from localcloud.facilities.journal import NO_ANSWER, is_local, mark, raw_target
from localcloud.faults.errors import ConnectionDropped, status_json
from localcloud.faults.rules import FaultRule
from localcloud.faults.state import Faults

_CLOSE = "studio.close"


class ClosableProtocol(H11Protocol):
    """Uvicorn's HTTP/1.1, whose applications can close the connection without an answer."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        inner = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            transport: asyncio.Transport = self.transport
            scope.setdefault("extensions", {})[_CLOSE] = transport.close
            await inner(scope, receive, send)

        self.app = app


class FaultsMiddleware:
    """Answers as the rules say; inside the journal, which records what the client saw."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry out one call, or not. Raises `ConnectionDropped` where there is no connection to close."""
        if scope["type"] != "http" or is_local(scope):
            await self._app(scope, receive, send)
            return
        met = await self._faults.meet("studio", scope["method"], raw_target(scope))
        mark(scope, *met.kinds)
        if met.settles is None:
            await self._app(scope, receive, send)
            return
        answer, whole = _Answer(), False

        async def reading() -> Message:
            nonlocal whole
            message = await receive()
            whole = message["type"] != "http.request" or not message.get("more_body")
            return message

        if met.carried_out:
            await self._carry_out(scope, reading, answer)
        if not whole:
            await _read_body(receive)
        await _settle(met.settles, answer, scope, receive, send)

    async def _carry_out(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        try:
            await self._app(scope, receive, answer.take)
        except Exception:
            # Starlette raises again what it has answered with 500 and logged.
            if answer.start is None:
                raise


class _Answer:
    """What the service itself answered, held back."""

    def __init__(self) -> None:
        self.start: Message | None = None
        self.body = b""

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.body += message.get("body", b"")

    @property
    def status(self) -> int | None:
        return None if self.start is None else int(self.start["status"])


async def _settle(rule: FaultRule, answer: _Answer, scope: Scope, receive: Receive, send: Send) -> None:
    match rule.kind:
        case "status":
            mark(scope, served=answer.status)
            assert rule.status is not None
            await _send_status(rule.status, rule.retry_after, send)
        case "truncate" if answer.start is not None and answer.body and scope["method"] != "HEAD":
            await _send_half(answer.start, answer.body, send)
            await _close(scope, receive)
        case _:
            # There is no half of an answer without a body: it isn't sent at all.
            mark(scope, served=answer.status)
            await send({"type": NO_ANSWER})
            await _close(scope, receive)


async def _send_status(status: int, retry_after: int | None, send: Send) -> None:
    body = json.dumps(status_json(status)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if retry_after is not None:
        headers.append((b"retry-after", str(retry_after).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _send_half(start: Message, body: bytes, send: Send) -> None:
    headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({**start, "headers": headers})
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})


async def _read_body(receive: Receive) -> None:
    """Read the request to its end: a connection closed before would be reset, not ended."""
    message = await receive()
    while message["type"] == "http.request" and message.get("more_body"):
        message = await receive()


async def _close(scope: Scope, receive: Receive) -> None:
    close = scope.get("extensions", {}).get(_CLOSE)
    if close is None:
        raise ConnectionDropped("the connection is closed on request")
    close()
    while (await receive())["type"] != "http.disconnect":
        pass
