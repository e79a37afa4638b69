"""A door of its own for calls to be scored, before the routes: they come thousands of times as often as all others."""

from __future__ import annotations

import re

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from localcloud.facilities.errors import ApiError, on_api_error, on_unexpected
from localcloud.studio.data_plane import CLASSIC, NEW
from localcloud.studio.request_response.routes import EXECUTE, execute

_PATHS = tuple(
    re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", prefix + EXECUTE)) for prefix in (CLASSIC, NEW)
)


class Door:
    """Has calls to be scored answered, as the application's routes would, and all others by the application."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        found = None
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].endswith(EXECUTE):
            found = next((match for path in _PATHS if (match := path.fullmatch(scope["path"]))), None)
        if found is None:
            await self._app(scope, receive, send)
            return
        scope["app"], scope["path_params"] = self._app, found.groupdict()
        request = Request(scope, receive, send)
        try:
            answer = await execute(request)
        except ApiError as error:
            answer = await on_api_error(request, error)
        except Exception as error:
            answer = await on_unexpected(request, error)
        await answer(scope, receive, send)
