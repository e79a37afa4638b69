"""Errors of the directory: OAuth's `{"error", "error_description"}` with the codes (AADSTS…) that people search for.

Source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes, and RFC 6749, section 5.2.
"""

from __future__ import annotations

import uuid
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


def tenant_not_found(tenant: str) -> AadError:
    """400: the local cloud has one tenant, named in its cloud file."""
    return AadError(400, "invalid_request", 90002, f"Tenant '{tenant}' not found. Check the tenant ID.")


def missing_parameter(name: str) -> AadError:
    """400: the form lacks a parameter."""
    message = f"The request body must contain the following parameter: '{name}'."
    return AadError(400, "invalid_request", 900144, message)


def unsupported_grant(grant: str) -> AadError:
    """400: only client_credentials is granted; there are no users here."""
    message = f"The app requested an unsupported grant type '{grant}'."
    return AadError(400, "unsupported_grant_type", 70003, message)


def unknown_client(client_id: str, tenant: str) -> AadError:
    """400: no principal has that client id."""
    message = f"Application with identifier '{client_id}' was not found in the directory '{tenant}'."
    return AadError(400, "unauthorized_client", 700016, message)


def wrong_secret(client_id: str) -> AadError:
    """401: the principal has another secret."""
    message = f"Invalid client secret provided for app '{client_id}'."
    return AadError(401, "invalid_client", 7000215, message)


def no_credential() -> AadError:
    """401: neither a secret nor an assertion."""
    message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
    return AadError(401, "invalid_client", 7000218, message)


def assertion_expired() -> AadError:
    """401: the federated token is past its time."""
    message = "Client assertion is not within its valid time range."
    return AadError(401, "invalid_client", 700024, message)


def assertion_invalid(reason: str) -> AadError:
    """401: the federated token is of no issuer, or for no audience, that is trusted here."""
    return AadError(401, "invalid_client", 50027, f"Invalid JWT token: {reason}.")


def assertion_of_another(subject: str) -> AadError:
    """401: the federated token is good, but not this principal's."""
    message = f"No matching federated identity record found for presented assertion subject '{subject}'."
    return AadError(401, "invalid_client", 700213, message)


def unknown_resource(resource: str, tenant: str) -> AadError:
    """400: tokens are issued for the services of the local cloud."""
    message = f"The resource principal named {resource} was not found in the tenant named {tenant}."
    return AadError(400, "invalid_resource", 500011, message)


def invalid_scope(scope: str) -> AadError:
    """400: an application asks for a resource as a whole."""
    message = (
        f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with"
        " /.default suffixed to the resource identifier (application ID URI)."
    )
    return AadError(400, "invalid_scope", 1002012, message)


class TokenRefused(Exception):
    """A bearer token that a service of the local cloud does not take; `code` is ARM's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
