"""A data container and a registry in memory, and fleets that find their members there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clients.storage import Blob
from retrain_hooks.fleet.members.inputs import Member, MembersInputs
from retrain_hooks.fleet.members.sources import Found, find_members, verify, write_slices
from retrain_hooks.host.lifecycle import Context
from tests.unit.fakes import Listener, MemoryContainer, OpenGuard

PATTERN = "flights/{member}/{version}.csv"
TABLE = "all/{version}.csv"


class Asked(MemoryContainer):
    """Counts what it is asked, each listing as one request for 5,000 blobs."""

    def __init__(self, name: str = "registry") -> None:
        super().__init__(name)
        self.asked: list[str] = []

    def list(self, prefix: str = "", **_more: Any) -> list[Blob]:
        found = super().list(prefix)
        self.asked += [f"list {prefix}"] * (1 + len(found) // 5000)
        return found

    def stat(self, name: str) -> Blob | None:
        self.asked.append(f"stat {name}")
        return super().stat(name)

    def read(self, name: str) -> tuple[bytes, str]:
        self.asked.append(f"read {name}")
        return super().read(name)


@dataclass
class Data:
    """What lies in the two containers; each look is another process's, which remembers nothing."""

    container: Asked = field(default_factory=lambda: Asked("data"))
    registry: Asked = field(default_factory=Asked)
    listener: Listener = field(default_factory=Listener)

    def put(self, name: str, text: str = "a,b\n1,2\n") -> None:
        self.container.put(name, text.encode())

    def months(self, *members: str, versions: tuple[str, ...] = ("2013-01",)) -> None:
        """A blob for each member and version."""
        for member in members:
            for version in versions:
                self.put(f"flights/{member}/{version}.csv", f"a,b\n{member},{version}\n")

    @property
    def context(self) -> Context:
        context = Context(self.listener, OpenGuard())
        kept = {"data": self.container, "registry": self.registry}
        context.data = lambda _target, name=None: kept[name or "data"]  # type: ignore[method-assign,assignment]
        context.registry = lambda _target: self.registry  # type: ignore[method-assign,assignment]
        return context

    def find(
        self,
        members: Mapping[str, Any],
        path: str = PATTERN,
        version: str = "2013-01",
        before: Mapping[str, str] | None = None,
    ) -> Found:
        """The members, and no write."""
        writes = len(self.container.writes) + len(self.registry.writes)
        found = find_members(
            self.context, "local", MembersInputs.parse(members), path, version, before=before
        )
        assert len(self.container.writes) + len(self.registry.writes) == writes
        return found

    def problems(self, *args: Any, **more: Any) -> dict[str, str]:
        """By name, of those who have one."""
        return {one.name: one.problem for one in self.find(*args, **more).members if one.problem}

    def verify(self, *members: Member, context: Context | None = None) -> dict[str, str]:
        return verify(context or self.context, "local", members)

    def write(self, *members: Member) -> Mapping[str, Mapping[str, str]]:
        return write_slices(self.context, "local", members)


def named(*names: str, **more: Any) -> dict[str, Any]:
    """A list of members."""
    return {"list": [{"name": name} | more for name in names]}
