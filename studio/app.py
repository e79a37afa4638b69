"""The studio's port as one ASGI application: all APIs, their errors, the journal around them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator
from time import perf_counter
from uuid import uuid4

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import studio.aad.routes
import studio.apihelp.routes
import studio.bes.routes
import studio.faults.routes
import studio.local.routes
import studio.management.routes
import studio.rrs.routes
import studio.workspaces.routes
from studio import arm
from studio.context import Studio
from studio.errors import ApiError, on_api_error, on_http_error, on_unexpected
from studio.faults.errors import ConnectionDropped
from studio.faults.middleware import FaultsMiddleware
from studio.journal import JournalMiddleware, effect_of, raw_target
from studio.logs import redact
from studio.webservices import provisioning

_log = logging.getLogger("studio.http")


def create_app(studio_: Studio) -> ASGIApp:
    """The application; its lifespan starts and stops the workers."""
    app = Starlette(
        routes=[
            *studio.rrs.routes.routes(),
            *studio.bes.routes.routes(),
            *studio.apihelp.routes.routes(),
            *studio.management.routes.routes(),
            *studio.workspaces.routes.routes(),
            *studio.local.routes.routes(),
            *studio.faults.routes.routes(),
            *arm.routes(studio_.store, studio_.cloud, studio_.operations, studio_.directory),
            *studio.aad.routes.routes(studio_.directory),
        ],
        exception_handlers={
            ApiError: on_api_error,
            HTTPException: on_http_error,
            Exception: on_unexpected,
        },
        lifespan=_lifespan,
    )
    app.state.studio = studio_
    return _Front(JournalMiddleware(FaultsMiddleware(app, studio_.faults), studio_.journal))


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    studio_: Studio = app.state.studio
    studio_.models.keep_only(studio_.experiments.models() | studio_.jobs.models())
    studio_.runner.start()
    provisioning.resume(studio_)
    flushing = asyncio.create_task(studio_.journal.flush_regularly())
    # In a thread, so that the ports answer while pandas and the model runtime are imported; a daemon, so that
    # a server which is stopped meanwhile does not wait for it.
    threading.Thread(target=studio_.graphs.warm_up, name="warm-up", daemon=True).start()
    try:
        yield
    finally:
        flushing.cancel()
        studio_.faults.stop()
        await studio_.operations.stop()
        await studio_.runner.stop()
        await asyncio.gather(flushing, return_exceptions=True)
        studio_.scoring.shutdown(wait=False, cancel_futures=True)
        studio_.journal.flush()
        studio_.store.close()


class _Front:
    """Gives every answer a request id and a log line; an exception that was answered ends here."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = perf_counter(), 0

        async def identified(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message.setdefault("headers", [])
                if not any(name.lower() == b"x-ms-request-id" for name, _ in headers):
                    headers.append((b"x-ms-request-id", str(uuid4()).encode()))
            await send(message)

        try:
            await self._app(scope, receive, identified)
        except ConnectionDropped:
            raise
        except Exception as error:
            # Answered and logged inside already, or else raised around the application: by the journal, say.
            if not status:
                answer = await on_unexpected(Request(scope), error)
                await answer(scope, receive, identified)
        method, target = scope["method"], raw_target(scope)
        noteworthy = status >= 400 or effect_of(method, target) == "write"
        level = logging.INFO if noteworthy else logging.DEBUG
        if _log.isEnabledFor(level):
            milliseconds = (perf_counter() - began) * 1000
            _log.log(level, "%s %s %d %.0f ms", method, redact(target), status, milliseconds)
