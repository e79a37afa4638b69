"""What each run configured: the stand-in is one process, and several runs attach to it at once.

A run (more exactly, each provider of it) keeps one connection, so the connection tells them apart.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud.azure_native.cloud import Cloud, read_cloud

_MOST_KEPT = 1024


@dataclass(frozen=True, slots=True)
class Session:
    """One configured provider: its cloud, and its default location (a string, UNKNOWN or None).

    `stopped` is set when its run is over.
    """

    cloud: Cloud
    location: Any = None
    stopped: threading.Event = field(default_factory=threading.Event)


class Sessions:
    """Sessions by connection; the oldest are forgotten."""

    def __init__(self, cloud_file: Path) -> None:
        self._cloud_file = cloud_file
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()

    def configure(self, peer: str, location: Any) -> Session:
        """Begin a session; the cloud file is read anew, since ports may have changed. Raises CloudFileError."""
        session = Session(read_cloud(self._cloud_file), location)
        with self._lock:
            self._sessions[peer] = session
            self._sessions.move_to_end(peer)
            while len(self._sessions) > _MOST_KEPT:
                self._sessions.popitem(last=False)
        return session

    def of(self, peer: str) -> Session:
        """The session of a connection; a connection that was re-opened has the one last configured."""
        with self._lock:
            session = self._sessions.get(peer)
            if session is None and self._sessions:
                session = next(reversed(self._sessions.values()))
        return session or self.configure(peer, None)
