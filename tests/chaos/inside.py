"""What the campaign does within a provider process: its clock, a trace of its requests, and places to strike.

Nothing of the product is replaced: the hooks sit in the clock, in `time.sleep` and below `requests`, through which
every call to studio and storage goes, the SDK's too.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

import urllib3

from clients.clock import SystemClock
from clients.studio_data_plane.jobs import StudioJobs
from tests.chaos import late, sabotage

_sleep, _time, _monotonic = time.sleep, time.time, time.monotonic


def prepare(order: dict[str, Any], door: socket.socket) -> None:
    """Set up clock, trace and triggers of this process."""
    _set_clock(order["epoch"], order["offset"], order["rate"])
    if order["sabotage"]:
        sabotage.WAYS[order["sabotage"]]()
    _Watch(order["trace"], order["triggers"], door).install()


def _set_clock(epoch: float, offset: float, rate: float) -> None:
    """Waits end *rate* times as fast, and this machine's clock is *offset* seconds off."""

    def now(_self: SystemClock) -> datetime:
        return datetime.fromtimestamp(epoch + (_time() - epoch) * rate + offset, UTC)

    SystemClock.now = now
    SystemClock.monotonic = lambda _self: _monotonic() * rate
    time.sleep = lambda seconds: _sleep(seconds / rate)


class _Watch:
    """Counts requests, writes them down before they are sent, and asks the harness at the triggers."""

    def __init__(self, trace: str, triggers: list[dict[str, Any]], door: socket.socket) -> None:
        self._trace = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._triggers = [dict(trigger, index=index) for index, trigger in enumerate(triggers)]
        self._door = door
        self._answers = door.makefile("r")
        self._lock = threading.RLock()
        self._count = 0
        self._last = ""

    def install(self) -> None:
        """Begin to watch."""
        pool, send = urllib3.HTTPConnectionPool, urllib3.HTTPConnectionPool.urlopen
        create = StudioJobs.create
        watch = self

        def urlopen(
            self: Any, method: str, url: str, body: Any = None, headers: Any = None, *more: Any, **named: Any
        ) -> Any:
            line = f"{method} {urlsplit(url).path}"
            due = watch.sending(line, lambda: late.packed(self, method, url, body, headers))
            answer = None
            try:
                answer = send(self, method, url, body, headers, *more, **named)
                return answer
            finally:
                watch.write({"line": line, "status": answer.status if answer is not None else 0})
                watch.fire(due, "after")

        def created(self: Any, name: str, inputs: Any, outputs: Any, *more: Any) -> str:
            job = create(self, name, inputs, outputs, *more)
            places = [place.path for place in outputs.values()]
            watch.write({"job": job, "model": next(place for place in places if place.endswith(".ilearner"))})
            return job

        pool.urlopen = urlopen
        StudioJobs.create = created

    def write(self, entry: dict[str, Any]) -> None:
        """One line of the trace."""
        os.write(self._trace, json.dumps(entry).encode() + b"\n")

    def sending(self, line: str, packed: Callable[[], str | None]) -> list[dict[str, Any]]:
        """Note a request that is about to be sent; the triggers that it meets. *packed* is the request itself."""
        self.write({"line": line})
        with self._lock:
            # How often something is looked at depends on time; what is asked first does not.
            fresh = line != self._last and not fnmatchcase(line, "GET */jobs/*")
            self._last = line
            self._count += fresh
            due = [trigger for trigger in self._triggers if self._met(trigger, line, fresh)]
            for trigger in due:
                self._triggers.remove(trigger)
        self.fire(due, "before", packed)
        return due

    def _met(self, trigger: dict[str, Any], line: str, fresh: bool) -> bool:
        if trigger.get("match"):
            trigger["nth"] -= fnmatchcase(line, trigger["match"])
            return bool(trigger["nth"] <= 0 and fnmatchcase(line, trigger["match"]))
        return bool(fresh and self._count >= trigger["nth"])

    def fire(
        self, due: list[dict[str, Any]], phase: str, packed: Callable[[], str | None] = lambda: None
    ) -> None:
        """Let the harness do what these triggers stand for, and die if it says so: ``late`` with the request handed over.

        The engine is killed once that is done: it takes this process with it.
        """
        for trigger in due:
            if trigger["phase"] == phase:
                with self._lock:
                    self._door.sendall(f"@{trigger['index']}\n".encode())
                    told = self._answers.readline().strip()
                    if told == "late":
                        self._door.sendall(f"={packed() or ''}\n".encode())
                        self._answers.readline()
                    if told != "go":
                        os.kill(os.getpid(), signal.SIGKILL)
