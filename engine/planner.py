"""Decides what happens to a resource that the program registers: same, create, update or replace.

Source: `pkg/resource/deploy/step_generator.go` of Pulumi 3.260. One registration is planned at a time.
"""

from __future__ import annotations

from collections.abc import Iterator

from backend.checkpoint import State
from backend.urns import inherited_alias, is_provider, make_urn, split_reference, urn_name, urn_type
from backend.values import UNKNOWN, Props, equal
from engine import diffs
from engine.actions import Action, Goal, because, check_failure, dependents, resolve
from engine.diffs import Diff
from engine.errors import StepError
from engine.events import Diagnostic
from engine.providers import Unconfigurable
from engine.runs import Run
from engine.steps import Executor
from engine.targets import Targets


class Planner:
    """Holds what the run has decided so far."""

    def __init__(self, run: Run, olds: list[State], executor: Executor) -> None:
        self.stack = run.ws.stack
        self.project = run.ws.project
        self.rebase(olds)
        self.registry = executor.registry
        self.journal = executor.journal
        self.preview = run.preview
        self.targets = Targets(run.options.targets)
        self.diagnose = executor.diagnose
        self.urns: set[str] = set()
        self.operated: set[str] = set()
        self.deletes: set[str] = set()
        self.pending_deletes: set[State] = set()
        self.dependent_keys: dict[str, list[str]] = {}
        self.aliased: dict[str, str] = {}
        self.alias_of: dict[str, str] = {}
        self.provider_states: dict[str, State] = {}
        self.skipped_creates: set[str] = set()

    def rebase(self, olds: list[State]) -> None:
        """Plan from refreshed states."""
        self.prev = olds
        self.olds = {s.urn: s for s in olds if not s.delete}

    # -- names

    def urn(self, parent: str, type_: str, name: str) -> str:
        """The URN of a resource about to be registered.

        Raises:
            StepError: its parent isn't known, or the URN is taken.
        """
        if parent and parent not in self.urns:
            raise StepError(f"could not find parent resource {parent}")
        urn = make_urn(self.stack, self.project, parent, type_, name)
        if urn in self.urns:
            raise StepError(f"Duplicate resource URN '{urn}'; try giving it a unique name")
        self.urns.add(urn)
        return urn

    def find_old(self, urn: str, parent: str, type_: str, aliases: list[str]) -> State | None:
        """The resource's old state under its URN or an alias of it or of its parent."""
        if urn in self.aliased:
            raise StepError(
                f"Duplicate resource URN '{urn}' conflicting with alias on resource '{self.aliased[urn]}'"
            )
        names = list(aliases)
        if parent in self.alias_of:
            parent_alias = self.alias_of[parent]
            for each in [urn, *aliases]:
                names.append(
                    inherited_alias(
                        self.stack,
                        self.project,
                        urn_name(parent),
                        parent_alias,
                        urn_type(each),
                        urn_name(each),
                    )
                )
        for name in [urn, *names]:
            if (old := self.olds.get(name)) is None:
                continue
            if name != urn:
                if name in self.urns or name in self.aliased:
                    taken = self.aliased.get(name, name)
                    raise StepError(
                        f"Duplicate resource alias '{name}' applied to resource '{urn}', taken by '{taken}'"
                    )
                self.aliased[name] = urn
                self.alias_of[urn] = name
                if self.targets.include(urn):
                    self.journal.rename(name, urn)
            return old
        return None

    def missing_targets(self) -> list[Diagnostic]:
        """An error for each target that is neither in the state nor registered by the program."""
        hint = " Did you forget to escape $ in your shell?"
        return [
            Diagnostic("error", f"Target '{t}' could not be found in the stack.{'' if '$' in t else hint}")
            for t in self.targets.missing({*(s.urn for s in self.prev), *self.urns})
        ]

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
        new.urn = self.urn(new.parent, new.type, new.urn)
        old = self.find_old(new.urn, new.parent, new.type, goal.aliases)
        if old is not None:
            new.created, new.modified = old.created, old.modified
        if is_provider(new.type):
            self.provider_states[new.urn] = new
        if old is not None and old.external:
            new.created = new.modified = ""
        recreating = new.urn in self.deletes
        raw = new.inputs
        if not self.targets.include(new.urn):
            return self._untargeted(old, new)
        if old is not None:
            new.inputs = diffs.ignore_changes(new.inputs, old.inputs, new.ignore_changes)
        fresh = old is None or recreating or old.external
        self._check(new, {} if fresh or old is None else old.inputs, raw if fresh else new.inputs)
        self.operated.add(new.urn)
        if recreating:
            self.deletes.discard(new.urn)
            keys = self.dependent_keys.get(new.urn, [])
            return [
                Action("replace", old, new, keys=keys, cause=because(keys)),
                Action("create-replacement", old, new, keys=keys, cause=because(keys), logical=False),
            ]
        if old is None:
            return [Action("create", None, new)]
        if old.external:
            return [
                Action("create-replacement", old, new, pending_delete=True, logical=False),
                Action("replace", old, new, pending_delete=True),
            ]
        return self._compare(goal, old, new, raw)

    def read(self, new: State) -> list[Action]:
        """The steps for an external resource (`get`)."""
        new.urn = self.urn(new.parent, new.type, new.urn)
        old = self.find_old(new.urn, new.parent, new.type, [])
        self._want_targeted(new)
        self.operated.add(new.urn)
        if old is not None and not old.external and old.id != new.id:
            return [
                Action("read-replacement", old, new, pending_delete=True, logical=False),
                Action("replace", old, new, pending_delete=True),
            ]
        return [Action("read", old, new)]

    def _check(self, new: State, old_inputs: Props, inputs: Props) -> None:
        if not new.custom:
            return
        if is_provider(new.type):
            new.inputs, failures = self.registry.check(new.urn, old_inputs, inputs)
        else:
            provider = self.registry.find(new.provider)
            new.inputs, failures = provider.check(new.urn, old_inputs, inputs)
        if failures:
            raise StepError("\n".join(check_failure(new, f.property, f.reason) for f in failures))

    def _compare(self, goal: Goal, old: State, new: State, raw: Props) -> list[Action]:
        diff = self.diff(old, new)
        diff = diffs.with_replace_on_changes(diff, new.replace_on_changes, bool(old.init_errors))
        if not diff.changes and not old.pending_replacement and not old.init_errors:
            return [Action("same", old, new)]
        cause = because(diff.replace_keys or diff.changed_keys)
        if not (diff.replaces or old.pending_replacement):
            return [Action("update", old, new, diff, cause=cause)]
        protected = new.protect and old.protect
        if self.preview or not protected:
            self._check(new, {}, raw)  # defaults must not be carried over from the old resource
        if protected:
            self._refuse(
                new.urn,
                f'unable to replace resource "{new.urn}"\nas it is currently marked for protection. '
                "To unprotect the resource, remove the `protect` flag from the resource in your Pulumi program "
                "and run `pulumi up`",
            )
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
        if not new.custom:
            return Diff(not equal(old.inputs, news))
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
        if self.aliased.get(old_urn) == new_urn:
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
                    "the resource in your Pulumi program and run `pulumi up`"
                )
            self.dependent_keys[dependent.urn] = keys
            self.deletes.add(dependent.urn)
            self.pending_deletes.add(dependent)
            actions.append(Action("delete-replaced", dependent, None, cause=because(keys), logical=False))
        self.registry.ensure(old.provider, self.prev)
        if not old.pending_replacement:
            actions.append(Action("delete-replaced", old, None, logical=False))
        return actions

    def _dependent_replacements(self, root: State) -> list[tuple[State, list[str]]]:
        """Which dependents are replaced when `root` is: those whose provider says so of unknown inputs."""
        found: list[tuple[State, list[str]]] = []
        replaced = {root.urn}
        for state in dependents(self.prev, root, ignore=self.operated):
            if not state.custom or state.external:
                continue
            if state.provider and split_reference(state.provider)[0] in replaced:
                self.registry.ensure(state.provider, self.prev)
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
                self.registry.ensure(state.provider, self.prev)
            diff = self.diff(state, state, inputs=inputs)
            diff = diffs.with_replace_on_changes(diff, state.replace_on_changes, False)
            if diff.replaces:
                found.append((state, diff.replace_keys))
                replaced.add(state.urn)
        return found

    # -- targets

    def _untargeted(self, old: State | None, new: State) -> list[Action]:
        if old is None:
            self.skipped_creates.add(new.urn)
            return [Action("same", None, new, skipped=True)]
        actions = list(self._kept(old, new.urn))
        vars(new).update(vars(old))  # with its old name and parent, too
        self.urns.add(new.urn)
        self.operated.add(new.urn)
        return [*actions, Action("same", old, new, unmanaged=True)]

    def _kept(self, state: State, urn: str) -> Iterator[Action]:
        """What an untargeted resource rests on and the program no longer has stays, and before it."""
        provider, id_ = split_reference(state.provider) if state.provider else ("", "")
        if provider and not self.registry.has(f"{self.aliased.get(provider, provider)}::{id_}"):
            raise StepError(
                f"provider {state.provider} for resource {urn} has not been registered yet, this is due to a change "
                "of providers mixed with --target. Change your program back to the original providers"
            )
        for each in sorted(state.depends_on()):
            if each in self.urns or self._is_operated(each):
                continue
            if (old := self.olds.get(each)) is None:
                raise StepError(f"{each}, on which the untargeted resource {urn} rests, has no old state")
            self.urns.add(each)
            yield from self._kept(old, urn)
            self.operated.add(each)
            yield Action("same", old, old.copy(), unmanaged=True)

    # -- what is left to delete

    def deletions(self, *, everything: bool = False) -> list[Action]:
        """Steps for old resources that the program no longer has, or that replacements left behind.

        Raises:
            StepError: something that isn't targeted rests on one that is.
        """
        actions: list[Action] = []
        doomed: set[str] = set()  # the targets and what rests on them
        for state in self.prev:
            if self.targets:
                if not (self.targets.name(state.urn) or state.depends_on() & doomed):
                    continue
                doomed.add(state.urn)
            if state.delete:
                if state in self.pending_deletes:
                    continue
                op = "discard-replaced" if state.external else "delete-replaced"
                actions.append(Action(op, state, None, logical=False))
            elif everything or not self._is_operated(state.urn):
                if state.pending_replacement:
                    actions.append(Action("remove-pending-replace", state, None, logical=False))
                else:
                    actions.append(Action("discard" if state.external else "delete", state, None))
            else:
                continue
            self.deletes.add(state.urn)
            self.registry.ensure(state.provider, self.prev)
        for action in actions:
            if self.targets and not self.targets.name(action.state.urn):
                self._refuse(
                    action.state.urn,
                    f"Resource '{action.state.urn}' will be destroyed but was not specified in --target list.\nremedy: target it as well",
                )
        return actions

    def needed_by(self, urns: set[str]) -> set[str]:
        """What old resources rest on, directly or not."""
        found: set[str] = set()
        for state in reversed(self.prev):
            if state.urn in urns or state.urn in found:
                found |= state.depends_on()
        return found

    def _is_operated(self, urn: str) -> bool:
        return urn in self.operated or urn in self.aliased or urn in self.deletes
