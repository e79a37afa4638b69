"""The state on disk while a run goes on: written after each step, as the real engine's journal does.

New states come first, in the order in which their steps ended, then what hasn't been touched yet. Writes of steps
that end together are joined: each waits until a write that includes it has reached the disk.
"""

from __future__ import annotations

import threading
from dataclasses import replace

from backend.checkpoint import Snapshot, State, compact, dump_checkpoint, dump_state, features_of
from backend.errors import StackError, StateError
from backend.passphrase import Crypter, find_passphrase
from backend.urns import STACK_TYPE, make_urn, split_reference, urn_name, urn_type
from backend.values import Secret, contains, equal
from backend.workspace import Workspace

_COMPARED = (
    *("urn", "type", "custom", "id", "provider", "parent", "protect", "custom_timeouts", "retain_on_delete"),
    *("resource_hooks", "additional_secret_outputs", "ignore_changes", "replace_on_changes"),
)


class Journal:
    """Collects what steps did to the snapshot and keeps the checkpoint up to date."""

    def __init__(self, ws: Workspace, base: Snapshot, *, preview: bool) -> None:
        self._ws = ws
        self._base = base
        self._preview = preview
        self._crypter: Crypter | None = ws.crypter_for(base.salt) if base.salt else ws.crypter()
        if not preview:
            find_passphrase(ws.passphrase)
        self._new: dict[State, None] = {}  # in the order of their steps
        self._gone: set[State] = set()
        self._pending: dict[State, str] = {}
        # A create that was interrupted stays on record until it is cleared: it may exist beside what is made next.
        self._interrupted = [(op, state) for op, state in base.pending if op == "creating"]
        self._frozen = False
        self._texts: dict[State, str] = {}
        self._changed = threading.Condition()
        self._version = self._saved = 0
        self._writing = False

    @property
    def resources(self) -> list[State]:
        """All resources as they stand."""
        return [*self._new, *(s for s in self._base.resources if s not in self._gone)]

    @property
    def pending(self) -> list[tuple[str, State]]:
        """Operations under way."""
        return [*((op, state) for state, op in self._pending.items()), *self._interrupted]

    def freeze(self) -> list[tuple[str, State]]:
        """Leave the state on disk as it is now, with what is under way on record, and tell what that is."""
        self.save()
        self._frozen = True
        return self.pending

    def begin(self, op: str, state: State) -> None:
        """A step that changes something outside begins (creating, updating, deleting, reading)."""
        with self._changed:
            self._pending[state] = op
        try:
            if self._crypter and not self._preview:
                self._crypter.check()  # what is made could have secrets, and must not be lost for want of a key
            self.save()
        except StackError:
            self.end(done=state, write=False)
            raise

    def end(
        self,
        *,
        add: State | None = None,
        remove: State | None = None,
        done: State | None = None,
        write: bool = True,
    ) -> None:
        """A step ended: `add` is in the state from now on, `remove` no longer, `done` no more under way."""
        with self._changed:
            if done is not None:
                self._pending.pop(done, None)
            if remove is not None:
                self._gone.add(remove)
                self._new.pop(remove, None)
            if add is not None:
                self._texts.pop(add, None)
                self._new.setdefault(add)
        if write:
            self.save()

    def touch(self, state: State) -> None:
        """A state was changed in place."""
        with self._changed:
            self._texts.pop(state, None)

    def save(self) -> None:
        """Return when the state as it is now is on disk."""
        if self._preview or self._frozen:
            return
        with self._changed:
            self._version += 1
            mine = self._version
            while self._saved < mine:
                if self._writing:
                    self._changed.wait()
                    continue
                goal, text = self._version, self._render()
                self._writing = True
                self._changed.release()
                try:
                    self._ws.backend.write(text)
                finally:
                    self._changed.acquire()
                    self._writing = False
                    self._changed.notify_all()
                self._saved = max(self._saved, goal)

    def rebase(self, resources: list[State]) -> None:
        """Go on from refreshed resources."""
        with self._changed:
            self._base = replace(self._base, resources=resources)
            self._new, self._gone = {}, set()
        self.save()

    def _render(self) -> str:
        kept = self.resources
        states = renamed(kept)
        resources = [
            self._text(s) if s is was else self._dump(s) for s, was in zip(states, kept, strict=True)
        ]
        pending = [f'{{"resource":{self._text(s)},"type":{compact(op)}}}' for op, s in self.pending]
        stack = self._ws.backend.qualified_stack
        salt = self._crypter.salt if self._crypter else ""
        return dump_checkpoint(stack, resources, pending, salt, self._base.metadata, features_of(states))

    def _text(self, state: State) -> str:
        if state not in self._texts:
            self._texts[state] = self._dump(state)
        return self._texts[state]

    def _dump(self, state: State) -> str:
        if self._crypter is None and (contains(state.inputs, Secret) or contains(state.outputs, Secret)):
            self._crypter = self._ws.new_crypter()
        try:
            return compact(dump_state(state, self._crypter))
        except (TypeError, ValueError) as error:
            raise StateError(
                f"{state.urn} can't be written: {error}", "tell us; the state before it is kept"
            ) from error


def renamed(states: list[State]) -> list[State]:
    """The states with new URNs in place of those that others have as aliases, and of those of their children."""
    names: dict[str, str] = {}
    for state in states:
        names |= dict.fromkeys(state.aliases, state.urn)
        if state.parent in names and urn_type(state.parent) != STACK_TYPE:
            stack, project = state.urn.split(":")[2], state.urn.split(":")[4]
            parent = names[state.parent]
            names[state.urn] = make_urn(stack, project, parent, urn_type(state.urn), urn_name(state.urn))
    return [_with_names(state, names) for state in states] if names else states


def _with_names(state: State, names: dict[str, str]) -> State:
    def named(urn: str) -> str:
        return names.get(urn, urn)

    if not state.aliases and not names.keys() & {state.urn, *state.depends_on()}:
        return state
    provider, id_ = split_reference(state.provider)
    return replace(
        state,
        urn=named(state.urn),
        aliases=[],
        parent=named(state.parent),
        provider=f"{named(provider)}::{id_}" if provider else "",
        dependencies=[named(u) for u in state.dependencies],
        property_dependencies={k: [named(u) for u in v] for k, v in state.property_dependencies.items()},
    )


def differs(old: State, new: State) -> bool:
    """Whether a resource that is the same has to be written (source positions alone don't count)."""
    if any(getattr(old, name) != getattr(new, name) for name in _COMPARED):
        return True
    if not equal(old.inputs, new.inputs) or not equal(old.outputs, new.outputs):
        return True
    return _dependencies(old) != _dependencies(new)


def _dependencies(state: State) -> dict[str, list[str]]:
    return {
        key: sorted(urns) for key, urns in {**state.property_dependencies, "": state.dependencies}.items()
    }
