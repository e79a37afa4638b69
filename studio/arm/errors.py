"""Errors as Resource Manager sends them: `{"error": {"code", "message"[, "details"]}}`.

    ArmError
    ├── Gateway errors (header `x-ms-failure-cause: gateway`, no details): AuthenticationFailed,
    │   MissingApiVersionParameter, SubscriptionNotFound, ResourceGroupNotFound, ResourceNotFound, …
    └── Provider errors: what one resource type refuses

Published clients read code and message from the wrapped form only, so it is always wrapped.
Source: STUDIO protocol notes 0.4 and 4.6 (recorded exchanges), and ARM's documented common errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


class ArmError(Exception):
    """An answer that is an error. `gateway`: ARM itself says it, before any resource provider is asked."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        target: str | None = None,
        gateway: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.target = target
        self.headers = {**(headers or {}), **({"x-ms-failure-cause": "gateway"} if gateway else {})}
        self._gateway = gateway

    def to_json(self) -> dict[str, Any]:
        """The envelope; a provider's error repeats itself in `details`, which some clients index."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.target is not None:
            error["target"] = self.target
        if not self._gateway:
            error["details"] = [{**error}]
        return {"error": error}


def not_authenticated(message: str, authority: str, code: str = "AuthenticationFailed") -> ArmError:
    """401: no token, or one that opens nothing here; the challenge names the `authority` that issues tokens."""
    challenge = (
        f'Bearer authorization_uri="{authority}", error="invalid_token", error_description="{message}"'
    )
    return ArmError(401, code, message, gateway=True, headers={"WWW-Authenticate": challenge})


def unknown_namespace(namespace: str) -> ArmError:
    """404: there is no such resource provider."""
    message = f"The resource namespace '{namespace}' is invalid."
    return ArmError(404, "InvalidResourceNamespace", message, gateway=True)


def not_registered(namespace: str) -> ArmError:
    """409: the subscription is not registered to use a resource provider."""
    message = (
        f"The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for"
        " how to register subscriptions."
    )
    return ArmError(409, "MissingSubscriptionRegistration", message, target=namespace)


def missing_api_version() -> ArmError:
    """400: ARM wants `api-version` with every request."""
    return ArmError(
        400,
        "MissingApiVersionParameter",
        "The api-version query parameter (?api-version=) is required for all requests.",
        gateway=True,
    )


def unknown_version(path: str, version: str, known: Iterable[str]) -> ArmError:
    """400: the resource type is served in other api-versions only."""
    kind = path.rpartition("/providers/")[2].partition("/{")[0]
    message = (
        f"No registered resource provider found for API version '{version}' for type '{kind}'."
        f" The supported api-versions are '{', '.join(known)}'."
    )
    return ArmError(400, "NoRegisteredProviderFound", message, gateway=True)


def subscription_not_found(subscription: str) -> ArmError:
    """404: the local cloud has one subscription, named in its cloud file."""
    message = f"The subscription '{subscription}' could not be found."
    return ArmError(404, "SubscriptionNotFound", message, gateway=True)


def group_not_found(name: str) -> ArmError:
    """404: there is no such resource group."""
    return ArmError(
        404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.", gateway=True
    )


def resource_not_found(kind: str, name: str, group: str) -> ArmError:
    """404: the group has no such resource."""
    message = f"The Resource '{kind}/{name}' under resource group '{group}' was not found."
    return ArmError(404, "ResourceNotFound", message, gateway=True)


def invalid_content(problem: str, target: str | None = None) -> ArmError:
    """400: the body is not JSON, or a member of it has the wrong type or is missing."""
    message = f"The request content was invalid and could not be deserialized: '{problem}'."
    return ArmError(400, "InvalidRequestContent", message, target=target)


def location_required() -> ArmError:
    """400: a tracked resource has a place."""
    message = "The location property is required for this definition."
    return ArmError(400, "LocationRequired", message, target="location")
