"""The local cloud's port as one ASGI application: all APIs, their errors, the journal around them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator
from random import getrandbits
from time import perf_counter
from uuid import UUID

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import localcloud.directory.routes
import localcloud.server.faults_routes
import localcloud.server.local_routes
import localcloud.server.pages.routes
import localcloud.studio.assets.routes
import localcloud.studio.batch.routes
import localcloud.studio.datasets.routes
import localcloud.studio.help.routes
import localcloud.studio.management.routes
import localcloud.studio.request_response.routes
import localcloud.studio.workspaces.routes
from localcloud import arm
from localcloud.azureml import registered
from localcloud.facilities.errors import ApiError, on_api_error, on_http_error, on_unexpected
from localcloud.facilities.hosts import HostsMiddleware
from localcloud.facilities.journal import JournalMiddleware, effect_of, raw_target
from localcloud.facilities.logs import redact
from localcloud.faults.errors import ConnectionDropped
from localcloud.faults.middleware import FaultsMiddleware
from localcloud.studio.request_response.door import Door
from localcloud.studio.web_services import provisioning
from localcloud.works import upkeep
from localcloud.works.context import Works

_log = logging.getLogger("studio.http")


def create_app(works: Works) -> ASGIApp:
    """The application; its lifespan starts and stops the workers."""
    azureml = registered.open_azureml(works)
    app = Starlette(
        routes=[
            *localcloud.studio.request_response.routes.routes(),
            *localcloud.studio.batch.routes.routes(),
            *localcloud.studio.help.routes.routes(),
            *localcloud.studio.management.routes.routes(),
            *localcloud.studio.workspaces.routes.routes(),
            *localcloud.studio.datasets.routes.routes(),
            *localcloud.studio.assets.routes.routes(),
            *localcloud.server.local_routes.routes(),
            *localcloud.server.faults_routes.routes(),
            *localcloud.server.pages.routes.routes(works, azureml, lambda: whole),
            *arm.routes(
                works.store,
                works.cloud,
                works.operations,
                works.directory,
                registered.TYPES,
                registered.OPERATIONS,
            ),
            *registered.routes(),
            *localcloud.directory.routes.routes(works.directory),
        ],
        exception_handlers={
            ApiError: on_api_error,
            HTTPException: on_http_error,
            Exception: on_unexpected,
        },
        lifespan=_lifespan,
    )
    app.state.works = works
    app.state.azureml = azureml
    journalled = JournalMiddleware(FaultsMiddleware(Door(app), works.faults), works.journal)
    whole = _Front(HostsMiddleware(journalled, works.cloud.names))
    return whole


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    works: Works = app.state.works
    azureml: registered.AzureMl = app.state.azureml
    upkeep.tidy(works, starting=True)
    works.runner.start()
    azureml.start(works)
    provisioning.resume(works)
    flushing = asyncio.create_task(works.journal.flush_regularly())
    # In a thread, so that the ports answer while pandas and the model runtime are imported; a daemon, so that
    # a server which is stopped meanwhile does not wait for it.
    threading.Thread(target=works.graphs.warm_up, name="warm-up", daemon=True).start()
    try:
        yield
    finally:
        flushing.cancel()
        works.faults.stop()
        await works.operations.stop()
        await works.runner.stop()
        await azureml.stop()
        await asyncio.gather(flushing, return_exceptions=True)
        works.scoring.shutdown(wait=False, cancel_futures=True)
        works.journal.flush()
        works.store.close()


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
                if all(name != b"x-ms-request-id" for name, _ in headers):
                    # An id, no secret: it need not come from the system.
                    headers.append((b"x-ms-request-id", str(UUID(int=getrandbits(128), version=4)).encode()))
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
