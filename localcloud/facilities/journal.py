"""The journal: what was asked of the local cloud and of the blob store, and what came of it.

Entries of writes are committed before the answer leaves; reads (scoring above all) are collected and committed
in batches, so that they cost a list append.

An entry's status is what the client saw: 0 where it got no answer. A call that met faults on request has their
kinds as `fault`, and as `served` what the service itself answered where the client saw something else.

The journal is a ring: of more than `MOST` entries the oldest go. An entry's `id` only ever grows, so a reader that
remembers the last one it saw goes on from there.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Literal, NotRequired, TypedDict, cast

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from localcloud.facilities.store import Store, now

Effect = Literal["read", "write"]
Service = Literal["studio", "blob"]

_READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# POSTs that change nothing: scoring, keys, tokens, logs, what MLflow and run history look up, and blob queries.
_READING_PATH = re.compile(
    r"(?i)/(execute|listkeys\w*|list\w+keys|listsecrets|getlogs|(onlineendpoints/[^/]+|oauth2(/v2\.0)?)/token"
    r"|rundata|batchgetresolveduris|mlflow/(runs|experiments|logged-models)/search)/?$|^/inference/"
)
_READING_QUERY = re.compile(r"(?i)(^|&)comp=(userdelegationkey|query)(&|$)")
_SECRET_QUERY = re.compile(r"(?i)([?&](?:sig|token|key|access_token|code)=)[^&]*")
_FLUSH_SECONDS = 0.5
_BATCH = 500
MOST = 20_000
_LONGEST_PATH = 4_000
_FAULTS, _SERVED = "studio.faults", "studio.served"
# An ASGI message of our own: the connection will be closed without an answer.
NO_ANSWER = "studio.no_answer"


class Entry(TypedDict):
    """One call, as ``GET /_local/journal`` shows it."""

    id: int
    at: str
    method: str
    path: str
    status: int
    effect: Effect
    service: Service
    fault: NotRequired[str]
    served: NotRequired[int]


@lru_cache(1024)
def effect_of(method: str, target: str) -> Effect:
    """Whether a call may change something. `target` is the path with its query."""
    if method.upper() in _READING_METHODS:
        return "read"
    path, _, query = target.partition("?")
    if method.upper() == "POST" and (_READING_PATH.search(path) or _READING_QUERY.search(query)):
        return "read"
    return "write"


@lru_cache(1024)
def _shown(target: str) -> str:
    """The path with its query as an entry has it, without secrets."""
    return _SECRET_QUERY.sub(r"\1***", target)[:_LONGEST_PATH]


class Journal:
    """Collects entries and keeps the last `most` of them in the store."""

    def __init__(self, store: Store, most: int = MOST) -> None:
        self._store = store
        self._most = most
        self._pending: list[tuple[Any, ...]] = []
        self._lock = threading.Lock()

    def record(
        self,
        at: str,
        method: str,
        target: str,
        status: int,
        service: Service,
        *,
        faults: Iterable[str] = (),
        served: int | None = None,
    ) -> None:
        """Add one call; `at` is when it arrived."""
        effect = effect_of(method, target)
        entry = (at, method, _shown(target), status, effect, service, "+".join(faults) or None, served)
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
                    "INSERT INTO journal (at, method, path, status, effect, service, fault, served)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    pending,
                )
                connection.execute(
                    "DELETE FROM journal WHERE id <= (SELECT max(id) FROM journal) - ?", (self._most,)
                )

    def entries(self, after: int = 0, limit: int = MOST) -> list[Entry]:
        """At most `limit` calls whose id is above `after`, oldest first."""
        self.flush()
        rows = self._store.rows("SELECT * FROM journal WHERE id > ? ORDER BY id LIMIT ?", after, limit)
        return [_entry(dict(row)) for row in rows]

    def newest(self, count: int) -> list[Entry]:
        """The last `count` calls, oldest first."""
        self.flush()
        rows = self._store.rows("SELECT * FROM journal ORDER BY id DESC LIMIT ?", count)
        return [_entry(dict(row)) for row in reversed(rows)]

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


def _entry(row: dict[str, Any]) -> Entry:
    return cast(Entry, {name: value for name, value in row.items() if value is not None})


def is_local(scope: Scope) -> bool:
    """Whether a call is about the local cloud itself, its page or below ``/_local``: not journalled, and met by no fault."""
    return bool(scope["path"] == "/" or scope["path"].startswith("/_local"))


def mark(scope: Scope, *faults: str, served: int | None = None) -> None:
    """Have the entry of this call say which faults it met, and what was answered but not sent."""
    if faults:
        scope[_FAULTS] = (*scope.get(_FAULTS, ()), *faults)
    if served is not None:
        scope[_SERVED] = served


def raw_target(scope: Scope) -> str:
    """The path and query as the client sent them."""
    path = bytes(scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    query = bytes(scope["query_string"]).decode("latin-1")
    return f"{path}?{query}" if query else path


class JournalMiddleware:
    """Records each HTTP call of the local cloud's port except those about itself."""

    def __init__(self, app: ASGIApp, journal: Journal) -> None:
        self._app = app
        self._journal = journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the call and record it when its status is known."""
        if scope["type"] != "http" or is_local(scope):
            await self._app(scope, receive, send)
            return
        at = now()

        async def recording(message: Message) -> None:
            if message["type"] in ("http.response.start", NO_ANSWER):
                self._journal.record(
                    at,
                    scope["method"],
                    raw_target(scope),
                    message.get("status", 0),
                    "studio",
                    faults=scope.get(_FAULTS, ()),
                    served=scope.get(_SERVED),
                )
            if message["type"] != NO_ANSWER:
                await send(message)

        await self._app(scope, receive, recording)
