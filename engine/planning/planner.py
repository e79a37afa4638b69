"""Decides what happens to a resource that the program registers: same, create, update or replace.

Source: `pkg/resource/deploy/step_generator.go` of Pulumi 3.260. One registration is planned at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backend.checkpoint import State
from backend.urns import is_provider, split_reference
from backend.values import UNKNOWN, Props, equal
from engine.errors import StepError
from engine.events import Diagnostic
from engine.planning.names import Names
from engine.planning.targets import Targets
from engine.property_changes import Diff, ignore_changes, resolve, with_replace_on_changes
from engine.providers.registry import Failures, Unconfigurable
from engine.runs import Run
from engine.steps.actions import Action, Goal, because, check_failure, dependents
from engine.steps.executor import Executor


class Planner:
    """Holds what the run has decided so far."""

    def __init__(self, run: Run, olds: list[State], executor: Executor) -> None:
        self.names = Names(run.ws.stack, run.ws.project)
        self.registry = executor.registry
        self.rebase(olds)
        self.preview = run.preview
        self.destroying = run.kind == "destroy"
        self.targets = Targets(run.options.targets)
        self.diagnose = executor.diagnose
        self.operated: set[str] = set()
        self.deletes: set[str] = set()
        self.pending_deletes: set[State] = set()
        self.dependent_keys: dict[str, list[str]] = {}
        self.provider_states: dict[str, State] = {}
        self.skipped_creates: set[str] = set()

    def rebase(self, olds: list[State]) -> None:
        """Plan from refreshed states."""
        self.prev = olds
        self.olds = {s.urn: s for s in olds if not s.delete}
        self.registry.know(olds)

    # -- targets

    def tell_missing_targets(self) -> bool:
        """Whether targets are missing, each of which is an error."""
        hint = " Did you forget to escape $ in your shell?"
        for target in (missing := self.targets.missing({*(s.urn for s in self.prev), *self.names.urns})):
            problem = f"Target '{target}' could not be found in the stack.{'' if '$' in target else hint}"
            self.diagnose(Diagnostic("error", problem))
        return bool(missing)

    def _refuse(self, urn: str, message: str) -> None:
        """A step that targets or protection don't allow: a preview goes on, to tell of them all."""
        if not self.preview:
            raise StepError(message)
        self.diagnose(Diagnostic("error", message, urn))

    # -- registrations

    def register(self, goal: Goal) -> list[Action]:
        """The steps for a registered resource.

        Raises:
            StepError: the provider finds it invalid, or it can't be done.
        """
        actions = self._steps(goal)
        if not actions[0].skipped:
            self._want_targeted(goal.state)
        return actions

    def _want_targeted(self, state: State) -> None:
        for urn in sorted(state.depends_on() & self.skipped_creates):
            self._refuse(
                state.urn,
                f"Resource '{state.urn}' depends on '{urn}' which was was not specified in --target list.",
            )
            self.skipped_creates.discard(urn)

    def _steps(self, goal: Goal) -> list[Action]:
        new = goal.state
        new.urn = self.names.register(new.parent, new.type, new.urn)
        old, problems = self.names.find_old(new, goal.aliases, self.olds)
        if old is not None:
            new.created, new.modified = old.created, old.modified
            new.refresh_before_update = old.refresh_before_update
        if is_provider(new.type):
            self.provider_states[new.urn] = new
        if old is not None and old.external:
            new.created = new.modified = ""
        if self.destroying and (actions := self._for_destroy(old, new)):
            return actions
        if new.custom and not is_provider(new.type):
            self.registry.find(new.provider, f"'{new.urn}'")
        recreating = new.urn in self.deletes
        raw = given = new.inputs
        targeted = self.targets.include(new.urn)
        if old is not None:
            given = ignore_changes(raw, old.inputs, new.ignore_changes)
        fresh = old is None or recreating or old.external
        if targeted or problems:
            self._check(new, {} if fresh or old is None else old.inputs, raw if fresh else given, problems)
        elif old is not None and new.custom:
            new.inputs = old.inputs
        self.operated.add(new.urn)
        if recreating:
            self.deletes.discard(new.urn)
            keys = self.dependent_keys.get(new.urn, [])
            return [
                Action("replace", old, new, keys=keys, cause=because(keys)),
                Action("create-replacement", old, new, keys=keys, cause=because(keys), logical=False),
            ]
        if old is None and not targeted:
            self.skipped_creates.add(new.urn)
            return [Action("same", None, new, skipped=True)]
        if old is None:
            return [Action("create", None, new)]
        if old.external:
            return [
                Action("create-replacement", old, new, pending_delete=True, logical=False),
                Action("replace", old, new, pending_delete=True),
            ]
        return self._compare(goal, old, new, raw) if targeted else self._untargeted(old, new)

    def _for_destroy(self, old: State | None, new: State) -> list[Action]:
        """A destroy makes nothing but components and providers, and those only if what they rest on is there."""
        owned = new.custom and not is_provider(new.type)
        if new.depends_on() & self.skipped_creates or (owned and old is None):
            self.skipped_creates.add(new.urn)
            new.outputs = old.outputs if old else {}
            return [Action("same", None, new, skipped=True)]
        if not owned or old is None:
            return []
        new.inputs = old.inputs
        self.operated.add(new.urn)
        return [Action("same", old, new)]

    def read(self, new: State) -> list[Action]:
        """The steps for an external resource (`get`)."""
        new.urn = self.names.register(new.parent, new.type, new.urn)
        old, _ = self.names.find_old(new, [], self.olds)
        self._want_targeted(new)
        self.operated.add(new.urn)
        if old is not None and not old.external and old.id != new.id:
            return [
                Action("read-replacement", old, new, pending_delete=True, logical=False),
                Action("replace", old, new, pending_delete=True),
            ]
        return [Action("read", old, new)]

    def _check(self, new: State, old_inputs: Props, inputs: Props, problems: Sequence[str] = ()) -> None:
        failures: Failures = []
        if not new.custom:
            pass
        elif is_provider(new.type):
            new.inputs, failures = self.registry.check(new.urn, old_inputs, inputs)
        else:
            provider = self.registry.find(new.provider)
            new.inputs, failures = provider.check(new.urn, old_inputs, inputs)
        if failures or problems:
            found = (check_failure(new, f.property, f.reason) for f in failures)
            raise StepError("\n".join([*problems, *found]))

    def _compare(self, goal: Goal, old: State, new: State, raw: Props) -> list[Action]:
        diff = self.diff(old, new)
        diff = with_replace_on_changes(diff, new.replace_on_changes, bool(old.init_errors))
        if not diff.changes and not old.pending_replacement and not old.init_errors:
            return [Action("same", old, new)]
        cause = because(diff.replace_keys or diff.changed_keys)
        if not (diff.replaces or old.pending_replacement):
            return [Action("update", old, new, diff, cause=cause)]
        if new.protect and old.protect:
            self._refuse(
                new.urn,
                f'unable to replace resource "{new.urn}"\nas it is currently marked for protection. '
                "To unprotect the resource, remove the `protect` flag from the resource in your Pulumi program "
                "and run `pulumi up`",
            )
        self._check(new, {}, raw)  # defaults must not be carried over from the old resource
        before = (
            diff.delete_before_replace if goal.delete_before_replace is None else goal.delete_before_replace
        )
        keys = diff.replace_keys
        replace = Action("replace", old, new, diff, keys, cause)
        create = Action("create-replacement", old, new, diff, keys, cause, logical=False)
        if not before:
            replace.pending_delete = create.pending_delete = True
            return [create, replace]
        return [*self._delete_before(old, new), replace, create]

    def diff(self, old: State, new: State, *, inputs: Props | None = None) -> Diff:
        """What the provider (or a comparison of inputs) says of old and new."""
        news = new.inputs if inputs is None else inputs
        if inputs is None and self._provider_changed(old, new):
            return Diff(True, replace_keys=["provider"])
        if not new.custom:  # its state takes even what is ignored
            return Diff(not equal(old.inputs, ignore_changes(news, old.inputs, new.ignore_changes)))
        if is_provider(new.type):
            return self.registry.diff(new.urn, old, news)
        provider = self.registry.find(new.provider)
        unknowns = self.preview or inputs is not None
        try:
            diff = provider.diff(new.urn, old, news, new.ignore_changes, unknowns=unknowns)
        except Unconfigurable as error:
            self.diagnose(Diagnostic("warning", str(error), new.urn))
            return Diff(True)
        return resolve(diff, old.inputs, news, new.ignore_changes)

    def _provider_changed(self, old: State, new: State) -> bool:
        if old.provider == new.provider:
            return False
        if not old.provider or not new.provider:
            return True
        old_urn, new_urn = split_reference(old.provider)[0], split_reference(new.provider)[0]
        if self.names.aliased.get(old_urn) == new_urn:
            return False
        before, after = self.olds.get(old_urn), self.provider_states.get(new_urn)
        if before is None or after is None:
            return True
        return self.registry.diff(new_urn, before, after.inputs).replaces

    # -- delete before replace

    def _delete_before(self, old: State, new: State) -> list[Action]:
        actions = []
        for dependent, keys in reversed(self._dependent_replacements(old)):
            if dependent in self.pending_deletes:
                continue
            if dependent.protect:
                raise StepError(
                    f'unable to replace resource "{dependent.urn}" as part of replacing "{new.urn}" as it is '
                    "currently marked for protection. To unprotect the resource, remove the `protect` flag from "
                    "the resource in your Pulumi program and run `pulumi up`, or use the command:\n"
                    f"`pulumi state unprotect '{dependent.urn}'`"
                )
            self.dependent_keys[dependent.urn] = keys
            self.deletes.add(dependent.urn)
            self.pending_deletes.add(dependent)
            actions.append(Action("delete-replaced", dependent, None, cause=because(keys), logical=False))
        self.registry.ensure(old.provider)
        if not old.pending_replacement:
            actions.append(Action("delete-replaced", old, None, logical=False))
        return actions

    def _dependent_replacements(self, root: State) -> list[tuple[State, list[str]]]:
        """Which dependents are replaced when `root` is: those whose provider says so of unknown inputs."""
        found: list[tuple[State, list[str]]] = []
        replaced = {root.urn}
        for state in dependents(self.prev, root, ignore=self.operated | self.deletes):
            if not state.custom or state.external:
                continue
            if state.provider and split_reference(state.provider)[0] in replaced:
                self.registry.ensure(state.provider)
                found.append((state, []))
                replaced.add(state.urn)
                continue
            inputs = {
                key: UNKNOWN if replaced.intersection(state.property_dependencies.get(key, ())) else value
                for key, value in state.inputs.items()
            }
            if all(inputs[k] is state.inputs[k] for k in inputs):
                continue
            if is_provider(state.type):
                self.registry.same(state)
            else:
                self.registry.ensure(state.provider)
            diff = self.diff(state, state, inputs=inputs)
            diff = with_replace_on_changes(diff, state.replace_on_changes, False)
            if diff.replaces:
                found.append((state, diff.replace_keys))
                replaced.add(state.urn)
        return found

    # -- targets

    def _untargeted(self, old: State, new: State) -> list[Action]:
        urn, id_ = split_reference(old.provider)
        if urn and not self.registry.has(f"{self.names.aliased.get(urn, urn)}::{id_}"):
            raise StepError(
                f"provider {old.provider} for resource {new.urn} has not been registered yet, this is due to a change "
                "of providers mixed with --target. Change your program back to the original providers"
            )
        actions = [*self._kept(old)]
        vars(new).update(vars(old.copy()))  # under its old name, even where it has a new one
        return [*actions[:-1], Action("same", old, new, unmanaged=True)]

    def _kept(self, old: State) -> Iterator[Action]:
        """What isn't targeted stays, and before it what it rests on, though the program may no longer have it."""
        self.names.urns.add(old.urn)
        self.operated.add(old.urn)
        for urn in sorted(old.depends_on()):
            if self._is_operated(urn):
                continue
            if (below := self.olds.get(urn)) is None:
                raise StepError(f"{urn}, which untargeted resource {old.urn} rests on, has no old state")
            yield from self._kept(below)
        yield Action("same", old, old.copy(), unmanaged=True)

    # -- what is left to delete

    def deletions(self) -> list[Action]:
        """Steps for old resources that the program no longer has, or that replacements left behind; or aren't targeted.

        Nothing is deleted where something that isn't targeted rests on one that is; a preview goes on.
        """
        actions: list[Action] = []
        doomed: set[str] = set()  # the targets and what rests on them
        for state in self.prev:
            if self.targets:
                if not (self.targets.name(state.urn) or state.depends_on() & doomed):
                    if not state.delete and not self._is_operated(state.urn):
                        actions.append(Action("same", state, None, skipped=True))
                    continue
                doomed.add(state.urn)
            if state.delete:
                if state in self.pending_deletes:
                    continue
                op = "discard-replaced" if state.external else "delete-replaced"
                actions.append(Action(op, state, None, logical=False))
            elif self.destroying or not self._is_operated(state.urn):
                if state.pending_replacement:
                    actions.append(Action("remove-pending-replace", state, None, logical=False))
                else:
                    actions.append(Action("discard" if state.external else "delete", state, None))
            else:
                continue
            self.deletes.add(state.urn)
            self.registry.ensure(state.provider)
        unnamed = [a.state.urn for a in actions if not (a.skipped or self.targets.name(a.state.urn))]
        for urn in unnamed:
            problem = "will be destroyed but was not specified in --target list.\nremedy: target it as well"
            self.diagnose(Diagnostic("error", f"Resource '{urn}' {problem}", urn))
        return [] if unnamed and not self.preview else actions

    def deletable(self, deletions: list[Action], failed: set[str], skipped: set[str]) -> list[Action]:
        """Those on which nothing rests that failed or was skipped, directly or not.

        A skipped resource may rest on what has taken the place of another, but it still has its old provider.
        """
        by_failed, by_skipped = self._needed_by(failed), self._needed_by(skipped)

        def is_needed(state: State) -> bool:
            replaced = state.delete and not is_provider(state.type)
            return state.urn in by_failed or (state.urn in by_skipped and not replaced)

        return [action for action in deletions if not is_needed(action.state)]

    def _needed_by(self, urns: set[str]) -> set[str]:
        """What old resources rest on, directly or not."""
        found: set[str] = set()
        for state in reversed(self.prev):
            if state.urn in urns or state.urn in found:
                found |= state.depends_on()
        return found

    def _is_operated(self, urn: str) -> bool:
        return urn in self.operated or urn in self.names.aliased
