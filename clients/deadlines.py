"""How long whatever is under way may still take: a wait says so, and each request within it fits.

::

    with within(30):
        transport.get("jobs/1")   # tries, waits between them and a trickling answer end after 30 s together
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_END: ContextVar[float | None] = ContextVar("end", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Bound what is done inside by *seconds* from now, or by the wait around it where that ends earlier."""
    end, outer = time.monotonic() + seconds, _END.get()
    token = _END.set(end if outer is None else min(end, outer))
    try:
        yield
    finally:
        _END.reset(token)


def left() -> float | None:
    """The seconds that are left, at least 0; None where nothing bounds them."""
    end = _END.get()
    return None if end is None else max(0.0, end - time.monotonic())
