"""Ctrl-C and SIGTERM, heeded where a run waits and nowhere else, so that no step is cut in two.

Source: `pkg/backend/cancellation_scope.go` of Pulumi 3.260.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator


class Signals:
    """Counts the signals of one run."""

    def __init__(self) -> None:
        self.count = 0

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """Count instead of what the signals do elsewhere; in another than the main thread they aren't heard."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def hear(*_: object) -> None:
            self.count += 1

        before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def until(self, done: Callable[[float], bool], heeded: int = 0) -> None:
        """Wait until it is `done`, which is asked with how long to wait (seconds).

        Raises:
            KeyboardInterrupt: there are more signals than were `heeded` already.
        """
        while not done(0.1):
            if self.count > heeded:
                raise KeyboardInterrupt
