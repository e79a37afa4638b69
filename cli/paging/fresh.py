"""What is looked up for many who ask at once, and again and again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_FRESH = 2.0  # seconds in which nobody looks again
_FAIR = 10.0  # seconds in which what was found will do while somebody looks again


class Fresh(Generic[T]):
    """What *load* finds, a few seconds old at most; whoever asks often does not wait for it. What it raises is kept as well."""

    def __init__(self, load: Callable[[], T], clock: Callable[[], float] = time.monotonic) -> None:
        self._load, self._clock = load, clock
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._found: tuple[float, T | None, Exception | None] | None = None

    def get(self) -> T:
        """What was found last. Raises what looking raised."""
        found = self._found
        age = float("inf") if found is None else self._clock() - found[0]
        if found is None or age > _FAIR:
            with self._lock:
                found = self._found
                if found is None or self._clock() - found[0] > _FRESH:
                    found = self._look()
        elif age > _FRESH and self._looking.acquire(blocking=False):
            threading.Thread(target=self._look_again, daemon=True).start()
        _at, value, error = found
        if error is not None:
            raise error
        return value  # type: ignore[return-value]  # where there is no error there is a value

    def forget(self) -> None:
        """Something has changed: the next who asks waits for what is there now."""
        self._found = None

    def _look_again(self) -> None:
        try:
            with self._lock:
                self._look()
        finally:
            self._looking.release()

    def _look(self) -> tuple[float, T | None, Exception | None]:
        found: tuple[float, T | None, Exception | None]
        try:
            found = (self._clock(), self._load(), None)
        except Exception as error:
            found = (self._clock(), None, error)
        self._found = found
        return found
