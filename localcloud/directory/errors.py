"""Errors of the directory: OAuth's `{"error", "error_description"}` with the codes (AADSTS…) that people search for.

Source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes, and RFC 6749, section 5.2.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


class AadError(Exception):
    """An answer that is an error: HTTP `status`, OAuth's `error`, the directory's own `number` and a sentence."""

    def __init__(self, status: int, error: str, number: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.number = number
        self.message = message

    def to_json(self) -> dict[str, Any]:
        """The body; the ids are new each time, as there is no trace behind them."""
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        ids = f"Trace ID: {trace} Correlation ID: {correlation} Timestamp: {at}"
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.number}: {self.message} {ids}",
            "error_codes": [self.number],
            "timestamp": at,
            "trace_id": trace,
            "correlation_id": correlation,
        }


@dataclass(frozen=True)
class Refusal:
    """An error whose text is data: called with what it is about, it is made; `{}` stand for that, in order."""

    status: int
    error: str
    number: int
    message: str

    def __call__(self, *about: str) -> AadError:
        """The error about these."""
        return AadError(self.status, self.error, self.number, self.message.format(*about))


# The request: the one tenant is named in the cloud file, and there are no users here.
tenant_not_found = Refusal(400, "invalid_request", 90002, "Tenant '{}' not found. Check the tenant ID.")
missing_parameter = Refusal(
    400, "invalid_request", 900144, "The request body must contain the following parameter: '{}'."
)
too_large = Refusal(413, "invalid_request", 90015, "The request cannot be read: {}.")
unsupported_grant = Refusal(
    400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type '{}'."
)
# Who asks.
unknown_client = Refusal(
    400,
    "unauthorized_client",
    700016,
    "Application with identifier '{}' was not found in the directory '{}'.",
)
wrong_secret = Refusal(401, "invalid_client", 7000215, "Invalid client secret provided for app '{}'.")
no_credential = Refusal(
    401,
    "invalid_client",
    7000218,
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
)
assertion_expired = Refusal(
    401, "invalid_client", 700024, "Client assertion is not within its valid time range."
)
assertion_invalid = Refusal(401, "invalid_client", 50027, "Invalid JWT token: {}.")
assertion_of_another = Refusal(
    401,
    "invalid_client",
    700213,
    "No matching federated identity record found for presented assertion subject '{}'.",
)
# For what: a service of the local cloud, as a whole.
unknown_resource = Refusal(
    400,
    "invalid_resource",
    500011,
    "The resource principal named {} was not found in the tenant named {}.",
)
invalid_scope = Refusal(
    400,
    "invalid_scope",
    1002012,
    "The provided value for scope {} is not valid. Client credential flows must have a scope value with"
    " /.default suffixed to the resource identifier (application ID URI).",
)


class TokenRefused(Exception):
    """A bearer token that a service of the local cloud does not take; `code` is ARM's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
