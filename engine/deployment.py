"""One run: a preview, an update, a refresh or a destroy.

Source: `pkg/resource/deploy/deployment_executor.go` of Pulumi 3.260.
"""

from __future__ import annotations

import contextlib
import json
import os
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial
from time import monotonic, time

from backend.checkpoint import State
from backend.errors import StackError
from backend.files import history_record
from backend.stacks import outputs_of
from backend.urns import package_of, urn_name
from backend.values import Props, masked
from backend.workspace import Workspace
from engine.children.processes import Child, Processes
from engine.errors import StepError
from engine.events import Diagnostic, Listener, Result
from engine.planning.planner import Planner
from engine.planning.requests import refuse_states
from engine.program_run import Inline, report_exit
from engine.providers.plugins import DYNAMIC, Plugins
from engine.providers.registry import Registry
from engine.runs import Options, Run
from engine.serving.monitor import Monitor
from engine.serving.services import Server
from engine.steps.actions import Action, delete_order
from engine.steps.executor import Executor
from engine.steps.hooks import unanswered
from engine.steps.snapshots import Journal


class Deployment:
    """The parts of a run, and its phases; failures of resources are the executor's."""

    def __init__(self, run: Run) -> None:
        options = run.options
        env = {
            **os.environ,
            **options.env,
            "PULUMI_PROJECT": run.ws.project,
            "PULUMI_CONFIG": json.dumps(run.texts),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(run.secret_keys),
        }
        self.run = run
        self.snapshot = run.ws.snapshot()
        refuse_states(self.snapshot.resources)
        if self.snapshot.sealed and self.snapshot.salt:
            run.ws.crypter_for(self.snapshot.salt).prepare()
        if options.clear_pending_creates:
            self.snapshot.pending = [(op, s) for op, s in self.snapshot.pending if op != "creating"]
        self.journal = Journal(run.ws, self.snapshot, preview=run.preview)
        self.processes = Processes(env, options.forks, self._printed)
        self.plugins = Plugins(run.ws.root, env.get("PULUMI_DEBUG_PROVIDERS", ""), self.processes)
        self.registry = Registry(self.plugins, run.preview)
        self.executor = Executor(run, self.registry, self.journal)
        self.planner = Planner(run, self.snapshot.resources, self.executor)
        self.monitor = Monitor(run, self.planner, self.executor)
        self.server = Server(self.monitor, partial(self.executor.diagnose, logged=True), options.parallel)

    def _printed(self, line: str) -> None:
        self.run.tell(Diagnostic("info", line))

    def deploy(self) -> Props:
        """Do it, until the last process has ended; the stack's outputs."""
        try:
            self.plugins.engine = self.server.start()
            return self._phases()
        finally:
            self.executor.hooks.close()
            self.plugins.close()
            self.processes.close()
            self.server.close()

    def _phases(self) -> Props:
        kind, preview = self.run.kind, self.run.preview
        if any(package_of(s.type) == DYNAMIC for s in self.snapshot.resources):
            self.plugins.prefetch()
        everything = self.run.options.refresh or kind == "refresh"
        refreshing = {s for s in self.snapshot.resources if everything or s.refresh_before_update}
        if self.snapshot.pending and not preview and not everything and not refreshing:
            self._warn_of_pending()
        program: Child | Inline | None = None
        try:
            if kind in ("refresh", "destroy"):
                for target in self.planner.targets.missing({s.urn for s in self.planner.prev}):
                    raise StepError(f"no resource named '{target}' found")
            if refreshing:
                self._refresh(refreshing)
                if kind != "refresh":
                    self.executor.changes.clear()  # what an update makes of them counts
            if self.run.with_program and not self.executor.failures:
                program = self._program()
                self._wait_for(program)
                # In an empty stack a destroy leaves what its program has made there, as the CLI's does.
                deleting = kind != "destroy" or bool(self.planner.prev)
                if kind == "destroy":
                    self.planner.rebase(self.journal.resources)
                if deleting and not self.executor.over.is_set():
                    self._delete()
            elif kind == "destroy" and not self.executor.failures:
                for problem in unanswered(self.snapshot.resources):
                    self.executor.diagnose(problem)
                if not self.executor.failures:
                    self._delete()
        except KeyboardInterrupt:
            self._cancel(program)
        except (StepError, StackError) as error:
            self.executor.diagnose(Diagnostic("error", str(error)))
        outputs = self._finish_outputs()
        self.monitor.run_done.set()
        if program is not None:
            program.wait(0.5 if self.executor.cancelled else 5)
        if not preview:
            self.journal.save()
        return outputs

    def _program(self) -> Child | Inline:
        run, ws, address = self.run, self.run.ws, self.plugins.engine
        settings = {
            "monitor": address,
            "engine": address,
            "project": ws.project,
            "stack": ws.stack,
            "parallel": run.options.parallel,
            "dry_run": run.preview,
            "organization": "organization",
            "root_directory": str(ws.root),
        }
        if run.options.program is not None:
            return Inline(run.options.program, run, settings)
        arguments = json.dumps(settings), str(ws.main)
        return self.processes.start("program", *arguments, cwd=ws.main, on_exit=run.wake.set)

    def _wait_for(self, program: Child | Inline) -> None:
        """Until the program has registered everything or has ended, or a step failed, and no step is under way."""
        self.run.signals.until(self.run.wake.wait)
        if not self.monitor.program_done.is_set() and not self.executor.over.is_set():
            report_exit(program, self.executor)
            self.executor.over.set()
        self.run.signals.until(self.executor.wait_idle)

    # -- parts of a run

    def _refresh(self, wanted: set[State]) -> None:
        """Read the `wanted` ones, of which targets may leave some out."""
        actions = {}
        if self.planner.tell_missing_targets():
            return
        for state in self.planner.prev:
            if state in wanted and self.planner.targets.name(state.urn):
                self.registry.ensure(state.provider)
                actions[state] = Action("refresh", state, state)
        self._together(list(actions.values()))
        kept: list[State] = []
        there: set[str] = set()
        for state in self.planner.prev:
            action = actions.get(state)
            new = action.new if action else state
            if new is None:
                continue
            kept.append(_without_dangling(new, there))
            there.add(new.urn)
        self.journal.rebase(kept)
        self.planner.rebase(kept)

    def _delete(self) -> None:
        self.planner.tell_missing_targets()
        actions = self.planner.deletions()
        self.executor.run([a for a in actions if a.skipped])  # not targeted: the CLI, too, has them first
        for wave in delete_order([a for a in actions if not a.skipped], self.planner.prev):
            self._together(self.planner.deletable(wave, self.executor.failed, self.executor.skipped))

    def _together(self, actions: list[Action]) -> None:
        if not actions:
            return
        workers = max(1, min(len(actions), self.run.options.parallel, 64))
        pool = ThreadPoolExecutor(workers, thread_name_prefix="steps")
        try:
            futures = [pool.submit(self.executor.run, [a]) for a in actions]
            self.run.signals.until(lambda seconds: not wait(futures, seconds).not_done)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _cancel(self, program: Child | Inline | None) -> None:
        """Ctrl-C: program and providers are told, no step starts, running ones end; after a second one they are given up."""
        self.executor.cancelled = True
        self.executor.over.set()
        self.run.warn("cancelling: running operations end first; another Ctrl-C gives them up, done or not")
        if program is not None:
            program.interrupt()
        self.plugins.cancel()
        try:
            self.run.signals.until(self.executor.wait_idle, heeded=1)
        except KeyboardInterrupt:
            self.executor.abandoned = True
            for op, state in self.journal.freeze():
                self.run.warn(
                    f"interrupted while {op} {urn_name(state.urn)}: it may be done or not", state.urn
                )

    def _finish_outputs(self) -> Props:
        """The stack's outputs: the program's; after a failure the old ones too, since nobody knows that they are gone."""
        old = outputs_of(self.snapshot.resources)
        if self.monitor.stack_outputs is None:
            return old if self.run.kind != "destroy" else outputs_of(self.journal.resources)
        urn, outputs = self.monitor.stack_outputs
        if self.executor.failures or self.executor.cancelled:
            outputs = {**old, **outputs}
        if urn in self.executor.live:
            self.executor.set_outputs(urn, outputs)
        return outputs

    def _warn_of_pending(self) -> None:
        listed = "\n".join(f"  * {state.urn}, interrupted while {op}" for op, state in self.snapshot.pending)
        self.run.warn(
            f"Attempting to deploy or update resources with {len(self.snapshot.pending)} pending operations from previous "
            f"deployment.\n{listed}\nThese resources are in an unknown state because the run was interrupted while "
            "waiting for changes to these resources to complete. `refresh` reads how they are, and with "
            "--clear-pending-creates forgets what was being created."
        )


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


def _run(ws: Workspace, options: Options, on_event: Listener, *, kind: str, preview: bool) -> Result:
    """Run, from the lock to the last closed process; failures of resources are in the result.

    Raises:
        StackError: it can't even begin.
    """
    started, began = time(), monotonic()
    run = Run(ws, options, on_event, kind=kind, preview=preview)
    with run.signals.heard(), contextlib.nullcontext() if preview else ws.backend.locked(run.warn):
        deployment = Deployment(run)
        old_outputs = masked(outputs_of(deployment.snapshot.resources))
        outputs = deployment.deploy()
        executor = deployment.executor
        failures, changes = executor.failures, dict(executor.changes)
        if executor.cancelled:
            failures = [
                "cancelled; what had finished is kept, and the next run goes on from there",
                *failures,
            ]
        if options.expect_no_changes and not failures and any(changes[op] for op in changes if op != "same"):
            failures = [f"no changes were expected for {kind} but changes were proposed"]
        if not preview:
            config = {k: v.stored if v.secret else v.text for k, v in run.config.items()}
            record = history_record(kind, started, config, not failures, changes)
            ws.backend.add_history(record)
    return Result(
        ok=not failures,
        steps=executor.steps,
        outputs=masked(outputs),
        changes=changes,
        duration=monotonic() - began,
        failures=failures,
        old_outputs=old_outputs,
        preview=preview,
    )


def preview(ws: Workspace, options: Options, on_event: Listener) -> Result:
    """What `up` would do; changes nothing."""
    return _run(ws, options, on_event, kind="preview", preview=True)


def up(ws: Workspace, options: Options, on_event: Listener) -> Result:
    """Bring the stack to what the program declares."""
    return _run(ws, options, on_event, kind="update", preview=False)


def refresh(ws: Workspace, options: Options, on_event: Listener, preview_only: bool = False) -> Result:
    """Bring the state to what is really there."""
    return _run(ws, options, on_event, kind="refresh", preview=preview_only)


def destroy(ws: Workspace, options: Options, on_event: Listener, preview_only: bool = False) -> Result:
    """Delete all resources of the stack."""
    return _run(ws, options, on_event, kind="destroy", preview=preview_only)
