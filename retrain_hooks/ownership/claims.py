"""What a resource may do with the physical things that it stands for.

A mark in the registry says who owns a thing (``registry/owners.py``): it is written by compare-and-swap before the thing
is made, and bears the *incarnation* that this ``create`` made and that the resource's state keeps. ``delete`` removes only
what its own incarnation made: Pulumi deletes a replaced resource late, after a revert even when its successor is the very
same thing.
"""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from functools import cached_property

from retrain_hooks.host.inputs import Inputs, prop
from retrain_hooks.host.lifecycle import UNKNOWN, Context
from retrain_hooks.registry.owners import Mark, OwnedByAnother, Owner, Owners, StackClaims, Thing
from retrain_hooks.registry.records import Corrupt

TAKE_OVER = "RETRAIN_TAKE_OVER"
# Whom a mark names that is lost.
NOBODY = "nobody"


def takes_over() -> bool:
    """Whether this run was asked to take over what a lost state owned (``./dev up --take-over``)."""
    return bool(os.environ.get(TAKE_OVER))


@dataclass(frozen=True)
class OwnerRef(Inputs):
    """Who owns what a resource makes; filled in by the component."""

    project: str = prop("name of the project")
    stack: str = prop("name of the stack")
    name: str = prop("logical name of the resource")
    lineage: str = prop("id of the stack's lineage")

    @property
    def owner(self) -> Owner:
        """As the registry keeps it; without a lineage where a preview does not know it yet."""
        lineage = "" if self.lineage is UNKNOWN else self.lineage  # type: ignore[comparison-overlap]
        return Owner(self.project, self.stack, self.name, lineage)


def to_write(remark: str, incarnation: str) -> bool:
    """Whether a mark is to be written anew, as ``Claims.refuse`` remarked: one that is lost was there, where a resource
    bears an *incarnation*; an earlier release made none.
    """
    return bool(remark) and (remark != NOBODY or bool(incarnation))


class Claims:
    """The claims of one resource: *owner* has them, *former* had them before an alias or a renamed stack.

    Without an owner (a resource that a program makes by itself, without the components) nothing is claimed or refused.
    """

    def __init__(
        self, context: Context, target: str, owner: OwnerRef | None, former: OwnerRef | None = None
    ) -> None:
        self._registry = context.registry(target)
        self._owner = owner.owner if owner else None
        self._former = former.owner if former else None
        self._owners = Owners(self._registry)

    def refuse(self, thing: Thing, *, there: bool, ours: bool) -> str:
        """Refuse what another owns, or nobody does, in a check; whom the mark names where it has to be written anew.

        That is so after an alias, a renamed stack, or a state that was taken over: of what is *there* and not *ours*
        (this resource's state does not have it) it says from whom it is taken over; and nobody, where the mark of what is
        ours is lost (``to_write``). Raises OwnedByAnother, which names owner and ways out, and Unreadable.
        """
        if self._owner is None:
            return ""
        try:
            mark = self._owners.of(thing)
        except Corrupt:
            if not ours:
                raise
            mark = None
        if mark is None and ours and self._owner.lineage:
            return NOBODY
        free = ours or not there or takes_over()
        allowed = free if mark is None else self._is_ours(mark) or self._is_left(mark, there=there)
        if not allowed:
            raise OwnedByAnother(mark.owner if mark else None, f"the {thing}", self._owner)
        if not ours and not there:
            return ""
        if mark is None:
            return "" if ours else NOBODY
        # A preview does not know the lineage of a new state: no mark is its own yet.
        stale = mark.owner != self._owner and (self._owner.lineage or not ours)
        return f"{mark.owner} ({mark.owner.lineage[:8]})" if stale else ""

    def lost(self, thing: Thing) -> bool:
        """Whether nobody can tell whose the thing is: its mark is gone, or cannot be read."""
        try:
            return self._owner is not None and self._owners.of(thing) is None
        except Corrupt:
            return True

    def take(self, things: dict[Thing, bool], incarnation: str = "") -> str:
        """Claim *things* before they are made or changed; the incarnation that they bear.

        Each goes with whether it is there though this resource has not made it. An empty *incarnation* makes a new one;
        with one of its own, a resource writes a mark that cannot be read anew. Raises OwnedByAnother, Unreadable.
        """
        bearing = incarnation or uuid.uuid4().hex
        if self._owner is None:
            return bearing
        for thing, made_by_nobody in things.items():

            def may(mark: Mark | None, unowned: bool = made_by_nobody) -> bool:
                if mark is None:
                    return not unowned or takes_over()
                return self._is_ours(mark) or self._is_left(mark, there=unowned)

            self._owners.claim(thing, self._owner, bearing, may, over_corrupt=bool(incarnation))
        return bearing

    def may_delete(self, thing: Thing, incarnation: str) -> bool:
        """Whether the thing is what this resource made: nobody else has taken it since."""
        try:
            mark = self._owners.of(thing)
        except Corrupt:  # an update writes the mark of whatever took the thing's place anew before it deletes
            return True
        return mark is None or (bool(incarnation) and mark.incarnation == incarnation)

    def left(self, thing: Thing) -> str:
        """The incarnation that the mark of the very owner bears; empty where another has it, or nobody can tell."""
        try:
            mark = self._owners.of(thing)
        except Corrupt:
            return ""
        return mark.incarnation if mark is not None and mark.owner == self._owner else ""

    def release(self, thing: Thing, incarnation: str) -> None:
        """The thing is gone."""
        self._owners.release(thing, incarnation)

    def kept_for(self, thing: Thing) -> Owner | None:
        """Who owns a thing that would go with another; what a lost state left behind is nobody's, and forgotten."""
        mark = self._owners.of(thing)
        if mark is not None and self._owner is not None and mark.owner.lineage in self._taken_over:
            self._owners.release(thing, mark.incarnation)
            return None
        return mark.owner if mark else None

    def _is_ours(self, mark: Mark) -> bool:
        """Whether this resource has the thing already, or had it by another name, or a lost state of its stack had it."""
        assert self._owner is not None
        owners = [one for one in (self._owner, self._former) if one is not None]
        if any(mark.owner.same_name(one) and one.lineage in ("", mark.owner.lineage) for one in owners):
            return True
        stack = (mark.owner.project, mark.owner.stack) == (self._owner.project, self._owner.stack)
        return stack and mark.owner.lineage in self._taken_over

    def _is_left(self, mark: Mark, *, there: bool) -> bool:
        """Whether a mark was left by a stack that is gone: killed while it made the thing, and destroyed then.

        The thing, if it came to be after all, is for the resource of the same name; else the mark says nothing.
        """
        if there and not (self._owner and mark.owner.same_name(self._owner)):
            return False
        try:
            claim = StackClaims(self._registry).find(mark.owner.project, mark.owner.stack)
        except Corrupt:
            return False
        return claim is None or claim.lineage != mark.owner.lineage

    @cached_property
    def _taken_over(self) -> tuple[str, ...]:
        """The lineages of lost states that this stack has taken over, or is about to."""
        assert self._owner is not None
        try:
            claim = StackClaims(self._registry).find(self._owner.project, self._owner.stack)
        except Corrupt:  # the stack's claim itself is checked on its own
            return ()
        if claim is None or not (takes_over() or claim.lineage == self._owner.lineage):
            return ()
        return tuple(one for one in (claim.lineage, *claim.former) if one != self._owner.lineage)
