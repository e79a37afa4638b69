"""Where a record of what happened is sent: a webhook, a file, a command.

A channel says what failed without the address that it was sent to, since the path of a webhook is often its secret.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from clients.errors import ConfigurationError, Unreachable
from clients.http.transport import Transport
from clients.text import told

EVENTS = ("trained", "judged", "bound", "failed")
DEADLINE = 5.0  # seconds
Record = Mapping[str, Any]


class NotDelivered(Exception):
    """A record didn't arrive; the text says why, in a few words without a secret."""


@dataclass(frozen=True, kw_only=True)
class Channel(ABC):
    """One receiver of records of *events*, which gets *seconds* to take one.

    Raises ConfigurationError for an unknown event or a time that is not seconds.
    """

    events: Sequence[str] = EVENTS
    seconds: float = DEADLINE

    def __post_init__(self) -> None:
        if not isinstance(self.events, list | tuple) or any(event not in EVENTS for event in self.events):
            raise ConfigurationError(
                f"{self}: {self.events!r} is not a list of events", f"list some of: {', '.join(EVENTS)}"
            )
        timed = isinstance(self.seconds, int | float) and not isinstance(self.seconds, bool)
        if not timed or not 0 < self.seconds <= 60:
            raise ConfigurationError(
                f"{self}: {self.seconds!r} is not a number of seconds", "give seconds, at most 60"
            )

    @abstractmethod
    def send(self, record: Record, root: Path) -> None:
        """Hand *record* over; relative paths start at *root*, the project's folder.

        Raises NotDelivered; whatever else it raises is taken for one, too.
        """

    @abstractmethod
    def __str__(self) -> str:
        """What it is called in a warning: no secret."""


@dataclass(frozen=True)
class Webhook(Channel):
    """A POST of the record as JSON to *url*, or to the address that the environment variable *url_from* holds when
    the record is sent. Any answer but 2xx, a redirect too, is a failure.
    """

    url: str = field(default="", repr=False)
    url_from: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.url, str) or bool(self.url) == bool(self.url_from):
            raise ConfigurationError(
                "a webhook has one address, as text",
                "give its url, or the name of the environment variable that holds it",
            )
        if self.url:
            _checked(self.url)

    def send(self, record: Record, root: Path) -> None:
        """POST it, once."""
        url = self.url or os.environ.get(self.url_from, "")
        if not url:
            raise NotDelivered(f"the environment variable {self.url_from} is not set")
        try:
            status = Transport("the webhook", _checked(url), timeout=self.seconds).tell(record)
        except Unreachable as error:  # its text holds the address
            raise NotDelivered(
                f"it can't be reached, or gives no answer within {self.seconds:g} s"
            ) from error
        if not 200 <= status < 300:
            raise NotDelivered(f"it answered with status {status}")

    def __str__(self) -> str:
        return f"webhook {self.url_from or _host(self.url)}"


@dataclass(frozen=True)
class JsonLines(Channel):
    """The file *path*, to which a line of JSON is appended; its folder is made where it is missing."""

    path: str

    def send(self, record: Record, root: Path) -> None:
        """Append one line, in one write."""
        path = root / self.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as file:
            file.write(_text(record).encode() + b"\n")

    def __str__(self) -> str:
        return f"file {self.path}"


@dataclass(frozen=True)
class Command(Channel):
    """The program *argv* with its arguments, run in the project's folder without a shell, with the record on stdin."""

    argv: Sequence[str]

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.argv, str) or not self.argv or not all(isinstance(a, str) for a in self.argv):
            raise ConfigurationError(
                "a command is a list of texts", 'write it as ["./notify.sh", "an argument"]'
            )

    def send(self, record: Record, root: Path) -> None:
        """Run it to its end; with all that it started it is killed when its time is up."""
        process = subprocess.Popen(
            list(self.argv),
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            _, said = process.communicate(_text(record), timeout=self.seconds)
        except subprocess.TimeoutExpired as error:
            with suppress(AttributeError, ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.wait()
            raise NotDelivered(f"it had not ended after {self.seconds:g} s") from error
        finally:
            for pipe in (process.stdin, process.stderr):
                if pipe is not None:
                    pipe.close()
        if process.returncode:
            last = told((said.strip().splitlines() or [""])[-1], 200)
            raise NotDelivered(f"it ended with status {process.returncode}" + (f": {last}" if last else ""))

    def __str__(self) -> str:
        return f"command {self.argv[0] if self.argv else ''}"


_KINDS = {"webhook", "webhookFrom", "file", "command"}


def channel_of(entry: Any) -> Channel:
    """The channel that one entry of the configuration's list ``notifications`` declares.

    Raises ConfigurationError for anything but one of ``webhook``, ``webhookFrom``, ``file``, ``command`` with
    ``events`` and ``seconds`` beside it.
    """
    kinds = _KINDS.intersection(entry) if isinstance(entry, Mapping) else set()
    if len(kinds) != 1 or (unknown := sorted(set(entry) - kinds - {"events", "seconds"})):
        problem = (
            f"knows no {', '.join(unknown)}" if len(kinds) == 1 else f"names {len(kinds) or 'none'} of them"
        )
        raise ConfigurationError(
            f"an entry of `notifications` {problem}",
            "give each one of webhook, webhookFrom, file or command, and at most events and seconds beside it",
        )
    kind = kinds.pop()
    value, more = entry[kind], {k: entry[k] for k in ("events", "seconds") if k in entry}
    if kind == "command":
        return Command(value, **more)
    if not isinstance(value, str) or not value:
        raise ConfigurationError(
            f"notifications: `{kind}` is not a text",
            "write the address, path or command as a text",
        )
    if kind == "file":
        return JsonLines(value, **more)
    return Webhook(value, **more) if kind == "webhook" else Webhook(url_from=value, **more)


def _text(record: Record) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _host(url: str) -> str:
    return urlsplit(url).hostname or "?"


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(
            "the address of a webhook does not begin with http:// or https://", "give a web address"
        )
    return url
