"""A stack's lineage, and its claim to its name: resources of their own, before all others.

The lineage is an id that is made with the stack and kept in its state, so that another checkout's stack of the same name
is another owner. It is saved before anything bears it; the claim is recorded in the registry before anything is made.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from retrain_hooks.host.inputs import Inputs, prop
from retrain_hooks.host.lifecycle import Context, Diff, Props, known
from retrain_hooks.ownership.claims import NOBODY, takes_over
from retrain_hooks.registry.owners import OwnedByAnother, Owner, StackClaims
from retrain_hooks.registry.records import Corrupt


class LineageLifecycle:
    """Makes the id of a stack. Output: ``lineage``, 32 hex digits."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def check(self, new: Props, old: Props) -> Props:
        """It takes no inputs."""
        return new

    def diff(self, old: Props, new: Props) -> Diff:
        """A lineage stays as long as its stack."""
        return Diff(False)

    def create(self, new: Props) -> tuple[str, Props]:
        """Make it."""
        lineage = uuid.uuid4().hex
        return lineage, {"lineage": lineage}

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """As it is recorded."""
        return old, {}

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """It never changes."""
        return old

    def delete(self, id_: str, old: Props) -> None:
        """Nothing but the state has it."""


@dataclass(frozen=True)
class StackClaimInputs(Inputs):
    """The name of a stack, and the lineage that claims it."""

    target: str = prop("name of the target", identity=True)
    project: str = prop("name of the project", identity=True)
    stack: str = prop("name of the stack", identity=True)
    lineage: str = prop("id of the stack's lineage")
    holder: str = prop("lineage that holds the name now, where that is another", default="", output=True)


class StackClaimLifecycle:
    """Claims a stack's name in the registry of ``target``, so that no other state can take what the stack owns."""

    inputs = StackClaimInputs

    def __init__(self, context: Context) -> None:
        self._context = context

    def check(self, new: Props, old: Props) -> Props:
        """Refuse a name that another lineage holds, unless it is to be taken over.

        Raises OwnedByAnother, which names the ways out, and Unreadable.
        """
        wanted = StackClaimInputs.parse(new)
        plain = wanted.props()
        plain.pop("holder", None)
        try:
            held = self._claims(wanted).find(wanted.project, wanted.stack)
        except Corrupt:
            if not old:
                raise
            held = None
        if held is None:
            return plain | ({"holder": NOBODY} if old else {})
        if known(wanted.lineage) and held.lineage == wanted.lineage:
            return plain
        if not takes_over():
            theirs, ours = (Owner(held.project, held.stack, "", one) for one in (held.lineage, ""))
            raise OwnedByAnother(theirs, f"the stack's name {held.stack!r}", ours)
        return plain | {"holder": held.lineage}

    def diff(self, old: Props, new: Props) -> Diff:
        """Another name or target is another claim; a lost or taken one is made again."""
        before, now = StackClaimInputs.parse(old), StackClaimInputs.parse(new)
        replaces = now.moved(before)
        return Diff(bool(replaces or now.holder) or before.lineage != now.lineage, replaces)

    def create(self, new: Props) -> tuple[str, Props]:
        """Claim it; again: as it is."""
        wanted = StackClaimInputs.parse(new)
        self._claim(wanted)
        return f"{wanted.project}/{wanted.stack}", self._claimed(wanted)

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """Claim it anew."""
        wanted = StackClaimInputs.parse(new)
        self._claim(wanted)
        return self._claimed(wanted)

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """As it is recorded; None where nobody holds the name any more."""
        recorded = StackClaimInputs.parse(old)
        try:
            held = self._claims(recorded).find(recorded.project, recorded.stack)
        except Corrupt:  # the next update claims it anew
            return old, old
        return None if held is None else (old, old)

    def delete(self, id_: str, old: Props) -> None:
        """Give the name back, if it is still this lineage's."""
        recorded = StackClaimInputs.parse(old)
        self._context.guard.check()
        self._claims(recorded).release(recorded.project, recorded.stack, recorded.lineage)

    def _claim(self, wanted: StackClaimInputs) -> None:
        self._context.guard.check()
        self._claims(wanted).claim(wanted.project, wanted.stack, wanted.lineage, takes_over())

    def _claims(self, inputs: StackClaimInputs) -> StackClaims:
        return StackClaims(self._context.registry(inputs.target))

    @staticmethod
    def _claimed(wanted: StackClaimInputs) -> Props:
        found = wanted.props()
        found.pop("holder", None)
        return found
