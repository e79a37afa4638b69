"""Errors as Studio sends them, and errors that keep the server from starting.

    Exception
    ├── ApiError            an answer: HTTP status, code, details      catch in handlers only to add context
    │   ├── BadArgument     400, the request is wrong
    │   ├── BadUserArgument 400, values in a scoring request are wrong
    │   ├── InvalidOperation 400, not in this state or on this thing
    │   ├── ModuleExecutionError 400, a module of the graph refused its input
    │   ├── PackageError    400, the experiment graph is wrong
    │   ├── Unauthorized    401, never 403
    │   ├── NotFound        404
    │   ├── Conflict        409
    │   ├── TooLarge        413
    │   └── Busy            503, Studio's form of throttling
    └── StartError          one line of cause, one of remedy; the process exits with status 2

The envelope always has ``code``, ``message`` and a non-empty ``details``: published clients index all three.
Source: azure-docs, machine-learning/studio/web-service-error-codes.md.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Generic, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

_log = logging.getLogger("studio")


@dataclass(frozen=True)
class Detail:
    """One entry of ``error.details``: Studio's code, a line that says what, and what it is about."""

    code: str
    message: str
    target: str | None = None

    def to_json(self) -> dict[str, str]:
        """As sent."""
        shown = {"code": self.code, "message": self.message}
        return shown if self.target is None else {**shown, "target": self.target}


class ApiError(Exception):
    """Answered as `status` with the error envelope; an error's `code` is its class's name, unless it says another."""

    status = 500
    code = "InternalError"
    summary = "The service met an unexpected error."

    def __init_subclass__(cls, *, status: int | None = None, summary: str = "", code: str = "") -> None:
        if status is not None:
            cls.status, cls.summary, cls.code = status, summary, code or cls.__name__

    def __init__(self, code: str, message: str, target: str | None = None, *more: Detail) -> None:
        super().__init__(message)
        self.details = (Detail(code, bounded(message), target and bounded(target)), *more)

    def to_json(self) -> dict[str, object]:
        """The envelope."""
        details = [detail.to_json() for detail in self.details]
        return {"error": {"code": self.code, "message": self.summary, "details": details}}


class BadArgument(ApiError, status=400, summary="Invalid argument provided."):
    """The request itself is wrong."""


class BadUserArgument(ApiError, status=400, summary="Invalid argument provided."):
    """The values of a scoring request are wrong."""


class InvalidOperation(ApiError, status=400, summary="Invalid operation requested."):
    """The thing is not in a state, or not of a kind, that allows the call."""


class ModuleExecutionError(ApiError, status=400, summary="Module execution encountered an error."):
    """A module of the graph refused its input."""


class PackageError(
    ApiError, status=400, summary="Invalid web service package.", code="WebServicePackageError"
):
    """The experiment graph cannot be published."""


class Unauthorized(ApiError, status=401, summary="Access is denied due to invalid credentials."):
    """No key, or a wrong one."""


class NotFound(ApiError, status=404, summary="The resource was not found."):
    """There is no such thing."""


class Conflict(ApiError, status=409, summary="The request conflicts with the state of the resource."):
    """What is there does not go together with what was sent."""


class TooLarge(ApiError, status=413, summary="The request is too large.", code="RequestEntityTooLarge"):
    """A body of more bytes than are read."""


class Busy(
    ApiError, status=503, summary="The service is temporarily unavailable.", code="ServiceUnavailable"
):
    """Too many calls at once; Studio says 503 and no Retry-After."""


_LONGEST = 1000


def bounded(message: str) -> str:
    """A message that repeats what a client sent, not at any length."""
    return (
        message if len(message) <= _LONGEST else f"{message[: _LONGEST // 2]} … {message[-_LONGEST // 2 :]}"
    )


E = TypeVar("E", bound=ApiError)


@dataclass(frozen=True)
class Refusal(Generic[E]):
    """An error whose text is data: called with what it is about, it is made; `{}` stand for that, in order."""

    error: type[E]
    code: str
    message: str
    target: str = "{0}"

    def __call__(self, *about: object) -> E:
        """The error about these."""
        return self.error(self.code, self.message.format(*about), self.target.format(*about))


class StartError(Exception):
    """The server cannot start: `cause` and `remedy` are one line each."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy


async def on_api_error(_request: Request, error: Exception) -> Response:
    """The answer to an `ApiError`."""
    assert isinstance(error, ApiError)
    return JSONResponse(error.to_json(), error.status)


async def on_unexpected(request: Request, error: Exception) -> Response:
    """The answer to anything else: the log has the traceback, the client an envelope without it."""
    _log.error("unexpected error in %s %s", request.method, request.url.path, exc_info=error)
    return JSONResponse(ApiError("UnknownError", "the local cloud's log has the details").to_json(), 500)


async def on_http_error(request: Request, error: Exception) -> Response:
    """The answer where no route or method matches."""
    status = getattr(error, "status_code", 500)
    message = f"{request.method} {request.url.path} is not an operation of this local cloud"
    failure: ApiError
    if status == 405:
        failure = BadArgument("BadParameterValue", message)
    else:
        failure = NotFound("ResourceNotFound", message)
    return JSONResponse(failure.to_json(), status)
