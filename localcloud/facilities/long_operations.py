"""Operations that take their time: begun by one call, looked at by others, done in the background.

An operation is a document below its location, kept in the store, so that a killed server goes on with it. It ends
when its work is done *and* somebody has looked at it once, or after a moment in which nobody did: so the first look
always finds it going on, and what it changes is seen by nobody before it ends.

Its field is called `status` on the wire, whatever the published schemas say; the service sends no Retry-After.
Source: azure-powershell's recorded sessions (STUDIO notes 4.4).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from localcloud.facilities.errors import ApiError, Detail
from localcloud.facilities.store import Store

_log = logging.getLogger("localcloud.operations")

_PATIENCE = 1.0
_KEPT = timedelta(days=1)
_MOST = 1000
_PROVISIONING, _SUCCEEDED, _FAILED = "Provisioning", "Succeeded", "Failed"

# What an operation does: the slow part, and then what makes it visible, at once and as a whole.
Commit = Callable[[], None]
Work = Callable[[], Awaitable[Commit]]


def timestamp() -> str:
    """The time as this resource provider writes it: UTC, seven digits after the point."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"


@dataclass
class LongOperation:
    """One operation. `order` is what it needs to go on after a restart; it may hold keys."""

    id: str
    resource: str
    kind: str
    order: dict[str, Any] = field(repr=False)
    status: str = _PROVISIONING
    started: str = field(default_factory=timestamp)
    ended: str | None = None
    percent: float = 0.0
    looked_at: bool = False
    error: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """Its guid."""
        return self.id.rsplit("/", 1)[-1]

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self.status == _PROVISIONING

    def shown(self) -> dict[str, Any]:
        """As `operationsStatus` shows it."""
        body: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "status": self.status,
            "startTime": self.started,
            "percentComplete": self.percent,
        }
        if self.ended is not None:
            body["endTime"] = self.ended
        if self.error is not None:
            body["error"] = self.error
        return body


class LongOperations:
    """The operations of one subscription. Used from the event loop only."""

    def __init__(self, store: Store, subscription: str) -> None:
        self._store = store
        self._root = f"/subscriptions/{subscription}/providers/Microsoft.MachineLearning/locations/"
        self._looks: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._running = {one.resource.lower(): one for one in self._kept() if one.running}

    def unfinished(self) -> list[LongOperation]:
        """What a killed server left undone."""
        return list(self._running.values())

    def running(self, resource_id: str) -> LongOperation | None:
        """The operation that goes on on a resource."""
        return self._running.get(resource_id.lower())

    def find(self, location: str, name: str) -> LongOperation | None:
        """An operation by its place and guid."""
        document = self._store.arm_get(f"{self._root}{location}/operationsStatus/{name}")
        return None if document is None else LongOperation(**document)

    def begin(self, resource_id: str, location: str, kind: str, order: Mapping[str, Any]) -> LongOperation:
        """Record an operation on a resource on which none goes on."""
        operation = LongOperation(
            f"{self._root}{location}/operationsStatus/{uuid4()}", resource_id, kind, dict(order)
        )
        self._keep(operation)
        self._running[resource_id.lower()] = operation
        return operation

    def start(self, operation: LongOperation, work: Work) -> None:
        """Do `work` in the background, and end the operation with it."""
        self._looks[operation.id] = asyncio.Event()
        task = asyncio.create_task(self._run(operation, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def look(self, location: str, name: str) -> dict[str, Any] | None:
        """What `operationsStatus` answers; the first look finds every operation going on."""
        found = self.find(location, name)
        if found is None:
            return None
        if found.looked_at:
            return found.shown()
        operation = self._running.get(found.resource.lower(), found)
        operation = operation if operation.id == found.id else found
        operation.looked_at = True
        self._keep(operation)
        if (look := self._looks.get(operation.id)) is not None:
            look.set()
        first = LongOperation(found.id, found.resource, found.kind, {}, started=found.started, percent=0.6)
        return first.shown()

    def abandon(self, resource_id: str) -> None:
        """End what goes on on a resource that was removed with all around it."""
        operation = self._running.get(resource_id.lower())
        if operation is not None:
            self._fail(operation, "ResourceDeleted", f"{resource_id} was deleted meanwhile.")

    def forget_old(self) -> None:
        """Delete the records of operations that ended more than a day ago, and those before the last thousand."""
        oldest = datetime.now(UTC) - _KEPT
        ended = sorted(
            ((datetime.fromisoformat(one.ended), one.id) for one in self._kept() if one.ended), reverse=True
        )
        for number, (at, operation_id) in enumerate(ended):
            if number >= _MOST or at < oldest:
                self._store.arm_delete(operation_id)

    async def settle(self) -> None:
        """Wait for the end of all that goes on."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def stop(self) -> None:
        """Interrupt what goes on; the next start goes on with it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, operation: LongOperation, work: Work) -> None:
        try:
            commit = await work()
            await self._looked_at(operation)
            with self._store.transaction():
                if operation.running:
                    commit()
                    self._end(operation, _SUCCEEDED)
        except ApiError as error:
            detail: Detail = error.details[0]
            self._fail(operation, detail.code, detail.message)
        except Exception:
            _log.exception("the operation %s met an unexpected error", operation.name)
            self._fail(operation, "InternalError", "The local cloud's log has the details.")

    async def _looked_at(self, operation: LongOperation) -> None:
        if operation.running and not operation.looked_at:
            try:
                await asyncio.wait_for(self._looks[operation.id].wait(), _PATIENCE)
            except TimeoutError:
                return

    def _fail(self, operation: LongOperation, code: str, message: str) -> None:
        if operation.running:
            detail = {"code": code, "message": message}
            operation.error = {**detail, "details": [detail]}
            self._end(operation, _FAILED)
            first = message.partition("\n")[0]  # what follows is of a log of others
            _log.info("operation %s on %s failed: %s", operation.kind, operation.resource, first)

    def _end(self, operation: LongOperation, status: str) -> None:
        operation.status, operation.ended, operation.percent, operation.order = status, timestamp(), 1.0, {}
        self._keep(operation)
        self._running.pop(operation.resource.lower(), None)
        self._looks.pop(operation.id, None)

    def _keep(self, operation: LongOperation) -> None:
        self._store.arm_put(operation.id, vars(operation))

    def _kept(self) -> list[LongOperation]:
        return [LongOperation(**document) for document in self._store.arm_list(self._root)]
