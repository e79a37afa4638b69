"""Pulumi's file backend: where a stack's state, history and locks lie, and how they are written.

    .pulumi/meta.yaml
    .pulumi/stacks/<project>/<stack>.json, .json.bak
    .pulumi/history/<project>/<stack>/<stack>-<ns>.{history,checkpoint}.json
    .pulumi/locks/organization/<project>/<stack>/<uuid>.json

Source: `pkg/backend/diy` of Pulumi 3.260.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import socket
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import time, time_ns
from typing import Any

import psutil

from backend.checkpoint import compact, now
from backend.errors import LockedError, StateError


@dataclass(frozen=True)
class Holder:
    """Who holds a lock."""

    path: Path
    pid: int
    username: str
    hostname: str
    timestamp: str

    def __str__(self) -> str:
        return f"{self.username}@{self.hostname} (process {self.pid}) since {self.timestamp}"

    def is_dead(self) -> bool:
        """Whether the holder ran on this host and its process is gone (or its number was given anew)."""
        if self.hostname != socket.gethostname():
            return False
        try:
            process = psutil.Process(self.pid)
            started, status = process.create_time(), process.status()
        except psutil.NoSuchProcess:
            return True
        except psutil.AccessDenied:
            return False
        try:
            taken = datetime.fromisoformat(self.timestamp).timestamp()
        except ValueError:
            return False
        # A zombie is over; a process younger than its own lock is another one (2 s for coarse clocks).
        return status == psutil.STATUS_ZOMBIE or started > taken + 2


class Backend:
    """The files of one stack under `<root>/.pulumi`."""

    def __init__(self, root: Path, project: str, stack: str) -> None:
        self.base = root / ".pulumi"
        self.project = project
        self.stack = stack
        self.file = self.base / "stacks" / project / f"{stack}.json"
        self.locks = self.base / "locks" / "organization" / project / stack
        self.history = self.base / "history" / project / stack
        self._lock: Path | None = None

    @property
    def qualified_stack(self) -> str:
        """The name as checkpoints have it."""
        return f"organization/{self.project}/{self.stack}"

    def read(self) -> str | None:
        """The checkpoint's text, or None when there is no such stack."""
        try:
            return self.file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StateError(
                f"the state {self.file.name} can't be read: {error.strerror}", "check its owner"
            ) from error

    def write(self, text: str) -> None:
        """Replace the checkpoint atomically; the one before stays as `.bak`."""
        meta = self.base / "meta.yaml"
        if not meta.exists():
            write_atomically(meta, "version: 1\n")
        if self.file.exists():
            backup = self.file.with_name(self.file.name + ".bak")
            spare = self.file.with_name(f".{self.file.name}.{uuid.uuid4().hex}")
            try:
                os.link(self.file, spare)
                spare.replace(backup)
            except OSError:  # not all file systems have links
                write_atomically(backup, self.read() or "")
        write_atomically(self.file, text)

    def add_history(self, info: dict[str, Any]) -> None:
        """Keep an update's record and the checkpoint it ended with."""
        stem = f"{self.stack}-{time_ns()}"
        write_atomically(self.history / f"{stem}.history.json", compact(info))
        if (text := self.read()) is not None:
            write_atomically(self.history / f"{stem}.checkpoint.json", text)

    def remove(self) -> None:
        """Remove the stack and its history; as with `pulumi stack rm` its last state stays as `.bak`."""
        self.file.replace(self.file.with_name(self.file.name + ".bak"))
        self.file.with_name(self.file.name + ".attrs").unlink(missing_ok=True)
        if self.history.is_dir():
            for each in self.history.iterdir():
                each.unlink()
            self.history.rmdir()

    def deployment(self) -> dict[str, Any]:
        """The state as JSON data; empty where there is none, or none that can be read."""
        try:
            return dict(json.loads(self.read() or "")["checkpoint"].get("latest") or {})
        except (ValueError, TypeError, KeyError, AttributeError):
            return {}

    def holders(self) -> list[Holder]:
        """Who holds the stack now."""
        found = []
        for path in sorted(self.locks.glob("*.json")) if self.locks.is_dir() else []:
            with contextlib.suppress(OSError, ValueError):
                data = json.loads(path.read_text(encoding="utf-8"))
                known = (data.get("pid", 0), data.get("username", "?"), data.get("hostname", "?"))
                found.append(Holder(path, *known, data.get("timestamp", "?")))
        return found

    @contextlib.contextmanager
    def locked(self, warn: Callable[[str], None]) -> Iterator[None]:
        """Hold the stack, unless it is held already. A dead process's lock on this host is freed, with a warning.

        Raises:
            LockedError: a live process, or one on another host, holds it.
        """
        if self._lock is not None:
            yield
            return
        self._refuse_if_held(warn)
        mine = self.locks / f"{uuid.uuid4()}.json"
        content = {
            "pid": os.getpid(),
            "username": _username(),
            "hostname": socket.gethostname(),
            "timestamp": now(),
        }
        write_atomically(mine, compact(content))
        self._lock = mine
        try:
            self._refuse_if_held(warn)  # two that wrote at the same time both give way
            yield
        finally:
            mine.unlink(missing_ok=True)
            self._lock = None

    def free_dead_locks(self, warn: Callable[[str], None]) -> list[Holder]:
        """Free the locks whose process on this host has ended, as a killed CLI leaves them; the others who hold it."""
        others = [holder for holder in self.holders() if holder.path != self._lock]
        for holder in (dead := [holder for holder in others if holder.is_dead()]):
            _unlock(holder)
            warn(f"freed the lock of a run that is dead: {holder}")
        return [holder for holder in others if holder not in dead]

    def _refuse_if_held(self, warn: Callable[[str], None]) -> None:
        for holder in self.free_dead_locks(warn):
            raise LockedError(
                f"stack {self.stack} is locked by {holder}",
                "wait for that run to end, or free the lock with ./dev cancel",
            )

    def cancel(self) -> list[Holder]:
        """Free all locks of the stack and tell whose they were."""
        holders = self.holders()
        for holder in holders:
            _unlock(holder)
        return holders


def _unlock(holder: Holder) -> None:
    for path in (holder.path, holder.path.with_name(holder.path.name + ".attrs")):
        path.unlink(missing_ok=True)


def _username() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid()) if hasattr(os, "getuid") else "?"


def write_atomically(path: Path, text: str) -> None:
    """Write beside the file, flush to disk, rename over it; drop the CLI's stale `.attrs`.

    Raises:
        StateError: the disk is full, or the folder isn't ours.
    """
    spare = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with spare.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        spare.replace(path)
        path.with_name(path.name + ".attrs").unlink(missing_ok=True)
    except OSError as error:
        spare.unlink(missing_ok=True)
        raise StateError(
            f"{path.name} can't be written: {error.strerror}", "free the disk or fix its owner"
        ) from error


def history_record(
    kind: str, started: float, config: dict[str, Any], ok: bool, changes: dict[str, int]
) -> dict[str, Any]:
    """An update's record as `pulumi stack history` reads it."""
    return {
        "kind": kind,
        "startTime": int(started),
        "message": "",
        "environment": {"exec.kind": "embedded"},
        "config": config,
        "version": 0,
        "result": "succeeded" if ok else "failed",
        "endTime": int(time()),
        "resourceChanges": changes,
    }
