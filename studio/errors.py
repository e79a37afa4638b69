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
    │   └── Busy            503, Studio's form of throttling
    └── StartError          one line of cause, one of remedy; the process exits with status 2

The envelope always has ``code``, ``message`` and a non-empty ``details``: published clients index all three.
Source: azure-docs, machine-learning/studio/web-service-error-codes.md.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

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
    """Answered as `status` with the error envelope."""

    status = 500
    code = "InternalError"
    summary = "The service met an unexpected error."

    def __init__(self, code: str, message: str, target: str | None = None, *more: Detail) -> None:
        super().__init__(message)
        self.details = (Detail(code, message, target), *more)

    def to_json(self) -> dict[str, object]:
        """The envelope."""
        details = [detail.to_json() for detail in self.details]
        return {"error": {"code": self.code, "message": self.summary, "details": details}}


class BadArgument(ApiError):
    """The request itself is wrong."""

    status = 400
    code = "BadArgument"
    summary = "Invalid argument provided."


class BadUserArgument(ApiError):
    """The values of a scoring request are wrong."""

    status = 400
    code = "BadUserArgument"
    summary = "Invalid argument provided."


class InvalidOperation(ApiError):
    """The thing is not in a state, or not of a kind, that allows the call."""

    status = 400
    code = "InvalidOperation"
    summary = "Invalid operation requested."


class ModuleExecutionError(ApiError):
    """A module of the graph refused its input."""

    status = 400
    code = "ModuleExecutionError"
    summary = "Module execution encountered an error."


class PackageError(ApiError):
    """The experiment graph cannot be published."""

    status = 400
    code = "WebServicePackageError"
    summary = "Invalid web service package."


class Unauthorized(ApiError):
    """No key, or a wrong one."""

    status = 401
    code = "Unauthorized"
    summary = "Access is denied due to invalid credentials."


class NotFound(ApiError):
    """There is no such thing."""

    status = 404
    code = "NotFound"
    summary = "The resource was not found."


class Conflict(ApiError):
    """What is there does not go together with what was sent."""

    status = 409
    code = "Conflict"
    summary = "The request conflicts with the state of the resource."


class Busy(ApiError):
    """Too many calls at once; Studio says 503 and no Retry-After."""

    status = 503
    code = "ServiceUnavailable"
    summary = "The service is temporarily unavailable."


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
    return JSONResponse(ApiError("UnknownError", "the studio's log has the details").to_json(), 500)


async def on_http_error(request: Request, error: Exception) -> Response:
    """The answer where no route or method matches."""
    status = getattr(error, "status_code", 500)
    message = f"{request.method} {request.url.path} is not an operation of this studio"
    failure: ApiError
    if status == 405:
        failure = BadArgument("BadParameterValue", message)
    else:
        failure = NotFound("ResourceNotFound", message)
    return JSONResponse(failure.to_json(), status)
