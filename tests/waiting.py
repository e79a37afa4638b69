"""Waiting for what other processes do, and ports that stay this process's own."""

from __future__ import annotations

import atexit
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

DEADLINE = 60.0

_held: list[socket.socket] = []


def eventually(look: Callable[[], Any], what: str, deadline: float = DEADLINE) -> Any:
    """What `look` gives once that is true; fails the test after `deadline` seconds."""
    end = time.monotonic() + deadline
    while not (found := look()):
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come within {deadline:.0f} s")
        time.sleep(0.05)  # what is looked at may be a journal, which costs its server something
    return found


def own_port() -> int:
    """A port on loopback that nobody else is given while this process lives: connections to it are refused.

    It stays bound here and isn't listened on, so a server that is told of it may listen (Linux lets it, as both sides
    ask for SO_REUSEADDR), end, and listen again.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    port = int(held.getsockname()[1])
    if sys.platform == "linux":
        _held.append(held)
    else:
        held.close()
    return port


@atexit.register
def _let_go() -> None:
    while _held:
        _held.pop().close()
