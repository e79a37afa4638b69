"""Fixtures: a stack whose program is a function, with a provider in the same process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pytest

import engine
from engine.events import Event, Result
from engine.testing import ProgramStack, pulumi_stack
from tests.engine.things import Served, Things

__all__ = ["pulumi_stack"]


class Thing(pulumi.CustomResource):
    """A resource of the test provider."""

    echo: pulumi.Output[str]
    serial: pulumi.Output[int]

    def __init__(self, name: str, props: dict[str, Any] | None = None, opts: Any = None) -> None:
        super().__init__("things:index:Thing", name, {**(props or {}), "echo": None, "serial": None}, opts)


class Group(pulumi.ComponentResource):
    """A component."""

    def __init__(self, name: str, opts: Any = None) -> None:
        super().__init__("things:index:Group", name, None, opts)


class ThingsProvider(pulumi.ProviderResource):
    """An explicit provider."""

    def __init__(self, name: str, region: Any, opts: Any = None) -> None:
        super().__init__("things", name, {"region": region}, opts)


@dataclass
class Stack:
    """A project in a temporary folder."""

    root: Path
    served: Served
    events: list[Event] = field(default_factory=list)
    config: dict[str, str] = field(default_factory=dict)
    passphrase: str | None = "correct horse"

    @property
    def things(self) -> Things:
        return self.served.things

    @property
    def ws(self) -> engine.Workspace:
        return engine.Workspace.open(self.root, "dev", config=self.config, passphrase=self.passphrase)

    def options(self, program: Callable[[], Any] | None = None, **more: Any) -> engine.Options:
        env = {"PULUMI_DEBUG_PROVIDERS": f"things:{self.served.port}"}
        return engine.Options(program=program, env=env, **more)

    def _run(self, verb: Callable[..., Result], program: Any, more: dict[str, Any]) -> Result:
        self.things.calls.clear()
        self.things.requests.clear()
        stack = ProgramStack(
            program or (lambda: None),
            self.root,
            name="dev",
            config=self.config,
            attach={"things": self.served.port},
            passphrase=self.passphrase,
            events=self.events,
        )
        return stack.run(verb, check=False, **more)

    def preview(self, program: Any, **more: Any) -> Result:
        return self._run(engine.preview, program, more)

    def up(self, program: Any, **more: Any) -> Result:
        return self._run(engine.up, program, more)

    def refresh(self, **more: Any) -> Result:
        return self._run(engine.refresh, None, more)

    def destroy(self, program: Any = None, **more: Any) -> Result:
        return self._run(engine.destroy, program, more)

    def checkpoint(self) -> dict[str, Any]:
        """The checkpoint with its version."""
        return json.loads((self.root / ".pulumi/stacks/demo/dev.json").read_text())

    def state(self) -> dict[str, Any]:
        """The checkpoint's deployment."""
        return self.checkpoint()["checkpoint"]["latest"]

    def resources(self) -> dict[str, dict[str, Any]]:
        """Resources by name."""
        return {r["urn"].rsplit("::", 1)[-1]: r for r in self.state().get("resources", [])}


def ops(result: Result) -> dict[str, list[str]]:
    """Operations by resource name, `same` and the stack left out."""
    found: dict[str, list[str]] = {}
    for step in result.steps:
        if step.op != "same" and step.type != "pulumi:pulumi:Stack":
            found.setdefault(step.name, []).append(step.op)
    return found


@pytest.fixture
def served() -> Iterator[Served]:
    running = Served(Things())
    yield running
    running.close()


@pytest.fixture
def stack(tmp_path: Path, served: Served) -> Stack:
    (tmp_path / "Pulumi.yaml").write_text("name: demo\nruntime: python\nbackend:\n  url: file://.\n")
    return Stack(tmp_path, served)
