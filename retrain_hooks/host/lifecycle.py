"""The life of a resource, free of any host: plain dicts in, plain dicts out.

``providers.py`` hosts these for Pulumi's Python dynamic provider; another host only has to translate values.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, is_dataclass
from functools import cached_property
from typing import Any, Protocol

from clients.arm.resource_manager import ResourceManager
from clients.clock import Clock, SystemClock
from clients.credentials import Target, resolve_target
from clients.errors import ConfigurationError
from clients.protocols import Services
from clients.storage import Container
from clients.web_services import web_services
from retrain_hooks.host.memory import Memory
from retrain_hooks.host.parts import Parts

Props = dict[str, Any]


class _Unknown:
    """The value of an output that a preview cannot know yet."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = _Unknown()


def known(*values: Any) -> bool:
    """Whether no value is, or holds, an UNKNOWN."""
    return all(
        known(*vars(value).values())
        if is_dataclass(value)
        else known(*value.values())
        if isinstance(value, Mapping)
        else known(*value)
        if isinstance(value, list | tuple)
        else known(vars(value))
        if is_dataclass(value)
        else value is not UNKNOWN
        for value in values
    )


@dataclass(frozen=True)
class Diff:
    """What an update would do: nothing, change in place, or *replaces* because of these properties."""

    changes: bool
    replaces: tuple[str, ...] = ()


class JobBudget:
    """Counts the jobs that one update starts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started = 0

    def take(self, limit: int | None) -> None:
        """Count one more job. Raises ConfigurationError past *limit*."""
        with self._lock:
            if limit is not None and self._started >= limit:
                raise ConfigurationError(
                    f"this update would start more than {limit} training job{'s' * (limit != 1)}",
                    "look at ./dev preview, and raise `maxJobs` in the stack's config if that is wanted",
                )
            self._started += 1


class Lifecycle(Protocol):
    """One resource's steps. Each raises RetrainError; in ``check`` that refuses the inputs."""

    def check(self, new: Props, old: Props) -> Props:
        """The inputs, completed with what can be found out by reading. Never writes.

        *old* are the last checked inputs, empty at first.
        """

    def diff(self, old: Props, new: Props) -> Diff:
        """Compare the last outputs with new, checked inputs."""

    def create(self, new: Props) -> tuple[str, Props]:
        """Make it true; id and outputs. Idempotent: after a crash it is called again."""

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """What is there now, as outputs and as inputs; None where it is gone."""

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """Make it true in place; the outputs."""

    def delete(self, id_: str, old: Props) -> None:
        """Remove what ``create`` made."""


class Progress(Protocol):
    """Where a long step says how it stands."""

    def status(self, message: str) -> None:
        """A passing state, shown while it lasts."""

    def info(self, message: str) -> None:
        """A line that stays."""


class Guard(Protocol):
    """Asked before each call that changes anything, and at each look at a job."""

    def check(self) -> None:
        """Raise UpdateCancelled where the update was cancelled or its engine is gone."""


@dataclass
class Context:
    """What the lifecycles of one process share."""

    progress: Progress
    guard: Guard
    clock: Clock = field(default_factory=SystemClock)
    resolve_target: Callable[[str], Target] = resolve_target
    budget: JobBudget = field(default_factory=JobBudget)
    # MD5 (base64) and SHA-256 (hex) of blobs that were read, by URL and ETag: none is read twice in a process.
    hashes: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    # What a record in the registry says of a blob's bytes, by the same: of what this update has verified already.
    verified: dict[tuple[str, str], Any] = field(default_factory=dict)
    parts: Parts = field(default_factory=Parts)

    @cached_property
    def memory(self) -> Memory:
        """What this run has asked already."""
        return Memory(self.clock)

    @cached_property
    def _targets(self) -> dict[str, Target]:
        return {}

    def target(self, name: str) -> Target:
        """The target called *name*, resolved once."""
        if name not in self._targets:
            self._targets[name] = self.resolve_target(name)
        return self._targets[name]

    def workspace_id(self, target: str, workspace: str) -> str:
        """The 32-hex id of a workspace (its ARM id); empty for a resource group. Asked for once."""
        return self.target(target).workspace_id(workspace) if "/providers/" in workspace else ""

    def data(self, target: str, name: str | None = None) -> Container:
        """The container that the team's pipelines fill, or the one called *name* in the same account."""
        found = self.target(target)
        return Container(found.connection_string, name or found.data_container, found.remedy)

    def registry(self, target: str) -> Container:
        """The container with ledger and models, shared by all stacks."""
        found = self.target(target)
        return Container(found.connection_string, found.registry_container, found.remedy)

    def resource_manager(self, target: str, api_version: str) -> ResourceManager:
        """Resource Manager, for resources of one *api_version*."""
        return ResourceManager(self.target(target).arm, api_version, self.clock)

    def services(self, target: str, service: Mapping[str, Any]) -> Services:
        """The web services of the kind and in the workspace that the reference to one of them, *service*, says."""
        return web_services(self.target(target), service, self.clock)
