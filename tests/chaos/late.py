"""Requests that arrive late: taken from a provider that dies with its engine, and sent when its successor is at work.

What a process has sent before it was killed is carried out when network and service get round to it, which can be
after the next update has begun.
"""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from typing import Any

import httpx

# How long a request is on its way where no later update ends before, in real seconds.
_SECONDS = 1.0
_WRITES = ("PUT", "POST", "PATCH", "DELETE")


def packed(pool: Any, method: str, url: str, body: Any, headers: Any) -> str | None:
    """A request as one line of text; None for one that only reads, or whose body cannot be had twice."""
    if method not in _WRITES or not isinstance(body, bytes | str | None):
        return None
    content = body.encode() if isinstance(body, str) else body or b""
    return json.dumps(
        {
            "method": method,
            "url": f"{pool.scheme}://{pool.host}:{pool.port}{url}",
            "headers": {str(name): _text(value) for name, value in dict(headers or {}).items()},
            "content": base64.b64encode(content).decode(),
        }
    )


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class Late:
    """A request on its way; it arrives when ``arrive`` says so, or after a while unless it is *waited_for*."""

    def __init__(self, line: str, *, waited_for: bool = False) -> None:
        self._seconds = None if waited_for else _SECONDS
        self._request = json.loads(line)
        self._due = threading.Event()
        self._thread = threading.Thread(target=self._deliver, name="late", daemon=True)
        self._thread.start()

    def arrive(self) -> None:
        """Let it be carried out now, if that isn't so yet, and wait for that."""
        self._due.set()
        self._thread.join()

    @property
    def arrived(self) -> bool:
        """Whether it has been carried out."""
        return not self._thread.is_alive()

    def _deliver(self) -> None:
        self._due.wait(self._seconds)
        request = self._request
        # Whoever sent it is dead: nobody reads the answer, be there one or none.
        with contextlib.suppress(httpx.HTTPError):
            httpx.request(
                request["method"],
                request["url"],
                headers=request["headers"],
                content=base64.b64decode(request["content"]),
                timeout=60,
                trust_env=False,
            )
