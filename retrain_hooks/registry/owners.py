"""Who owns what: a mark in the registry for each physical thing that a stack made, and one for each stack's name.

::

    owners/<digest of the thing's kind and id>.json      the thing, its owner, and the incarnation that it is
    stacks/<digest of project and stack>.json            the lineage that bears the name, and those that did

A mark is written before the thing is made. Whoever deletes names the incarnation that it made itself: one that was taken
over since is another's, even where the owner is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from clients.errors import ConfigurationError
from clients.storage import Container
from retrain_hooks.registry.plain import SPARSE
from retrain_hooks.registry.records import Records, Unreadable
from retrain_hooks.registry.run_key import digest


@dataclass(frozen=True)
class Owner:
    """Who owns a physical thing: the resource called *name* of a *stack* of a *project*.

    *lineage* is the stack's id, which tells it from another checkout's stack of the same name; empty where it isn't known
    yet, in a first preview.
    """

    project: str
    stack: str
    name: str
    lineage: str

    def __str__(self) -> str:
        return "/".join(filter(None, (self.project, self.stack, self.name)))

    def same_name(self, other: Owner) -> bool:
        """Whether both are called the same, of whatever lineage."""
        return (self.project, self.stack, self.name) == (other.project, other.stack, other.name)


@dataclass(frozen=True)
class Thing:
    """A physical thing as its service identifies it: what *kind* it is of, and its *id*, compared without case."""

    kind: str
    id: str

    @property
    def name(self) -> str:
        """The blob of its mark."""
        return f"owners/{self.key}.json"

    @property
    def key(self) -> str:
        """The name of its record."""
        return digest([self.kind, self.id.casefold()])

    def __str__(self) -> str:
        return f"{self.kind} {self.id.rpartition('/')[2]!r}"


@dataclass(frozen=True)
class Mark:
    """That *owner* has *thing*, which its kind and id name as they were first written; *incarnation* is the token of the
    ``create`` that made it or took it over last.
    """

    thing: Thing
    owner: Owner
    incarnation: str
    version: int = 1


class OwnedByAnother(ConfigurationError):
    """What is wanted belongs to *owner*; None where it is there and nobody is known to have made it.

    *what* names it, *asking* is who wanted it: an owner of the same name is another checkout's, or a state's that was lost.
    """

    def __init__(
        self, owner: Owner | None, what: str = "what bears this name", asking: Owner | None = None
    ) -> None:
        whose = f"belongs to {owner}" if owner else "is there already, and no stack is known to have made it"
        remedy = "give it another name, adopt it with `existing=`, or declare an alias if it was renamed"
        if owner is None:
            remedy = "give it another name, adopt it with `existing=`, or, where the registry was lost, take it over: ./dev up --take-over"
        elif asking and owner.same_name(asking):
            whose += f" of another checkout, or of a state that was lost (lineage {owner.lineage[:12]})"
            remedy = (
                "give this stack another name, or take over all that bears this one: ./dev up --take-over"
            )
        super().__init__(f"{what} {whose}", remedy)
        self.owner = owner


class Owners:
    """The marks of all stacks that share a registry."""

    def __init__(self, registry: Container) -> None:
        self._marks = Records(
            registry,
            "owners",
            Mark,
            own_name=lambda mark: mark.thing.key,
            remedy="find out who owns the thing, and delete the registry's {blob}: its owner's next update writes it anew",
        )

    def of(self, thing: Thing) -> Mark | None:
        """The mark on *thing*; None where nobody has marked it. Raises Unreadable."""
        found = self._marks.find(thing.key)
        return found.value if found else None

    def claim(
        self,
        thing: Thing,
        owner: Owner,
        incarnation: str,
        may_take: Callable[[Mark | None], bool],
        *,
        over_corrupt: bool = False,
    ) -> Mark:
        """Mark *thing* as *owner*'s where *may_take* lets the present mark be replaced; the mark that is there then.

        With *over_corrupt* one that cannot be read counts as none. Raises OwnedByAnother where it doesn't, Unreadable.
        """

        def claimed(present: Mark | None) -> Mark:
            named = present.thing if present else thing
            wanted = Mark(named, owner, incarnation)
            if wanted != present and not may_take(present):
                raise OwnedByAnother(present.owner if present else None, f"the {thing}", owner)
            return wanted

        mark = self._marks.swap(thing.key, claimed, over_corrupt=over_corrupt)
        assert mark is not None
        return mark

    def release(self, thing: Thing, incarnation: str) -> None:
        """Forget the mark where it is still of this *incarnation*, or cannot be read."""
        self._marks.swap(
            thing.key,
            lambda mark: None if mark and mark.incarnation == incarnation else mark,
            over_corrupt=True,
        )

    def marks(self) -> Iterator[Mark | Unreadable]:
        """All marks; one that cannot be read as its error."""
        for found in self._marks.all():
            yield found if isinstance(found, Unreadable) else found.value


@dataclass(frozen=True)
class StackClaim:
    """That the *stack* of a *project* is the one of this *lineage*; *former* are those that it was taken over from."""

    project: str
    stack: str
    lineage: str
    former: tuple[str, ...] = field(default=(), metadata=SPARSE)
    version: int = 1

    @property
    def key(self) -> str:
        """The name of its record."""
        return digest([self.project, self.stack])


class StackClaims:
    """The names of all stacks that share a registry."""

    def __init__(self, registry: Container) -> None:
        self._claims = Records(
            registry,
            "stacks",
            StackClaim,
            own_name=lambda claim: claim.key,
            remedy="delete the registry's {blob}, then run ./dev up on the stack that is in use",
        )

    def find(self, project: str, stack: str) -> StackClaim | None:
        """Whose the name is; None where it is nobody's. Raises Unreadable."""
        found = self._claims.find(StackClaim(project, stack, "").key)
        return found.value if found else None

    def claim(self, project: str, stack: str, lineage: str, take_over: bool = False) -> StackClaim:
        """Give the name to *lineage*, also in place of a claim that cannot be read; the claim that is there then.

        Raises OwnedByAnother where another has it, unless it is to be taken over.
        """
        wanted = StackClaim(project, stack, lineage)

        def claimed(present: StackClaim | None) -> StackClaim:
            if present is None or present.lineage == lineage:
                return present or wanted
            if not take_over:
                theirs, ours = (Owner(project, stack, "", one) for one in (present.lineage, lineage))
                raise OwnedByAnother(theirs, f"the stack's name {stack!r}", ours)
            former = (*(one for one in present.former if one != lineage), present.lineage)
            return replace(wanted, former=former)

        claim = self._claims.swap(wanted.key, claimed, over_corrupt=True)
        assert claim is not None
        return claim

    def release(self, project: str, stack: str, lineage: str) -> None:
        """Let go of the name where it is *lineage*'s, or where nobody can read whose it is."""
        self._claims.swap(
            StackClaim(project, stack, "").key,
            lambda claim: None if claim and claim.lineage == lineage else claim,
            over_corrupt=True,
        )
