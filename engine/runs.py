"""How a stack is run, and what all parts of a run share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.workspace import ConfigValue, Workspace
from engine.children.forks import Forks
from engine.children.signals import Signals
from engine.events import Diagnostic, Event, Listener


@dataclass(frozen=True)
class Options:
    """How to run.

    With `continue_on_error` only what depends on a failed resource is left out; else no step starts after a failure.
    `clear_pending_creates` forgets what a run that was cut off was creating; without it that stays on record.
    `run_program` has a destroy run the program first, for its hooks and its providers' configuration.
    `env` is added to the environment of program and providers; `targets` are URNs, `*` allowed; `program` is run in
    this process instead of the project's (for tests); `forks` are processes made beforehand for the project's.
    """

    refresh: bool = False
    expect_no_changes: bool = False
    continue_on_error: bool = False
    targets: tuple[str, ...] = ()
    clear_pending_creates: bool = False
    run_program: bool = False
    parallel: int = 16
    env: Mapping[str, str] = field(default_factory=dict)
    program: Callable[[], Any] | None = None
    forks: Forks | None = None


class Run:
    """A stack with its configuration, the options, and whether it is a `preview`; `kind` is the CLI's word for the run.

    Raises:
        StackError: the configuration is wrong.
    """

    def __init__(
        self, ws: Workspace, options: Options, listener: Listener, *, kind: str, preview: bool
    ) -> None:
        self.ws = ws
        self.options = options
        self.kind = kind
        self.preview = preview
        self.with_program = kind in ("update", "preview") or (kind == "destroy" and options.run_program)
        self.config: dict[str, ConfigValue] = ws.config(check=self.with_program)
        self.wake = threading.Event()
        """Set when something happened that the run waits for."""
        self.signals = Signals()
        self._listener = listener
        self._lock = threading.RLock()

    def tell(self, event: Event) -> None:
        """Tell the listener, which is never called by two threads at once."""
        with self._lock:
            self._listener(event)

    def warn(self, message: str, urn: str = "") -> None:
        """Tell of something that the user should know."""
        self.tell(Diagnostic("warning", message, urn))

    @property
    def texts(self) -> dict[str, str]:
        """The configuration, secrets in plain."""
        return {key: value.text for key, value in self.config.items()}

    @property
    def secret_keys(self) -> list[str]:
        """Which of the configuration is secret."""
        return [key for key, value in self.config.items() if value.secret]
