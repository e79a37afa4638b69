"""The blobs of each member: found by few listings, whatever the number of members."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from clients.errors import ConfigurationError
from clients.names import listed
from clients.storage import Blob
from retrain_hooks.data.datasets import Shelf, no_such_version, resolve_dataset
from retrain_hooks.data.versions import LATEST, WINDOW, choose
from retrain_hooks.fleet.members.inputs import Table
from retrain_hooks.fleet.members.pattern import MEMBER, VERSION, Layout, Pattern, Versions

# So many listings one look takes at most; where members are in more folders, all that these are in is listed.
_LISTINGS = 8
_NOTES = 5


@dataclass(frozen=True)
class Place:
    """Where the data of members is: a *path*, and a *version* of it."""

    path: str
    version: str

    @property
    def literal(self) -> bool:
        """Whether the version is a name, not something to find out."""
        return self.version != LATEST and WINDOW not in self.version

    @property
    def pattern(self) -> Pattern:
        """Its path. Raises ConfigurationError."""
        return Pattern.parse(self.path)

    @property
    def has_members(self) -> bool:
        """Whether each member has another place there."""
        return MEMBER in self.path

    def beginning(self, member: str = "") -> str:
        """What the names of the blobs begin with: of one *member*, where it is named, and all of its versions where they are
        below it; else of the version, where that is literal.
        """
        found = self.pattern.filled(MEMBER, member) if member else self.pattern
        above = self.path.find(VERSION) < self.path.find(MEMBER) or not self.has_members
        return (found.filled(VERSION, self.version) if above and self.literal else found).beginning


@dataclass(frozen=True)
class Own:
    """The *blobs* of a member, of the data version that is called *version*; else the *problem* with them.

    Where they are to be split from a *table*, it is the one blob that its *rows* will be.
    """

    version: str
    blobs: tuple[Blob, ...] = ()
    problem: str = ""
    rows: int | None = None
    table: Table | None = None


@dataclass(frozen=True)
class Looked:
    """What is in a place, by member, with *notes* on it; *version* is the newest that anybody has."""

    version: str
    by_member: Mapping[str, Own]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listing:
    """The blobs of the container *name* whose names begin with one of some texts, in the order of their names."""

    name: str
    blobs: Sequence[Blob]
    names: Sequence[str] = field(repr=False)

    @classmethod
    def of(cls, shelf: Shelf, beginnings: Iterable[str]) -> Listing:
        """Asks for few listings, in which there are all blobs that have one of the *beginnings*."""
        found = {blob.name: blob for prefix in _few(beginnings) for blob in shelf.list(prefix)}
        names = sorted(found)
        return cls(shelf.name, [found[name] for name in names], names)

    def list(self, prefix: str) -> Sequence[Blob]:
        """See Shelf."""
        first = bisect_left(self.names, prefix)
        return self.blobs[first : bisect_left(self.names, prefix + chr(0x10FFFF), first)]

    def stat(self, name: str) -> Blob | None:
        """See Shelf."""
        at = bisect_left(self.names, name)
        return self.blobs[at] if self.names[at : at + 1] == [name] else None


def _few(beginnings: Iterable[str]) -> list[str]:
    """So few texts that all *beginnings* begin with one of them."""
    wanted = set(beginnings)
    while len(wanted) > _LISTINGS:
        deepest = max(map(_depth, wanted))
        wanted = {_parent(one) if _depth(one) == deepest else one for one in wanted}
    few: list[str] = []
    for one in sorted(wanted):
        if not few or not one.startswith(few[-1]):
            few.append(one)
    return few


def _depth(beginning: str) -> int:
    return beginning.rstrip("/").count("/") + bool(beginning)


def _parent(beginning: str) -> str:
    return beginning[: beginning.rstrip("/").rfind("/") + 1]


def look(listing: Listing, place: Place, members: Collection[str] | None = None) -> Looked:
    """What is in *place*, by member, of these *members* or of all.

    A literal version, or a window, is chosen from the versions of all, ``latest`` for each from its own. Raises
    ConfigurationError, and DataVersionNotFound where nobody has the version.
    """
    pattern, where = place.pattern, f"{listing.name}/{place.path}"
    beginning = pattern.beginning if members is None else place.beginning()
    layout: Layout = pattern.layout(listing.list(beginning))
    if members is not None:
        layout = {name: layout[name] for name in members if name in layout}
    if not pattern.count(VERSION):
        found = {name: Own(place.version, tuple(own[""])) for name, own in layout.items()}
        return Looked(place.version, found)
    if place.version == LATEST:
        return _latest(layout, where)
    union = {version for own in layout.values() for version in own}
    chosen = choose(place.version, union, where)
    if not chosen.names:
        raise no_such_version(place.version, union, where)
    taken = {name: _taken(place.version, own, chosen.names) for name, own in layout.items()}
    less = [
        name for name, own in layout.items() if 0 < len(own.keys() & set(chosen.names)) < len(chosen.names)
    ]
    notes = [f"{where}: {chosen.note}"] if chosen.note else []
    if less:
        notes.append(f"of {place.version} a part only is there for {listed(less)}")
    return Looked(place.version, taken, tuple(notes))


def shared(shelf: Shelf, place: Place) -> tuple[Own | None, tuple[str, ...]]:
    """What is in a *place* that is the same for all members, with notes on it; None where nothing is.

    Raises as ``resolve_dataset`` does.
    """
    pattern = place.pattern
    if not pattern.count(VERSION):
        blobs = pattern.layout(shelf.list(pattern.beginning)).get("", {}).get("", [])
        return (Own(place.version, tuple(blobs)) if blobs else None), ()
    found = resolve_dataset(shelf, place.path, place.version)
    called = found.versions[-1] if place.version == LATEST else place.version
    return Own(called, found.blobs), (found.note,) if found.note else ()


def _taken(called: str, own: Versions, names: Sequence[str]) -> Own:
    blobs = tuple(blob for name in names for blob in own.get(name, ()))
    if blobs:
        return Own(called, blobs)
    return Own(called, problem=f"it has no data of version {called}, only of {listed(own)}; upload it")


def _latest(layout: Layout, where: str) -> Looked:
    """The newest version that each member has: who uploads later than others goes on with what there is."""
    chosen: dict[tuple[str, ...], Own] = {}
    notes: set[str] = set()
    found: dict[str, Own] = {}
    for name, own in layout.items():
        versions = tuple(sorted(own))
        if versions not in chosen:
            try:
                picked = choose(LATEST, versions, where)
                chosen[versions] = Own("".join(picked.names))
                notes |= {f"{where}: {picked.note}"} if picked.note else set()
            except ConfigurationError as error:
                chosen[versions] = Own(LATEST, problem=f"{error.cause}; {error.remedy}")
        one = chosen[versions]
        found[name] = Own(one.version, tuple(own.get(one.version, ())), one.problem)
    newest = _newest({one.version for one in found.values() if not one.problem}, where)
    late = [name for name, one in found.items() if not one.problem and one.version != newest]
    if late and newest != LATEST:
        notes.add(
            f"not of {newest}, the latest of others, but of an earlier version is the data of {listed(late)}"
        )
    first = sorted(notes)[:_NOTES]
    more = [f"and {len(notes) - _NOTES:,} more of this kind"] if len(notes) > _NOTES else []
    return Looked(newest, found, (*first, *more))


def _newest(versions: set[str], where: str) -> str:
    """The last of all; only what was asked for where they have no one order."""
    try:
        return "".join(choose(LATEST, versions, where).names) or LATEST if versions else LATEST
    except ConfigurationError:
        return LATEST
