"""The whole walk on a throw-away stack: an update, a score, and the end of all that it made. Every step is timed."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import yaml

from cli.errors import CliError
from cli.project import ROOT, backend_of, project, stack_file
from clients.credentials import resolve_target

Step = Callable[[str, float], None]


@dataclass(frozen=True)
class Walk:
    """A stack like *stack*, with *config* over its own, under a name of its own.

    *done* is told each step that was taken, with its seconds.
    """

    stack: str
    target: str
    config: Mapping[str, str]
    done: Step
    name: str = field(default_factory=lambda: f"verify{secrets.token_hex(3)}")

    def take(self) -> None:
        """Deploy, score, destroy. What was made goes again, whatever happens. Raises CliError, RetrainError."""
        with self._registry() as environment:
            stack_file(self.name).write_text(self._settings(), encoding="utf-8")
            try:
                with self._step("up"):
                    self._dev(environment, "up", "--yes", *self._overrides())
                with self._step("score"):
                    self._score()
            finally:
                self._end(environment)

    def _settings(self) -> str:
        """The stack's file with a run of its own."""
        own = stack_file(self.stack)
        content: dict[str, Any] = (yaml.safe_load(own.read_text("utf-8")) if own.exists() else None) or {}
        config = {**(content.get("config") or {}), f"{project()['name']}:force": self.name}
        return str(yaml.safe_dump({**content, "config": config}))

    def _overrides(self) -> Iterator[str]:
        for name, value in self.config.items():
            yield from ("-c", f"{name}={value}")

    def _score(self) -> None:
        from cli.options import Engine
        from cli.runners import open_runner
        from cli.services.report import scored_sample

        scored_sample(open_runner(self.name, {}, Engine.embedded).outputs())

    def _end(self, environment: Mapping[str, str]) -> None:
        """Destroy what there is of it. Its file stays where that fails, since it is needed to try again."""
        backend = backend_of(self.name)
        if backend is None or backend.file.exists():
            with self._step("destroy"):
                self._dev(environment, "destroy", "--yes", *self._overrides())
                self._dev(environment, "stack", "rm", "--yes")
        stack_file(self.name).unlink()

    @contextmanager
    def _step(self, what: str) -> Iterator[None]:
        began = perf_counter()
        yield
        self.done(what, perf_counter() - began)

    def _dev(self, environment: Mapping[str, str], *arguments: str) -> None:
        """Run a verb as a user does; what it prints is progress. Raises CliError where it fails: it has said why."""
        command = [sys.executable, "-m", "cli", *arguments, "--stack", self.name]
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=sys.stderr) as running:
            try:
                status = running.wait()
            except KeyboardInterrupt:  # it got it too, and comes to its own end
                running.wait()
                raise
        if status:
            raise CliError(
                f"./dev {' '.join(arguments[:1])} of the throw-away stack {self.name} failed; see above",
                "mend what it names, then verify again",
            )

    @contextmanager
    def _registry(self) -> Iterator[dict[str, str]]:
        """The environment of the verbs, with a container of runs that goes again; the local cloud keeps its own."""
        if self.target != "environment":
            yield dict(os.environ)
            return
        from azure.storage.blob import ContainerClient

        connection = resolve_target(self.target).connection_string
        with ContainerClient.from_connection_string(connection, self.name) as container:
            container.create_container()
            try:
                yield {**os.environ, "RETRAIN_REGISTRY_CONTAINER": self.name}
            finally:
                container.delete_container()
