"""Tries with pauses in between: stamina's, which would else tell each of them to the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def attempts(
    on: type[Exception] | Callable[[Exception], bool | float],
    *,
    most: int,
    seconds: float | None,
    **waits: float,
) -> Iterator[Any]:
    """Up to *most* tries, which begin within *seconds*, each a context; *on* and *waits* are ``stamina.retry_context``'s."""
    import stamina
    from stamina.instrumentation import set_on_retry_hooks

    set_on_retry_hooks(())
    return iter(stamina.retry_context(on=on, attempts=most, timeout=seconds, **waits))
