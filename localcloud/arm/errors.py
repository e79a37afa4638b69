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
from dataclasses import dataclass
from typing import Any

from localcloud.facilities.errors import bounded


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
        super().__init__(bounded(message))
        self.status = status
        self.code = code
        self.message = bounded(message)
        self.target = target and bounded(target)
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


@dataclass(frozen=True)
class Refusal:
    """An error whose text is data: called with what it is about, it is made; `{}` stand for that, in order."""

    status: int
    code: str
    message: str
    target: str | None = None
    gateway: bool = True

    def __call__(self, *about: str) -> ArmError:
        """The error about these."""
        target = self.target and self.target.format(*about)
        message = self.message.format(*about)
        return ArmError(self.status, self.code, message, target=target, gateway=self.gateway)


missing_api_version = Refusal(
    400,
    "MissingApiVersionParameter",
    "The api-version query parameter (?api-version=) is required for all requests.",
)
unknown_namespace = Refusal(404, "InvalidResourceNamespace", "The resource namespace '{}' is invalid.")
subscription_not_found = Refusal(404, "SubscriptionNotFound", "The subscription '{}' could not be found.")
group_not_found = Refusal(404, "ResourceGroupNotFound", "Resource group '{}' could not be found.")
resource_not_found = Refusal(
    404, "ResourceNotFound", "The Resource '{}/{}' under resource group '{}' was not found."
)
not_registered = Refusal(
    409,
    "MissingSubscriptionRegistration",
    "The subscription is not registered to use namespace '{}'. See https://aka.ms/rps-not-found for"
    " how to register subscriptions.",
    target="{0}",
    gateway=False,
)
location_required = Refusal(
    400,
    "LocationRequired",
    "The location property is required for this definition.",
    target="location",
    gateway=False,
)


too_large = Refusal(
    413, "RequestEntityTooLarge", "The request's content exceeds the maximum size: {}.", gateway=True
)


def not_authenticated(message: str, authority: str, code: str = "AuthenticationFailed") -> ArmError:
    """401: no token, or one that opens nothing here; the challenge names the `authority` that issues tokens."""
    challenge = (
        f'Bearer authorization_uri="{authority}", error="invalid_token", error_description="{message}"'
    )
    return ArmError(401, code, message, gateway=True, headers={"WWW-Authenticate": challenge})


def unknown_version(path: str, version: str, known: Iterable[str]) -> ArmError:
    """400: the resource type is served in other api-versions only."""
    kind = path.rpartition("/providers/")[2].partition("/{")[0]
    message = (
        f"No registered resource provider found for API version '{version}' for type '{kind}'."
        f" The supported api-versions are '{', '.join(known)}'."
    )
    return ArmError(400, "NoRegisteredProviderFound", message, gateway=True)


def invalid_content(problem: str, target: str | None = None) -> ArmError:
    """400: the body is not JSON, or a member of it has the wrong type or is missing."""
    message = f"The request content was invalid and could not be deserialized: '{problem}'."
    return ArmError(400, "InvalidRequestContent", message, target=target)
