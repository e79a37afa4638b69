"""What the API of faults refuses, and the errors that faults themselves send."""

from __future__ import annotations

from localcloud.facilities.errors import ApiError, BadArgument

_CODES = {429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable"}
_BLOB_CODES = {429: "TooManyRequests", 500: "InternalError", 503: "ServerBusy"}
_MESSAGE = "a fault on request: /_local/faults has the rules"


class FaultsNotAllowed(ApiError, status=403, summary="Faults on request are not allowed.", code="Forbidden"):
    """This local cloud was started without ``--allow-faults``."""

    def __init__(self) -> None:
        super().__init__(
            "FaultsNotAllowed",
            "this local cloud was started without --allow-faults; run ./dev cloud start --allow-faults",
            "/_local/faults",
        )


class ConnectionDropped(ConnectionError):
    """A connection was closed on request; nobody but the tests sees this."""


def invalid(target: str, message: str) -> BadArgument:
    """A rule that says nothing that could be done; `target` is the field."""
    return BadArgument("BadParameterValue", f"{target}: {message}", target)


def status_json(status: int) -> dict[str, object]:
    """The body of a status on request, as the Studio and ARM APIs send errors."""
    error = ApiError(_CODES[status], _MESSAGE)
    error.code = _CODES[status]
    error.summary = "The service answers as it was asked to."
    return error.to_json()


def blob_error(status: int) -> tuple[str, bytes]:
    """Code and body of a status on request, as the blob service sends errors."""
    code = _BLOB_CODES[status]
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{_MESSAGE}</Message></Error>'
    return code, body.encode()
