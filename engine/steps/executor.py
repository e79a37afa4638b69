"""Carries steps out: asks the provider, keeps the state, tells the listener.

Source: `pkg/resource/deploy/step.go` and `step_executor.go` of Pulumi 3.260.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic

from backend.checkpoint import State, now
from backend.errors import StackError
from backend.urns import is_default_provider, is_provider
from backend.values import UNKNOWN_WIRE, Props, equal
from engine.errors import StepError
from engine.events import Diagnostic, OutputsSet, Step, StepFailed, StepFinished, StepStarted
from engine.property_changes import of_inputs, resolve
from engine.providers.plugins import InitFailed
from engine.providers.registry import Made, Registry
from engine.runs import Run
from engine.steps.actions import Action, describe, keep_secrets
from engine.steps.hooks import Hooks
from engine.steps.snapshots import Journal, differs

TURNED_AWAY = "Resource monitor has terminated, shutting down"  # says the SDK of a run that is over


class ProtectedError(StepError):
    """A resource is protected from being deleted."""


class Executor:
    """Runs steps, with at most `parallel` calls to providers at a time, and remembers what came of them."""

    def __init__(self, run: Run, registry: Registry, journal: Journal) -> None:
        self.registry = registry
        self.journal = journal
        self.preview = run.preview
        self.steps: list[Step] = []
        self.changes: Counter[str] = Counter()
        self.failures: list[str] = []
        self.logged: list[str] = []
        self.failed: set[str] = set()
        """URNs of which a step failed."""
        self.skipped: set[str] = set()
        """URNs that nothing was done for, since they rest on one that failed or was skipped."""
        self.live: dict[str, Action] = {}
        self.hooks = Hooks(self.diagnose, preview=run.preview)
        self.over = threading.Event()
        """Set when no further step is to start: one failed, or the run was cancelled."""
        self.cancelled = False
        self.abandoned = False
        """Set when running calls are given up: what they still answer is of no interest."""
        self._listener = run.tell
        self._go_on = run.options.continue_on_error
        self._on_over = run.wake.set
        self._slots = threading.BoundedSemaphore(max(run.options.parallel, 1))
        self._lock = threading.Lock()
        self._running = 0
        self._idle = threading.Condition(self._lock)

    # -- telling

    def diagnose(self, diagnostic: Diagnostic, *, logged: bool = False) -> None:
        """Pass a message on. An error is a failure of the run; one that is only `logged` says why a program ends badly."""
        if self.over.is_set() and diagnostic.message == TURNED_AWAY:
            return
        with self._lock:
            if diagnostic.severity == "error":
                (self.logged if logged else self.failures).append(diagnostic.message)
            self._listener(diagnostic)

    def fail(self, step: Step, message: str, *, harmless: bool = False, fatal: bool = False) -> None:
        """Record a step's failure; no further step starts, unless it is `harmless`, or the run goes on after errors
        and it isn't `fatal`.
        """
        with self._lock:
            if self.abandoned:
                return
            self.failed.add(step.urn)
            self.failures.append(message)
            self._listener(StepFailed(step, message))
        if not harmless:
            self.stop(fatal=fatal)

    def stop(self, *, fatal: bool = False) -> None:
        """Something failed: steps under way end, no other starts, except where the run is to go on after errors."""
        if fatal or not self._go_on:
            self.over.set()
            self._on_over()

    def skips(self, state: State) -> bool:
        """Leave a resource out if what it rests on, its provider aside, failed or was left out; whether that is so."""
        if skipped := bool(replace(state, provider="").depends_on() & (self.failed | self.skipped)):
            self.skipped.add(state.urn)
        return skipped

    # -- running

    def run(self, actions: list[Action]) -> bool:
        """Carry out the steps of one resource in order; False when one failed or the run was cancelled."""
        return all(self._run(action) for action in actions)

    def wait_idle(self, timeout: float) -> bool:
        """Whether no step runs any more, after at most `timeout` seconds."""
        with self._idle:
            return self._idle.wait_for(lambda: self._running == 0, timeout)

    def _run(self, action: Action) -> bool:
        shown = not is_default_provider(action.state.urn)
        step = describe(action)
        with self._lock:
            if self.over.is_set() and (self.cancelled or action.op != "refresh"):
                return False
            self._running += 1
            if shown:
                self._listener(StepStarted(step))
        started = monotonic()
        try:
            result_op = self._apply(action)
        except (StepError, StackError) as error:
            # A refresh reads what it can, and a protected resource stands in nobody's way.
            self.fail(
                step,
                str(error).rstrip(),
                harmless=action.op == "refresh" or isinstance(error, ProtectedError),
            )
            return False
        except Exception as error:  # a defect of the engine must not leave the program waiting for ever
            self.fail(step, f"the engine failed at {step.urn}: {type(error).__name__}: {error}")
            return False
        finally:
            with self._idle:
                self._running -= 1
                self._idle.notify_all()
        if action.new is not None and action.logical:
            self.live[action.new.urn] = action
        if shown:
            self._finished(action, step, result_op, monotonic() - started)
        return True

    def _finished(self, action: Action, step: Step, result_op: str, seconds: float) -> None:
        if action.op == "refresh":
            step = describe(action)
            step.op = "refresh" if result_op == "same" else result_op
        with self._lock:
            counted = action.logical and (action.op != "read" or _read_changed(action))
            if counted:
                self.changes[result_op] += 1
            if action.skipped:
                return
            self.steps.append(step)
            self._listener(StepFinished(step, seconds))

    def _apply(self, action: Action) -> str:
        """Do it; returns what it counts as."""
        op = action.op
        if op == "replace" or action.skipped:
            if action.skipped and action.old:  # untargeted: what is left of the targets comes after it
                self.journal.end(add=action.old, remove=action.old, write=False)
            return op
        if op == "refresh":
            return self._refresh(action)
        if op == "same":
            self._same(action)
        elif op in ("create", "create-replacement", "update"):
            self._make(action)
        elif op in ("read", "read-replacement"):
            self._read(action)
        elif op == "remove-pending-replace":
            self.journal.end(remove=action.old)
        else:
            self._delete(action)
        return op

    def _same(self, action: Action) -> None:
        old, new = action.before, action.after
        new.id, new.outputs = old.id, old.outputs
        if is_provider(new.type) and not action.unmanaged:
            configured = new.copy()
            configured.inputs = old.inputs
            self.registry.same(configured)
        keep_secrets(new)
        self.journal.end(add=new, remove=old, write=differs(old, new))

    def _make(self, action: Action) -> None:
        """Create or update; what exists but isn't ready is kept, with the reasons."""
        new = action.after
        old = action.old if action.op == "update" else None
        verb = "update" if old else "create"
        if old:
            new.id = old.id
        if new.custom:
            self.journal.begin("updating" if old else "creating", new)
        failure: InitFailed | None = None
        try:
            self.hooks.run(f"Before{verb.title()}", old, new)
            if new.custom:
                made = self.hooks.retrying(verb, old, new, lambda: self._made(old, new))
                new.id, new.outputs, new.refresh_before_update = made
        except InitFailed as error:
            failure = error
            new.refresh_before_update = error.detail.refresh_before_update
            new.id, new.outputs, new.init_errors = new.id or error.detail.id, error.outputs, error.reasons
        except BaseException:
            self.journal.end(done=new, write=new.custom)
            raise
        if old is None:
            new.created = new.modified = now()
        elif new.custom:
            new.modified = now()
        if new.custom and not failure:
            self._after(f"After{verb.title()}", old, new)
        keep_secrets(new)
        if failure and old:
            new.inputs = dict(old.inputs)  # those that what exists was made with
        self._keep(action)
        if failure:
            raise failure

    def _made(self, old: State | None, new: State) -> Made:
        if is_provider(new.type):
            return self.registry.update(old, new) if old else self.registry.create(new)
        provider = self.registry.find(new.provider)
        with self._slots:
            return provider.update(old, new) if old else provider.create(new)

    def _keep(self, action: Action) -> None:
        """Have the new state in place of the old one, or beside it where that is deleted at the end."""
        old = action.old
        if old is not None and action.pending_delete and not old.pending_replacement:
            old.delete = True
            self.journal.touch(old)
            old = None
        self.journal.end(add=action.after, remove=old, done=action.after)

    def _after(self, moment: str, old: State | None, new: State | None) -> None:
        """Call the hooks after a step. One that fails fails the run; what the step did is kept."""
        try:
            self.hooks.run(moment, old, new)
        except StepError as error:
            state = new or old
            assert state is not None
            self.diagnose(Diagnostic("error", str(error), state.urn))
            self.stop()

    def _read(self, action: Action) -> None:
        old, new = action.old, action.after
        failure: InitFailed | None = None
        if new.id == UNKNOWN_WIRE:
            new.outputs = {}
        else:
            with self._under_way("reading", new):
                provider = self.registry.find(new.provider, new.urn)
                try:
                    with self._slots:
                        id_, _, outputs, _ = provider.read(new, new.inputs)
                except InitFailed as error:
                    failure = error
                    id_, outputs, new.init_errors = error.detail.id, error.outputs, error.reasons
                if outputs is None or (not id_ and not outputs and provider.known):
                    raise StepError(f"resource '{new.id}' does not exist")
            new.outputs, new.id = outputs, id_ or new.id
        if old is not None:
            new.created, new.modified = old.created, old.modified
            if not equal(old.inputs, new.inputs) or not equal(old.outputs, new.outputs):
                new.modified = now()
        keep_secrets(new)
        self._keep(action)
        if failure:
            raise failure

    def _delete(self, action: Action) -> None:
        old = action.before
        replacing = action.op in ("delete-replaced", "discard-replaced")
        self.hooks.run("BeforeDelete", old, None)
        if old.protect and not replacing:
            raise ProtectedError(
                f'resource "{old.urn}" cannot be deleted\nbecause it is protected. To unprotect the resource, either '
                "remove the `protect` flag from the resource in your Pulumi program and run `pulumi up`, or use the "
                f"command:\n`pulumi state unprotect '{old.urn}'`"
            )
        owned = old.custom and not old.external and not old.retain_on_delete
        if not self.preview and owned and not is_provider(old.type):
            with self._under_way("deleting", old):
                self.hooks.retrying("delete", old, None, lambda: self._gone(old))
        before = replacing and not old.delete
        if before:
            old.pending_replacement = True
            self.journal.touch(old)
        self._after("AfterDelete", old, None)
        self.journal.end(remove=None if before else old, done=old)

    @contextmanager
    def _under_way(self, op: str, state: State) -> Iterator[None]:
        """Keep an operation on record while it lasts, and forget it when it fails."""
        self.journal.begin(op, state)
        try:
            yield
        except BaseException:
            self.journal.end(done=state)
            raise

    def _gone(self, old: State) -> None:
        provider = self.registry.find(old.provider)
        with self._slots:
            provider.delete(old)

    def _refresh(self, action: Action) -> str:
        old = action.before
        if not old.custom or is_provider(old.type) or old.pending_replacement:
            action.new = old
            return "same"
        provider = self.registry.find(old.provider)
        try:
            with self._slots:
                id_, inputs, outputs, again = provider.read(old, old.outputs)
            reasons: list[str] = []
        except InitFailed as error:
            id_, inputs, outputs, reasons = error.detail.id, error.inputs, error.outputs, error.reasons
            again = error.detail.refresh_before_update
            unhealthy = "\n".join(
                ["Refreshed resource is in an unhealthy state:", *(f"* {r}" for r in reasons)]
            )
            self.diagnose(Diagnostic("warning", unhealthy, old.urn))
        if not id_ or outputs is None:
            action.new = None
            return "delete"
        new = old.copy()
        new.id, new.outputs, new.init_errors, new.refresh_before_update = id_, outputs, reasons, again
        new.inputs = old.inputs if inputs is None else inputs
        action.new = new  # stays if the comparison fails
        if not equal(new.inputs, old.inputs) or not equal(new.outputs, old.outputs):
            new.modified = now()
        try:
            if old.external:
                return "same" if not of_inputs(old.outputs, new.outputs).changes else "update"
            # What an immediate `up` would change is what drifted, seen from the other side.
            diff = provider.diff(new.urn, new, old.inputs, old.ignore_changes, unknowns=self.preview)
        finally:
            keep_secrets(new)  # the provider isn't told of those that only the program wants
        diff = resolve(diff, new.inputs, old.inputs, old.ignore_changes)
        action.diff = diff.inverted()
        return "update" if diff.changes else "same"

    # -- outputs of components and the stack

    def set_outputs(self, urn: str, outputs: Props) -> None:
        """Take over a component's outputs (RegisterResourceOutputs).

        Raises:
            StepError: it wasn't registered before.
        """
        action = self.live.get(urn)
        if action is None or action.new is None:
            raise StepError(f"cannot complete a resource '{urn}' whose registration isn't pending")
        if action.skipped:
            return
        unchanged = equal(action.new.outputs, outputs)
        action.new.outputs = outputs
        if action.op in ("create", "create-replacement"):
            self._after("AfterCreate", None, action.new)
        elif action.op == "update":
            self._after("AfterUpdate", action.old, action.new)
        self.journal.touch(action.new)
        self._listener(OutputsSet(describe(action)))
        if not unchanged:
            self.journal.save()


def _read_changed(action: Action) -> bool:
    old, new = action.old, action.new
    return old is not None and new is not None and not equal(old.outputs, new.outputs)
