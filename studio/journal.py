"""The journal: what was asked of the studio and of the blob store, and what came of it.

Entries of writes are committed before the answer leaves; reads (scoring above all) are collected and committed
in batches, so that they cost a list append.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Awaitable, Callable
from typing import Literal, TypedDict

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studio.store import Store, now

Effect = Literal["read", "write"]
Service = Literal["studio", "blob"]

_READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# POSTs that change nothing: scoring, keys, tokens, and blob queries.
_READING_PATH = re.compile(r"(?i)/(execute|listkeys\w*|list\w+keys|oauth2/(v2\.0/)?token)/?$")
_READING_QUERY = re.compile(r"(?i)(^|&)comp=(userdelegationkey|query)(&|$)")
_SECRET_QUERY = re.compile(r"(?i)([?&](?:sig|token|key|access_token|code)=)[^&]*")
_FLUSH_SECONDS = 0.5
_BATCH = 500


class Entry(TypedDict):
    """One call, as ``GET /_local/journal`` shows it."""

    at: str
    method: str
    path: str
    status: int
    effect: Effect
    service: Service


def effect_of(method: str, target: str) -> Effect:
    """Whether a call may change something. `target` is the path with its query."""
    if method.upper() in _READING_METHODS:
        return "read"
    path, _, query = target.partition("?")
    if method.upper() == "POST" and (_READING_PATH.search(path) or _READING_QUERY.search(query)):
        return "read"
    return "write"


class Journal:
    """Collects entries and keeps them in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pending: list[Entry] = []
        self._lock = threading.Lock()

    def record(self, at: str, method: str, target: str, status: int, service: Service) -> None:
        """Add one call; `at` is when it arrived."""
        effect = effect_of(method, target)
        shown = _SECRET_QUERY.sub(r"\1***", target)
        entry = Entry(at=at, method=method, path=shown, status=status, effect=effect, service=service)
        with self._lock:
            self._pending.append(entry)
            full = len(self._pending) >= _BATCH
        if effect == "write" or full:
            self.flush()

    def flush(self) -> None:
        """Commit what is pending, in order."""
        with self._lock:
            if not self._pending:
                return
            pending, self._pending = self._pending, []
            with self._store.transaction() as connection:
                connection.executemany(
                    "INSERT INTO journal (at, method, path, status, effect, service)"
                    " VALUES (:at, :method, :path, :status, :effect, :service)",
                    pending,
                )

    def entries(self) -> list[Entry]:
        """All calls, oldest first."""
        self.flush()
        rows = self._store.rows(
            "SELECT at, method, path, status, effect, service FROM journal ORDER BY at, id"
        )
        return [Entry(**dict(row)) for row in rows]  # type: ignore[typeddict-item]

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._pending = []
            with self._store.transaction() as connection:
                connection.execute("DELETE FROM journal")

    async def flush_regularly(self) -> None:
        """Commit reads every half second until cancelled."""
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            self.flush()


def raw_target(scope: Scope) -> str:
    """The path and query as the client sent them."""
    path = bytes(scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    query = bytes(scope["query_string"]).decode("latin-1")
    return f"{path}?{query}" if query else path


class JournalMiddleware:
    """Records each HTTP call of the studio's port except those below ``/_local``."""

    def __init__(self, app: ASGIApp, journal: Journal) -> None:
        self._app = app
        self._journal = journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the call and record it when its status is known."""
        if scope["type"] != "http" or scope["path"].startswith("/_local"):
            await self._app(scope, receive, send)
            return
        at = now()

        async def recording(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._journal.record(at, scope["method"], raw_target(scope), message["status"], "studio")
            await send(message)

        forward: Callable[[Message], Awaitable[None]] = recording
        await self._app(scope, receive, forward)
