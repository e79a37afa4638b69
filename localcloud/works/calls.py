"""How many calls each endpoint is answering at this moment, and which wait for their turn.

Over an endpoint's MaxConcurrentCalls a call is refused, as Studio does. But while a model is brought in, which keeps this
machine busy, calls take longer and so become more at once: those over the limit wait then, a while, instead.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from localcloud.facilities.errors import Busy, Detail
from localcloud.works.services import Endpoint

_AFTERWARDS = 5.0  # seconds in which what has piled up is answered
_PATIENCE = 10.0


class Calls:
    """Counts calls in progress; used from the event loop only."""

    def __init__(self) -> None:
        self._running: Counter[str] = Counter()
        self._waiting: defaultdict[str, deque[asyncio.Future[None]]] = defaultdict(deque)
        self._bindings = 0
        self._patient_until = float("-inf")

    @contextmanager
    def patient(self) -> Iterator[None]:
        """Let calls over the limit wait while the block runs, and for a moment after it."""
        self._bindings += 1
        try:
            yield
        finally:
            self._bindings -= 1
            self._patient_until = time.monotonic() + _AFTERWARDS

    @asynccontextmanager
    async def one(self, endpoint: Endpoint) -> AsyncIterator[None]:
        """Count a call while the block runs. Raises `Busy` over the endpoint's MaxConcurrentCalls."""
        if self._running[endpoint.id] < endpoint.max_concurrent_calls:
            self._running[endpoint.id] += 1
        elif self._bindings or time.monotonic() < self._patient_until:
            await self._turn(endpoint)
        else:
            raise _busy(endpoint)
        try:
            yield
        finally:
            self._ended(endpoint)

    async def _turn(self, endpoint: Endpoint) -> None:
        """Wait for the place of a call that ends."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting[endpoint.id].append(turn)
        try:
            await asyncio.wait_for(asyncio.shield(turn), _PATIENCE)
        except BaseException as error:
            if turn.done():
                self._ended(endpoint)  # the place came as the caller went: it is the next one's
            turn.cancel()
            if isinstance(error, TimeoutError):
                raise _busy(endpoint) from None
            raise

    def _ended(self, endpoint: Endpoint) -> None:
        waiting = self._waiting[endpoint.id]
        while waiting:
            turn = waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        del self._waiting[endpoint.id]
        self._running[endpoint.id] -= 1
        if not self._running[endpoint.id]:
            del self._running[endpoint.id]


def _busy(endpoint: Endpoint) -> Busy:
    message = f"endpoint '{endpoint.name}' answers at most {endpoint.max_concurrent_calls} calls at once"
    return Busy("RequestThrottled", message, None, Detail("TooManyConcurrentRequests", message))
