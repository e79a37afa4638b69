"""Writes that were acknowledged a moment ago, on disk until the blob store has surely kept them itself.

Azurite writes blobs at once, but what it knows of them only every five seconds: killed within these, it comes back
without blobs that it had confirmed. So the proxy keeps each write, body and all, before it passes the confirmation on,
and brings it again to an Azurite that came back without it (`localcloud.blobs.restoring`).

A write is two files: its body, and, once it is acknowledged, what it was; a body without the other is nobody's.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import BinaryIO
from urllib.parse import parse_qs, unquote

import h11

from localcloud.facilities.journal import effect_of

SECONDS = 20.0  # four times what Azurite takes
# What cannot be done again with the same outcome: a lease's and a snapshot's name is what Azurite gave it.
_NOT_AGAIN = frozenset({"lease", "snapshot", "batch"})
_DROPPED = (b"authorization", b"if-", b"x-ms-if-", b"x-ms-lease-id", b"expect", b"host", b"connection")
_OF_ACCOUNTS = ".blob.localhost"
_FRAMING = (b"content-length", b"transfer-encoding", b"keep-alive", b"proxy-connection")


@dataclass(frozen=True)
class KeptWrite:
    """One acknowledged write; `etag` is what the blob or container had after it, if the answer said so."""

    number: int
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    etag: str
    at: float

    @property
    def resource(self) -> str:
        """The container or blob: its path, decoded."""
        return unquote(self.target.partition("?")[0]).rstrip("/")

    @property
    def is_container(self) -> bool:
        """Whether it is about a container."""
        return "restype=container" in self.target.lower()

    @property
    def deletes(self) -> bool:
        """Whether nothing was there after it."""
        return self.method == "DELETE" and not self.comp

    @property
    def comp(self) -> str:
        """The part of the resource that it is about; empty for the whole."""
        return comp_of(self.target)


def line_of(request: h11.Request) -> tuple[str, str]:
    """Method and target; the account is the path's first part, also where the client has it in the host's name."""
    target = request.target.decode("latin-1")
    host = next((value for name, value in request.headers if name == b"host"), b"").decode("latin-1")
    account, dot, _ = host.partition(_OF_ACCOUNTS)
    return request.method.decode("ascii"), f"/{account}{target}" if dot else target


def comp_of(target: str) -> str:
    """The `comp` of a query."""
    return parse_qs(target.partition("?")[2]).get("comp", [""])[0].lower()


class KeptWrites:
    """The writes below a directory, oldest first."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory = directory
        for body in directory.glob("*.body"):
            if not body.with_suffix(".json").exists():
                body.unlink()
        self._next = max((int(file.stem) for file in directory.glob("*.json")), default=0) + 1

    def begin(self, request: h11.Request) -> KeepingWrite | None:
        """Begin to keep a request; None for one that writes nothing, or cannot be done again."""
        method, target = line_of(request)
        if effect_of(method, target) == "read" or comp_of(target) in _NOT_AGAIN:
            return None
        headers = tuple(
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in request.headers.raw_items()
            if not name.lower().startswith(_DROPPED) and name.lower() not in _FRAMING
        )
        number, self._next = self._next, self._next + 1
        return KeepingWrite(self, KeptWrite(number, method, target, headers, "", 0.0))

    def body(self, write: KeptWrite) -> Path:
        """Where a write's body is."""
        return self.directory / f"{write.number:012}.body"

    def all(self) -> list[KeptWrite]:
        """What is kept, in the order in which it was acknowledged; what cannot be read is left out."""
        found = []
        for file in self.directory.glob("*.json"):
            with contextlib.suppress(ValueError, TypeError, KeyError):
                document = json.loads(file.read_text())
                write = KeptWrite(**{**document, "headers": tuple(map(tuple, document["headers"]))})
                if self.body(write).exists():
                    found.append(write)
        return sorted(found, key=lambda write: (write.at, write.number))

    def keep(self, write: KeptWrite) -> None:
        """Record that a write was acknowledged; its body is there."""
        part = self.directory / f"{write.number:012}.part"
        part.write_text(json.dumps(vars(write)))
        part.replace(self.directory / f"{write.number:012}.json")

    def forget(self, write: KeptWrite) -> None:
        """The blob store has it."""
        (self.directory / f"{write.number:012}.json").unlink(missing_ok=True)
        self.body(write).unlink(missing_ok=True)

    def forget_before(self, at: float) -> None:
        """Forget what was acknowledged before that time."""
        for file in self.directory.glob("*.json"):
            if file.stat().st_mtime < at:
                file.unlink()
                file.with_suffix(".body").unlink(missing_ok=True)


class KeepingWrite:
    """A write on its way: its body is kept as it passes."""

    def __init__(self, writes: KeptWrites, write: KeptWrite) -> None:
        self._writes = writes
        self._write = write
        self._file: BinaryIO | None = writes.body(write).open("wb", buffering=0)

    def add(self, data: bytes) -> None:
        """A part of the body."""
        if self._file is not None:
            self._file.write(data)

    def answered(self, response: h11.Response) -> None:
        """What Azurite said: kept if it confirmed the write, dropped if not. To be called before anybody is told."""
        self._close()
        if 200 <= response.status_code < 300:
            etag = next((value for name, value in response.headers if name == b"etag"), b"").decode("latin-1")
            self._writes.keep(KeptWrite(**{**vars(self._write), "etag": etag, "at": time()}))
        else:
            self._writes.body(self._write).unlink(missing_ok=True)

    def drop(self) -> None:
        """There is no answer; nothing where there was one."""
        if self._file is not None:
            self._close()
            self._writes.body(self._write).unlink(missing_ok=True)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
