"""What `watch` keeps of a stack, in `.local/watch/<stack>/`: its memory, history, a plan that waits, a pause, a lock.

memory.json      what each trigger kept at its last look, what has fired and is not done yet, failures
history.jsonl    what was done and why, a line each; the older half goes where it gets too long
plan.json        the retraining that waits for approval (policy `ask`)
paused.json      until when nothing is done
lock             who watches, held while it lives
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from backend.files import write_atomically
from cli.bootstrap import held
from cli.errors import CliError, warn

_MOST_HISTORY = 512 * 1024


@dataclass(frozen=True)
class Fired:
    """A trigger of a *kind* fired, for this *reason*; *token* asks for a new run of equal inputs where it has `force`.

    *trigger* is its name, empty where it is none.
    """

    kind: str
    reason: str
    token: str = ""
    trigger: str = ""


@dataclass
class Memory:
    """*triggers*: by name what each kept and when it is looked at next. *fired* is not done yet, and an update to
    the run keys *begun* was.

    *failures* in a row end in *retry_at*.
    """

    triggers: dict[str, dict[str, Any]] = field(default_factory=dict)
    fired: list[Fired] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    failures: int = 0
    retry_at: str = ""

    def settle(self) -> None:
        """What has fired is done."""
        self.fired, self.begun, self.failures, self.retry_at = [], [], 0, ""


class Records:
    """The files of one stack in *folder*."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._last: dict[str, Any] | None = None

    def memory(self) -> Memory:
        """What was kept; nothing, with a warning, where that can't be read."""
        content = self._read("memory.json")
        try:
            fired = [Fired(**one) for one in content.get("fired", [])]
            return Memory(**{**content, "fired": fired})
        except (TypeError, AttributeError):
            warn(
                f"{self.folder / 'memory.json'} can't be read: all triggers are looked at as for the first time"
            )
            return Memory()

    def keep(self, memory: Memory) -> None:
        """Keep it, whole or not at all."""
        self._write("memory.json", asdict(memory))

    def note(self, entry: Mapping[str, Any]) -> None:
        """Add an entry to the history, unless it is the last one once more but for its time."""
        told = {key: value for key, value in entry.items() if key != "at"}
        last = self._last if self._last is not None else next(iter(reversed(list(self.history()))), {})
        if told == {key: value for key, value in last.items() if key != "at"}:
            return
        self._last = dict(entry)
        path = self.folder / "history.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
            long = file.tell() > _MOST_HISTORY
        if long:
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            write_atomically(path, "".join(lines[len(lines) // 2 :]))

    def history(self) -> Iterator[dict[str, Any]]:
        """The entries, the oldest first; a line that was cut off by a crash is left out."""
        path = self.folder / "history.jsonl"
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
            with suppress(ValueError):
                yield json.loads(line)

    @property
    def plan(self) -> dict[str, Any]:
        """The retraining that waits for approval; empty where none does."""
        return self._read("plan.json")

    @plan.setter
    def plan(self, plan: Mapping[str, Any]) -> None:
        if plan:
            self._write("plan.json", plan)
        else:
            (self.folder / "plan.json").unlink(missing_ok=True)

    @property
    def paused_until(self) -> datetime | None:
        """When the pause ends; None where there is none."""
        until = self._read("paused.json").get("until")
        return datetime.fromisoformat(until) if until else None

    @paused_until.setter
    def paused_until(self, until: datetime | None) -> None:
        if until is None:
            (self.folder / "paused.json").unlink(missing_ok=True)
        else:
            self._write("paused.json", {"until": until.isoformat()})

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Watch alone. The system frees the lock when its holder dies. Raises CliError, which says who watches."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("a+", encoding="utf-8") as lock:
            if not held(lock):
                lock.seek(0)
                raise CliError(
                    f"the stack {self.folder.name} is watched already, by process {lock.read().strip() or '?'}",
                    "leave it to that one, or end it first",
                )
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield

    def _read(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:
            content = None
        if not isinstance(content, dict):
            warn(f"{path} is damaged, and taken for empty")
            return {}
        return content

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        write_atomically(self.folder / name, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
