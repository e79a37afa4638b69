"""Who hears how services answer: whoever asks several things at once goes by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[str, int, float], None]
_listeners: list[Listener] = []


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Tell *listener* of each answer meanwhile: the method, the HTTP status, and the seconds that it took. It is called in any thread."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def tell(method: str, status: int, seconds: float) -> None:
    """A service has answered."""
    for listener in list(_listeners):
        listener(method, status, seconds)
