"""Resource Manager: resources by their id, and what changes them, followed to its end (``operations.py``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from clients.arm.operations import DEADLINE_SECONDS, Change
from clients.clock import Clock
from clients.errors import NotFound, ServiceError
from clients.http.answers import rows
from clients.http.transport import Transport

Json = dict[str, Any]


class ResourceManager:
    """Resources of one *api_version* through *transport*, which is signed in to Resource Manager.

    A change is waited for until its *deadline* (seconds).
    """

    def __init__(
        self, transport: Transport, api_version: str, clock: Clock, *, deadline: float = DEADLINE_SECONDS
    ) -> None:
        self._transport, self._deadline = transport, deadline
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
        return self._transport.said(answer), answer.headers.get("ETag") or ""

    def list(self, collection: str, **query: str) -> list[Json]:
        """All resources of a collection that *query* asks for, page by page."""
        page = self._transport.object("GET", collection, **self._version, **query)
        found = list(rows(page, "value"))
        while following := page.get("nextLink"):
            page = self._transport.object("GET", self._own(str(following)))
            found += rows(page, "value")
        return found

    def ask(self, resource: str, body: Mapping[str, Any] | None = None) -> Json:
        """What a POST answers that changes nothing: keys, logs, a place to upload to."""
        found = self._transport.read(resource, body, **self._version)
        return found if isinstance(found, dict) else {}

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

    def begin(self, resource: str) -> None:
        """Let a resource do something, however often it is told so, and don't wait for its end."""
        self._transport.send("POST", resource, params=self._version, retried=True)

    def delete(self, resource: str, what: str) -> None:
        """Delete a resource, and wait until it is gone; one that is gone is not an error."""
        try:
            self._change("DELETE", resource, None, what)
        except NotFound:
            return

    def _change(
        self, method: str, resource: str, body: Any, what: str, *, etag: str = "", **query: str
    ) -> None:
        condition = {"If-Match": etag} if etag else {}
        change = Change(
            self._transport, self._clock, method, resource, what, self._version, self._own, self._deadline
        )
        change.make(body, query, condition)

    def _own(self, url: str) -> str:
        """A link that Resource Manager gave. Raises ServiceError where it leads elsewhere: the token stays here."""
        if urlsplit(url)[:2] != urlsplit(self.base_url)[:2]:
            raise ServiceError(
                f"Resource Manager refers to another host, {urlsplit(url).netloc}",
                "check the address of Resource Manager: the link must be to the same host and scheme",
            )
        return url
