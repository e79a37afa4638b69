"""Resource Manager: resources by their id, and the long-running operations that change them.

An operation is followed by its ``Azure-AsyncOperation`` header, as Microsoft.MachineLearning answers it: JSON with
``status``, without a Retry-After. Its end is not yet the end: callers read the resource again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from clients.clock import Clock
from clients.errors import Conflict, NotFound, RetrainError, ServiceError
from clients.poller import Pace, wait
from clients.transport import Transport, redact

Json = dict[str, Any]

# Accepted … Running are what other resource providers call Provisioning.
_UNDER_WAY = frozenset(
    ("accepted", "inprogress", "provisioning", "running", "creating", "updating", "deleting")
)
_ENDED_BADLY = frozenset(("failed", "canceled", "cancelled"))
_OPERATION = "Azure-AsyncOperation"
_DEADLINE_SECONDS = 900.0
_PACE = Pace(shortest=0.1, longest=15.0)


class ResourceManager:
    """Resources of one *api_version* through *transport*, which is signed in to Resource Manager."""

    def __init__(self, transport: Transport, api_version: str, clock: Clock) -> None:
        self._transport = transport
        self._version = {"api-version": api_version}
        self._clock = clock

    @property
    def base_url(self) -> str:
        """Where Resource Manager answers."""
        return self._transport.base_url.rstrip("/")

    def find(self, resource: str, **query: str) -> Json | None:
        """A resource by its id; None where there is none."""
        try:
            return self.get(resource, **query)
        except NotFound:
            return None

    def get(self, resource: str, **query: str) -> Json:
        """A resource by its id. Raises NotFound."""
        return self.read(resource, **query)[0]

    def read(self, resource: str, **query: str) -> tuple[Json, str]:
        """A resource by its id, and its version (ETag; empty where the service gives none). Raises NotFound."""
        answer = self._transport.send("GET", resource, params={**self._version, **query})
        return dict(self._transport.json(answer)), answer.headers.get("ETag") or ""

    def list(self, collection: str) -> list[Json]:
        """All resources of a collection, page by page."""
        page = self._transport.get(collection, **self._version)
        found = list(page.get("value") or [])
        while following := page.get("nextLink"):
            page = self._transport.get(self._own(following))
            found += page.get("value") or []
        return found

    def put(self, resource: str, body: Mapping[str, Any], what: str, etag: str = "") -> None:
        """Create or replace a resource, and wait until that is done; *what* and *etag* as in ``patch``."""
        self._change("PUT", resource, body, what, etag=etag)

    def patch(self, resource: str, body: Mapping[str, Any], what: str, etag: str = "") -> None:
        """Change a resource, and wait until that is done; *what* names it in errors.

        With the *etag* that was read, only if nobody else has changed it since: else raises Conflict.
        """
        self._change("PATCH", resource, body, what, etag=etag)

    def post(self, resource: str, what: str, **query: str) -> None:
        """Let a resource do something, and wait until it is done; *what* names it in errors."""
        self._change("POST", resource, None, what, **query)

    def delete(self, resource: str, what: str) -> None:
        """Delete a resource, and wait until it is gone; one that is gone is no error."""
        try:
            self._change("DELETE", resource, None, what)
        except NotFound:
            return

    def _change(
        self, method: str, resource: str, body: Any, what: str, *, etag: str = "", **query: str
    ) -> None:
        condition = {"If-Match": etag} if etag else {}
        try:
            answer = self._transport.send(
                method, resource, body, params={**self._version, **query}, headers=condition
            )
        except Conflict as error:
            raise Conflict(
                f"{what} is being changed by somebody else ({error.cause})",
                "wait until that is done, then run the update again",
                status=error.status,
                code=error.code,
                request_id=error.request_id,
            ) from None
        if operation := answer.headers.get(_OPERATION):
            self._follow(self._own(operation), what)

    def _follow(self, operation: str, what: str) -> None:
        def look(_waited: float) -> bool | None:
            return self._ended(self._transport.get(operation), what)

        wait(look, what=what, deadline=_DEADLINE_SECONDS, clock=self._clock, pace=_PACE)

    def _ended(self, operation: Mapping[str, Any], what: str) -> bool | None:
        """True at a good end, None while it goes on. Raises what went wrong, and for a status that is unknown."""
        status = str(operation.get("status"))
        if status.lower() == "succeeded":
            return True
        if status.lower() in _UNDER_WAY:
            return None
        if status.lower() in _ENDED_BADLY:
            raise _failure(
                operation.get("error") or operation.get("errorInfo") or {}, f"{what} {status.lower()}"
            )
        raise ServiceError(
            f"{what}: Resource Manager reports a status that is unknown: {status!r}",
            "look at the resource, then run the update again",
        )

    def _own(self, url: str) -> str:
        """A link that Resource Manager gave. Raises ServiceError where it leads elsewhere: the token stays here."""
        if urlsplit(url)[:2] != urlsplit(self.base_url)[:2]:
            raise ServiceError(
                f"Resource Manager refers to another host, {urlsplit(url).netloc}",
                "check the address of Resource Manager: the link must be to the same host and scheme",
            )
        return url


def _failure(error: Mapping[str, Any], what: str) -> RetrainError:
    details = error.get("details") or [{}]
    code = str(details[0].get("code") or error.get("code") or "")
    message = str(details[0].get("message") or error.get("message") or "no reason is given")
    return ServiceError(
        f"{what}: {code} {redact(message)}",
        "correct what the message names, then run the update again",
        code=code,
    )
