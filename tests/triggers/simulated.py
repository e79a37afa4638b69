"""A stack that is watched in a test: a container in memory, a clock that sleeping moves on, a fake engine that keeps keys.

Triggers, listing, digests and run keys are the real ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cli.watching.deploying import TOKEN, Failed, Foreseen
from cli.watching.records import Records
from cli.watching.watcher import Situation, Watcher
from clients.clock import ManualClock
from clients.errors import Unreachable
from retrain_hooks.data.lifecycle import DataVersionLifecycle
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.registry.run_key import digest
from retrain_hooks.triggers.declared import declared
from retrain_hooks.triggers.trigger import Scene
from tests.unit.fakes import MemoryContainer

CONFIG = {"dataPath": "flights/{version}.csv", "dataVersion": "latest"}


class Silent:
    def status(self, message: str) -> None: ...

    def info(self, message: str) -> None: ...

    def check(self) -> None: ...


class Storage(MemoryContainer):
    """A data container that can be out of reach."""

    out = False

    def list(self, prefix: str = "") -> Any:
        if self.out:
            raise Unreachable("the storage account does not answer", "wait")
        return super().list(prefix)


@dataclass
class Trained:
    """One training: when, of which data version, with which force token."""

    at: datetime
    version: str
    token: str
    key: str


@dataclass
class Engine:
    """A stack's engine and services: what is declared is trained, unless its gate refuses the version."""

    storage: Storage
    clock: ManualClock
    bad: set[str] = field(default_factory=set)
    out: bool = False
    key: str = ""
    token: str = ""
    data: str = ""
    trained: list[Trained] = field(default_factory=list)
    previews: int = 0
    others: tuple[str, ...] = ()
    before_preview: Callable[[], None] = lambda: None
    before_up: Callable[[], None] = lambda: None

    def preview(self, config: Mapping[str, str]) -> Foreseen:
        self.before_preview()
        self.previews += 1
        version, data, key = self._key(config)
        known = any(one.key == key for one in self.trained)
        if known and version in self.bad:
            raise Failed(f"run {key[:12]} was refused by its gate")
        keys = {"candidate": key} if key != self.key else {}
        forced = self.token if self.token.startswith(TOKEN) and data == self.data else ""
        return Foreseen(keys, ("train",), ("--expect", key) if keys else (), self.key, forced, self.others)

    def up(self, config: Mapping[str, str], expect: Sequence[str]) -> None:
        self.before_up()
        version, data, key = self._key(config)
        assert expect == (("--expect", key) if key != self.key else ())
        if not any(one.key == key for one in self.trained):
            self.trained.append(Trained(self.clock.now(), version, config.get("force", ""), key))
        if version in self.bad:
            raise Failed(f"run {key[:12]} was refused by its gate")
        self.key, self.token, self.data, self.others = key, config.get("force", ""), data, ()

    def _key(self, config: Mapping[str, str]) -> tuple[str, str, str]:
        """The data version, the digest of its content, and the run key."""
        if self.out or self.storage.out:
            raise Failed("the services do not answer")
        asked = {"target": "t", "path": CONFIG["dataPath"], "version": CONFIG["dataVersion"]}
        found = DataVersionLifecycle(context(self.storage)).check(asked, {})
        return found["versions"][0], found["digest"], digest([found["digest"], config.get("force", "")])


def context(storage: MemoryContainer) -> Context:
    """What triggers and lifecycles of one run share."""
    made, registry = Context(Silent(), Silent()), MemoryContainer()
    made.data = lambda target, name=None: storage  # type: ignore[method-assign]
    made.registry = lambda target: registry  # type: ignore[method-assign]
    return made


@dataclass
class World:
    """A stack with *triggers* and a *policy*, watched from *start* on; what is said is *told*."""

    folder: Path
    triggers: list[dict[str, Any]]
    start: datetime
    policy: str = "auto"
    deployed: bool = True
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = ManualClock(self.start)
        self.storage = Storage("data")
        self.engine = Engine(self.storage, self.clock)
        self.records = Records(self.folder)
        self._declared = declared(self.triggers)

    def upload(self, version: str, content: str = "") -> None:
        self.storage.put(f"flights/{version}.csv", f"a,b\n1,{content or version}\n".encode())

    def serve(self) -> None:
        """The latest version is trained and served already, by hand."""
        _version, self.engine.data, self.engine.key = self.engine._key({})

    def watcher(self) -> Watcher:
        """A process that watches, as it starts."""
        return Watcher("dev", self.records, self.situation, self.engine, self.clock, self.told.append)

    def situation(self) -> Situation:
        return Situation(self._declared, self.policy, self.deployed, self._scene)

    def _scene(self, kept: Mapping[str, Any], now: datetime) -> Scene:
        return Scene(context(self.storage), "t", CONFIG, kept, now)

    def outcomes(self) -> list[str]:
        return [entry["outcome"] for entry in self.records.history()]
