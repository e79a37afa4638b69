"""One run: a preview, an update, a refresh or a destroy.

Source: `pkg/resource/deploy/deployment_executor.go` of Pulumi 3.260.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic, time
from typing import Any

from backend.checkpoint import Snapshot, State
from backend.errors import StackError
from backend.files import history_record
from backend.stacks import outputs_of
from backend.urns import package_of, urn_name
from backend.values import Props, masked
from backend.workspace import ConfigValue, Workspace
from engine.actions import Action, delete_order
from engine.errors import StepError
from engine.events import Diagnostic, Event, Listener, Result
from engine.forks import Forks
from engine.hooks import unanswered
from engine.monitor import Monitor
from engine.planner import Planner
from engine.plugins import DYNAMIC, Plugins
from engine.processes import Child, Processes
from engine.program_run import Inline, report_exit
from engine.providers import Registry
from engine.services import Server
from engine.signals import Signals
from engine.snapshots import Journal
from engine.steps import Executor


@dataclass(frozen=True)
class Options:
    """How to run.

    With `continue_on_error` only what depends on a failed resource is left out; else no step starts after a failure.
    `env` is added to the environment of program and providers; `targets` are URNs, `*` allowed; `python` runs
    program and providers; `program` is run in this process instead of the project's (for tests); `forks` are processes
    made beforehand for the project's.
    """

    refresh: bool = False
    expect_no_changes: bool = False
    continue_on_error: bool = False
    targets: tuple[str, ...] = ()
    parallel: int = 16
    env: Mapping[str, str] = field(default_factory=dict)
    message: str = ""
    python: str = sys.executable
    program: Callable[[], Any] | None = None
    forks: Forks | None = None


class Deployment:
    """A run from the lock to the last closed process."""

    def __init__(
        self, ws: Workspace, options: Options, listener: Listener, *, kind: str, preview: bool
    ) -> None:
        self._ws = ws
        self._options = options
        self._kind = kind
        self._preview = preview
        self._listener = _Serial(listener)
        self._wake = threading.Event()
        self._config: dict[str, ConfigValue] = {}
        self._cancelled = False
        self._signals = Signals()

    def run(self) -> Result:
        """Run it; failures of resources are in the result.

        Raises:
            StackError: it can't even begin.
        """
        started, began = time(), monotonic()
        self._config = self._ws.config(check=self._kind in ("update", "preview"))
        lock = contextlib.nullcontext() if self._preview else self._ws.backend.locked(self._warn)
        with self._signals.heard(), lock:
            snapshot = self._ws.snapshot()
            executor, outputs = self._deploy(snapshot)
            old_outputs = masked(outputs_of(snapshot.resources))
            failures = executor.failures
            if self._cancelled:
                failures = [
                    "cancelled; what had finished is kept, and the next run goes on from there",
                    *failures,
                ]
            changes = dict(executor.changes)
            changed = any(count for op, count in changes.items() if op != "same")
            if self._options.expect_no_changes and changed and not failures:
                failures = [f"no changes were expected for {self._kind} but changes were proposed"]
            result = Result(
                ok=not failures,
                steps=executor.steps,
                outputs=masked(outputs),
                changes=changes,
                duration=monotonic() - began,
                failures=failures,
                old_outputs=old_outputs,
                preview=self._preview,
            )
            if not self._preview:
                config = {k: v.stored if v.secret else v.text for k, v in self._config.items()}
                self._ws.backend.add_history(
                    history_record(self._kind, started, config, result.ok, changes, self._options.message)
                )
        return result

    @property
    def _secret_keys(self) -> list[str]:
        return [key for key, value in self._config.items() if value.secret]

    def _warn(self, message: str, urn: str = "") -> None:
        self._listener(Diagnostic("warning", message, urn))

    def _deploy(self, snapshot: Snapshot) -> tuple[Executor, Props]:
        config = {key: value.text for key, value in self._config.items()}
        env = {
            **os.environ,
            **self._options.env,
            "PULUMI_PROJECT": self._ws.project,
            "PULUMI_CONFIG": json.dumps(config),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(self._secret_keys),
        }

        def printed(line: str) -> None:
            self._listener(Diagnostic("info", line))

        processes = Processes(self._options.python, env, self._options.forks, printed)
        plugins = Plugins(self._ws.root, env.get("PULUMI_DEBUG_PROVIDERS", ""), processes)
        registry = Registry(plugins, self._preview)
        journal = Journal(self._ws, snapshot, preview=self._preview)
        executor = Executor(
            registry=registry,
            journal=journal,
            preview=self._preview,
            parallel=self._options.parallel,
            listener=self._listener,
            go_on=self._options.continue_on_error,
            on_over=self._wake.set,
        )
        server = Server(partial(executor.diagnose, logged=True), self._options.parallel)
        try:
            outputs = self._phases(snapshot, server, plugins, processes, registry, journal, executor)
        finally:
            executor.hooks.close()
            plugins.close()
            processes.close()
            server.close()
        return executor, outputs

    def _phases(
        self,
        snapshot: Snapshot,
        server: Server,
        plugins: Plugins,
        processes: Processes,
        registry: Registry,
        journal: Journal,
        executor: Executor,
    ) -> Props:
        planner = self._planner(snapshot.resources, registry, journal, executor)
        monitor = Monitor(
            root=self._ws.root,
            planner=planner,
            executor=executor,
            registry=registry,
            config=self._config,
            preview=self._preview,
            parallel=self._options.parallel,
            on_done=self._wake.set,
        )
        plugins.engine = server.start(monitor)
        if any(package_of(s.type) == DYNAMIC for s in snapshot.resources):
            plugins.prefetch()
        if snapshot.pending and not self._preview:
            self._warn_of_pending(snapshot)
        program: Child | Inline | None = None
        try:
            if self._kind in ("refresh", "destroy"):
                for target in planner.targets.missing({s.urn for s in planner.prev}):
                    raise StepError(f"no resource named '{target}' found")
            if self._options.refresh or self._kind == "refresh":
                self._refresh(planner, registry, executor, journal)
                if self._kind != "refresh":
                    executor.changes.clear()  # what an update makes of them counts
            if self._kind == "destroy" and not executor.failures:
                for problem in unanswered(snapshot.resources):
                    executor.diagnose(problem)
                if not executor.failures:
                    self._delete(planner, executor, everything=True)
            elif self._kind in ("update", "preview") and not executor.failures:
                program = self._program(processes, plugins.engine)
                self._wait_for(program, monitor, executor)
                if not executor.over.is_set():
                    self._delete(planner, executor)
        except KeyboardInterrupt:
            self._cancel(executor, journal, plugins, program)
        except (StepError, StackError) as error:
            executor.diagnose(Diagnostic("error", str(error)))
        outputs = self._finish_outputs(monitor, executor, journal, snapshot)
        monitor.run_done.set()
        if program is not None:
            program.wait(0.5 if self._cancelled else 5)
        if not self._preview:
            journal.save()
        return outputs

    def _program(self, processes: Processes, address: str) -> Child | Inline:
        settings = {
            "monitor": address,
            "engine": address,
            "project": self._ws.project,
            "stack": self._ws.stack,
            "parallel": self._options.parallel,
            "dry_run": self._preview,
            "organization": "organization",
            "root_directory": str(self._ws.root),
        }
        main, ended = self._ws.main, self._wake.set
        if self._options.program is None:
            return processes.start("program", json.dumps(settings), str(main), cwd=main, on_exit=ended)
        config = {key: value.text for key, value in self._config.items()}
        return Inline(self._options.program, main, settings, config, self._secret_keys, ended)

    def _planner(
        self, olds: list[State], registry: Registry, journal: Journal, executor: Executor
    ) -> Planner:
        return Planner(
            stack=self._ws.stack,
            project=self._ws.project,
            olds=olds,
            registry=registry,
            journal=journal,
            preview=self._preview,
            targets=self._options.targets,
            diagnose=executor.diagnose,
        )

    def _wait_for(self, program: Child | Inline, monitor: Monitor, executor: Executor) -> None:
        """Until the program has registered everything or has ended, or a step failed, and no step is under way."""
        self._signals.until(self._wake.wait)
        if not monitor.program_done.is_set() and not executor.over.is_set():
            report_exit(program, executor)
            executor.over.set()
        self._signals.until(executor.wait_idle)

    # -- parts of a run

    def _refresh(self, planner: Planner, registry: Registry, executor: Executor, journal: Journal) -> None:
        if not planner.prev:
            return
        actions = {}
        for problem in (missing := planner.missing_targets()):
            executor.diagnose(problem)
        if missing:
            return
        for state in planner.prev:
            if planner.targets.name(state.urn):
                registry.ensure(state.provider, planner.prev)
                actions[state] = Action("refresh", state, state)
        self._together(executor, list(actions.values()))
        kept: list[State] = []
        there: set[str] = set()
        for state in planner.prev:
            action = actions.get(state)
            new = action.new if action else state
            if new is None:
                continue
            kept.append(_without_dangling(new, there))
            there.add(new.urn)
        journal.rebase(kept)
        planner.rebase(kept)

    def _delete(self, planner: Planner, executor: Executor, *, everything: bool = False) -> None:
        for problem in planner.missing_targets():
            executor.diagnose(problem)
        actions = planner.deletions(everything=everything)
        for wave in delete_order(actions, planner.prev):
            needed = planner.needed_by(executor.failed)
            self._together(executor, [a for a in wave if a.state.urn not in needed])

    def _together(self, executor: Executor, actions: list[Action]) -> None:
        if not actions:
            return
        workers = max(1, min(len(actions), self._options.parallel, 64))
        pool = ThreadPoolExecutor(workers, thread_name_prefix="steps")
        try:
            futures = [pool.submit(executor.run, [a]) for a in actions]
            self._signals.until(lambda seconds: not wait(futures, seconds).not_done)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _cancel(
        self, executor: Executor, journal: Journal, plugins: Plugins, program: Child | Inline | None
    ) -> None:
        """Ctrl-C: program and providers are told, no step starts, running ones end; after a second one they are given up."""
        self._cancelled = True
        executor.cancelled = True
        executor.over.set()
        self._warn("cancelling: running operations end first; another Ctrl-C gives them up, done or not")
        if program is not None:
            program.interrupt()
        plugins.cancel()
        try:
            self._signals.until(executor.wait_idle, heeded=1)
        except KeyboardInterrupt:
            executor.abandoned = True
            for op, state in journal.freeze():
                self._warn(f"interrupted while {op} {urn_name(state.urn)}: it may be done or not", state.urn)

    def _finish_outputs(
        self, monitor: Monitor, executor: Executor, journal: Journal, snapshot: Snapshot
    ) -> Props:
        """The stack's outputs: the program's; after a failure the old ones too, since nobody knows that they are gone."""
        old = outputs_of(snapshot.resources)
        if monitor.stack_outputs is None:
            return old if self._kind != "destroy" else outputs_of(journal.resources)
        urn, outputs = monitor.stack_outputs
        if executor.failures or self._cancelled:
            outputs = {**old, **outputs}
        if urn in executor.live:
            executor.set_outputs(urn, outputs)
        return outputs

    def _warn_of_pending(self, snapshot: Snapshot) -> None:
        listed = "\n".join(f"  * {state.urn}, interrupted while {op}" for op, state in snapshot.pending)
        self._warn(
            f"Attempting to deploy or update resources with {len(snapshot.pending)} pending operations from previous "
            f"deployment.\n{listed}\nThese resources are in an unknown state because the run was interrupted while "
            "waiting for changes to these resources to complete. A refresh clears them: ./dev refresh"
        )


class _Serial:
    """A listener that is never called by two threads at once."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._lock = threading.RLock()

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._listener(event)


def _without_dangling(state: State, there: set[str]) -> State:
    """The state without a parent or dependencies that are gone; the CLI drops properties without any, too."""
    dependencies = [u for u in state.dependencies if u in there]
    properties = {k: [u for u in urns if u in there] for k, urns in state.property_dependencies.items()}
    return replace(
        state,
        parent=state.parent if state.parent in there else "",
        dependencies=dependencies,
        property_dependencies={k: v for k, v in properties.items() if v},
    )


def preview(ws: Workspace, options: Options, on_event: Listener) -> Result:
    """What `up` would do; changes nothing."""
    return Deployment(ws, options, on_event, kind="preview", preview=True).run()


def up(ws: Workspace, options: Options, on_event: Listener) -> Result:
    """Bring the stack to what the program declares."""
    return Deployment(ws, options, on_event, kind="update", preview=False).run()


def refresh(ws: Workspace, options: Options, on_event: Listener, preview_only: bool = False) -> Result:
    """Bring the state to what is really there."""
    return Deployment(ws, options, on_event, kind="refresh", preview=preview_only).run()


def destroy(ws: Workspace, options: Options, on_event: Listener, preview_only: bool = False) -> Result:
    """Delete all resources of the stack."""
    return Deployment(ws, options, on_event, kind="destroy", preview=preview_only).run()
