"""How many calls each endpoint is answering at this moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from studio.errors import Busy, Detail
from studio.management.state import Endpoint


class Calls:
    """Counts calls in progress; used from the event loop only."""

    def __init__(self) -> None:
        self._running: Counter[str] = Counter()

    @contextmanager
    def one(self, endpoint: Endpoint) -> Iterator[None]:
        """Count a call while the block runs. Raises `Busy` over the endpoint's MaxConcurrentCalls."""
        if self._running[endpoint.id] >= endpoint.max_concurrent_calls:
            message = (
                f"endpoint '{endpoint.name}' answers at most {endpoint.max_concurrent_calls} calls at once"
            )
            raise Busy("RequestThrottled", message, None, Detail("TooManyConcurrentRequests", message))
        self._running[endpoint.id] += 1
        try:
            yield
        finally:
            self._running[endpoint.id] -= 1
            if not self._running[endpoint.id]:
                del self._running[endpoint.id]
