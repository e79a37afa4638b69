"""A pytest plugin: run a Pulumi Python program on the embedded engine, with a state of its own.

    pytest_plugins = ["engine.testing"]            # in conftest.py

    def test_a_second_update_changes_nothing(pulumi_stack):
        stack = pulumi_stack(declare)              # a function, or the folder of a project
        assert stack.preview().changes == {"create": 3}
        stack.up()
        assert stack.up().changes == {"same": 3}

See docs/testing-programs.md.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from backend.checkpoint import State
from backend.files import Backend
from backend.stacks import export_stack, stack_outputs
from backend.urns import urn_name
from backend.workspace import Workspace
from engine.deployment import destroy, preview, refresh, up
from engine.events import Event, Listener, Result, Step
from engine.runs import Options

T = TypeVar("T")
Program = Callable[[], Any] | Path


class RunFailed(AssertionError):
    """A run failed that was to succeed; `result` tells all about it."""

    def __init__(self, verb: str, result: Result) -> None:
        super().__init__("\n".join([f"{verb} failed", *result.failures]))
        self.result = result


@contextlib.contextmanager
def pickler_as_it_was() -> Iterator[None]:
    """Undo what Pulumi does to Python's pickler for a dynamic resource, and leaves so (pulumi 3, `serialize_provider`).

    Each resource wraps the wrapper of the one before, so that some three hundred in one process end in a RecursionError.
    """
    pickler: Any = pickle._Pickler
    before = pickler._batch_setitems, pickler.save_dict
    try:
        yield
    finally:
        pickler._batch_setitems, pickler.save_dict = before


@dataclass
class ProgramStack:
    """A stack in a folder of its own. Its program, configuration and environment may be changed between two runs.

    `program` is a function, which runs in this process, or the folder of a project, whose `__main__.py` runs in one of
    its own and whose files stay as they are. `attach` has the ports of providers that serve, by package; dynamic
    providers get a process. `events` are those of the last run.
    """

    program: Program
    folder: Path
    name: str = "test"
    config: dict[str, str] = field(default_factory=dict)
    attach: dict[str, int] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    passphrase: str | None = "a test's passphrase"  # noqa: S105
    events: list[Event] = field(default_factory=list)

    @property
    def workspace(self) -> Workspace:
        """The stack as the engine opens it."""
        root = self.program if isinstance(self.program, Path) else self.folder
        if root == self.folder and not (root / "Pulumi.yaml").exists():
            (root / "Pulumi.yaml").write_text("name: test\nruntime: python\n", encoding="utf-8")
        ws = Workspace.open(root, self.name, config=self.config, passphrase=self.passphrase)
        own = self.folder / ws.stack_file.name  # gets the salt of secrets
        return replace(ws, backend=Backend(self.folder, ws.project, ws.stack), stack_file=own)

    def preview(self, **options: Any) -> Result:
        """What `up` would do. `options` here and below are fields of `engine.Options`, and of `run`."""
        return self.run(preview, **options)

    def up(self, **options: Any) -> Result:
        """Make the resources as the program declares them."""
        return self.run(up, **options)

    def refresh(self, **options: Any) -> Result:
        """Read how the resources really are into the state."""
        return self.run(refresh, **options)

    def destroy(self, **options: Any) -> Result:
        """Delete all resources."""
        return self.run(destroy, **options)

    def run(
        self,
        verb: Callable[[Workspace, Options, Listener], Result],
        *,
        check: bool = True,
        on_event: Listener = lambda _: None,
        **options: Any,
    ) -> Result:
        """Run a verb of the engine; `on_event` hears of each event while it runs.

        Raises:
            RunFailed: it failed, and `check` is set.
            StackError: it can't even begin.
        """
        self.events.clear()
        env = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **self.env}
        if self.attach:
            env["PULUMI_DEBUG_PROVIDERS"] = ",".join(f"{name}:{port}" for name, port in self.attach.items())
        program = None if isinstance(self.program, Path) else self.program

        def hear(event: Event) -> None:
            self.events.append(event)
            on_event(event)

        with pickler_as_it_was():
            result = verb(self.workspace, Options(program=program, env=env, **options), hear)
        if check and not result.ok:
            raise RunFailed(verb.__name__, result)
        return result

    @property
    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets in plain."""
        return stack_outputs(self.workspace, show_secrets=True)

    @property
    def resources(self) -> list[State]:
        """All resources in the state, those that only wait to be deleted included."""
        return self.workspace.snapshot().resources

    @property
    def state(self) -> dict[str, Any]:
        """The state as `pulumi stack export` has it; secrets stay encrypted."""
        return export_stack(self.workspace)

    def resource(self, named: str) -> State:
        """The resource of this URN or name.

        Raises:
            LookupError: there is none, or more than one.
        """
        found = [s for s in self.resources if named in (s.urn, urn_name(s.urn)) and not s.delete]
        return _only(found, "resources", named, [s.urn for s in found or self.resources])


def step(result: Result, named: str) -> Step:
    """The one step of a result on the resource of this URN or name; of a replacement the `replace`.

    Raises:
        LookupError: there is none, or more than one.
    """
    found = [s for s in result.steps if named in (s.urn, s.name)]
    found = [s for s in found if s.op == "replace"] or found
    return _only(found, "steps", named, [f"{s.op} {s.urn}" for s in found or result.steps])


def _only(found: list[T], what: str, named: str, there: list[str]) -> T:
    if len(found) != 1:
        listed = "\n".join(there) or f"there are no {what}"
        raise LookupError(f"{len(found) or 'no'} {what} are named {named!r}:\n{listed}")
    return found[0]


class MakeStack:
    """What the fixture is: each call makes another stack."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def __call__(
        self,
        program: Program,
        *,
        config: Mapping[str, str] | None = None,
        attach: Mapping[str, int] | None = None,
        env: Mapping[str, str] | None = None,
        name: str = "test",
    ) -> ProgramStack:
        """A new stack of the program, with an empty state; see `ProgramStack`."""
        self._count += 1
        folder = self._folder / f"stack{self._count}"
        folder.mkdir()
        return ProgramStack(program, folder, name, dict(config or {}), dict(attach or {}), dict(env or {}))


@pytest.fixture
def pulumi_stack(tmp_path: Path) -> MakeStack:
    """Makes stacks of Pulumi programs, in temporary folders."""
    return MakeStack(tmp_path)
