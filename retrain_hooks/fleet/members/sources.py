"""The members of a fleet: listed or found in the data, each with what it is trained from.

``find_members`` only reads: one paged listing for all members whose data lies in files of their own, and two small requests
for a table that is split by a column and was read before. What is wrong with one member is its problem alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os.path import commonprefix

from clients.errors import ConfigurationError, Conflict
from clients.names import listed, nearest, shown
from clients.storage import Blob
from retrain_hooks.data import contents
from retrain_hooks.data.contents import Contents, changed
from retrain_hooks.data.datasets import Remembered, stored
from retrain_hooks.data.inputs import DataReference
from retrain_hooks.fleet.members.blobs import Listing, Own, Place, look, shared
from retrain_hooks.fleet.members.column import MOST, Slice
from retrain_hooks.fleet.members.declared import Declared, Entry, declared, told
from retrain_hooks.fleet.members.file import listed_in
from retrain_hooks.fleet.members.inputs import Member, MembersInputs, Table
from retrain_hooks.fleet.members.names import endpoint_of, told_apart, wrong_name
from retrain_hooks.fleet.members.pattern import MEMBER
from retrain_hooks.fleet.members.slices import Splits, blob_of, write_slices
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.registry.plain import encode
from retrain_hooks.registry.run_key import digest
from tables import parts

__all__ = ["Found", "find_members", "verify", "write_slices"]


@dataclass(frozen=True)
class Found:
    """The *members* of a fleet, and the data *version* that it is of: the newest, where each has a latest of its own.

    *notes* are lines on what was left out. *digest* changes with all of it, but not where blobs were stored anew with the
    same bytes.
    """

    members: tuple[Member, ...]
    version: str
    notes: tuple[str, ...]
    digest: str


def find_members(
    context: Context,
    target: str,
    members: MembersInputs,
    path: str,
    version: str,
    container: str = "",
    before: Mapping[str, str] | None = None,
) -> Found:
    """Who the members are, and what each is trained from, of *version* (a literal, ``latest`` or a window).

    *path* is the fleet's: for members that are only named, and of the table that a column splits. *before* are the ETags
    that blobs had when they were last read, by name: a blob that was stored anew under an unchanged Content-MD5 is read
    again. Never writes.

    Raises ConfigurationError where there are no members or too many, and for a file, a table or a version that cannot be
    used; Conflict for a table that changes while it is read.
    """
    return _Search(
        context, target, members, Place(members.path or path, version), container, before or {}
    ).found()


class _Search:
    """One look for the members of a fleet, whose data is in the place *fleet* where nothing else is said."""

    def __init__(
        self,
        context: Context,
        target: str,
        members: MembersInputs,
        fleet: Place,
        container: str,
        before: Mapping[str, str],
    ) -> None:
        self._context, self._target = context, target
        self._members, self._fleet, self._before = members, fleet, before
        self._data = context.data(target, container or None)
        self._shelf = Remembered(self._data, context.memory, target)
        self._notes: list[str] = []
        self._version = fleet.version
        if members.column and fleet.has_members:
            raise ConfigurationError(
                f"the members are the values of the column {shown(members.column)!r}, and {fleet.path!r} is no one table",
                f"leave {MEMBER} out of the path, or the column",
            )

    def found(self) -> Found:
        said = self._said()
        groups: defaultdict[Place, list[str]] = defaultdict(list)
        for one in said or ():
            if not one.problem:
                groups[self._place(one.entry)].append(one.entry.name)
        listing = self._listing(groups, said is None)
        if said is None:
            found = self._look(listing, self._fleet, None)
            said = tuple(Declared(Entry(name), wrong_name(name)) for name in sorted(found))
            own = {(self._fleet, name): one for name, one in found.items()}
        else:
            own = {
                (place, name): one
                for place, names in groups.items()
                for name, one in self._looked(listing, place, names, alone=len(groups) == 1).items()
            }
        self._count(said)
        ready = self._with_data([(one, own.get((self._place(one.entry), one.entry.name))) for one in said])
        members = told_apart(ready)
        what = [encode(replace(one, etags={}, place="", table=None)) for one in members]
        return Found(
            members,
            self._version,
            tuple(self._notes),
            digest({"members": what, "version": self._version, "notes": self._notes}),
        )

    def _said(self) -> tuple[Declared, ...] | None:
        """The members that are listed; None where they are found in the data."""
        if not self._members.listed:
            return None
        return declared(listed_in(self._members.file) if self._members.list is None else self._members.list)

    def _place(self, entry: Entry) -> Place:
        return Place(entry.path or self._fleet.path, entry.version or self._fleet.version)

    def _count(self, said: Sequence[Declared]) -> None:
        """Raise ConfigurationError for no members, and for more than there may be."""
        if not said and self._members.listed:
            raise ConfigurationError(
                f"the fleet has no members: {self._members.file or 'the list'} is empty", "name one at least"
            )
        if not said and self._members.column:
            raise ConfigurationError(
                f"the fleet has no members: no value of {shown(self._members.column)!r} has "
                f"{self._members.minimum_rows:,} rows",
                "ask for fewer rows, or name another column",
            )
        if not said:
            raise self._nothing(self._fleet)
        if len(said) > MOST:
            raise ConfigurationError(
                f"the fleet has {len(said):,} members, and may have {MOST:,}", "make several fleets of them"
            )

    def _listing(self, groups: Mapping[Place, Sequence[str]], all_members: bool) -> Listing:
        """All blobs that may be somebody's; what all share is looked at by itself."""
        beginnings = {
            place.beginning(name if place.has_members else "")
            for place, names in groups.items()
            for name in names
            if place.has_members or place.path != self._fleet.path
        }
        if all_members and self._fleet.has_members:
            beginnings.add(self._fleet.pattern.beginning)
        return Listing.of(self._shelf, beginnings)

    def _looked(
        self, listing: Listing, place: Place, names: Sequence[str], *, alone: bool
    ) -> Mapping[str, Own]:
        """The same as ``_look``; what is wrong with a place where not all are is the problem of those in it."""
        try:
            return self._look(listing, place, names)
        except (ConfigurationError, Conflict) as error:
            if alone and place == self._fleet:
                raise
            return dict.fromkeys(names, Own(place.version, problem=told(error)))

    def _look(self, listing: Listing, place: Place, names: Sequence[str] | None) -> Mapping[str, Own]:
        """What each of the members *names*, or of all that are found, has in *place*."""
        if place.has_members:
            looked = look(listing, place, names)
            self._note(*looked.notes)
            if place == self._fleet:
                self._version = looked.version
            return looked.by_member
        of_fleet = place.path == self._fleet.path
        own, notes = shared(self._shelf if of_fleet else listing, place)
        self._note(*notes)
        if own is None:
            raise self._nothing(place)
        if place == self._fleet:
            self._version = own.version
        if self._members.column and of_fleet:
            return self._split(own, names)
        return dict.fromkeys(names or (), own)

    def _note(self, *notes: str) -> None:
        self._notes += [note for note in notes if note not in self._notes]

    def _nothing(self, place: Place) -> ConfigurationError:
        return ConfigurationError(
            f"there is no blob like {self._data.name}/{place.path}", "upload the data, or correct the path"
        )

    def _split(self, own: Own, names: Sequence[str] | None) -> Mapping[str, Own]:
        """The slices of a table for each of *names*, or for all values that have enough rows."""
        by_name = {blob.name: blob for blob in own.blobs}
        kept = [by_name[name] for name in parts(list(by_name))]
        table = Table(
            self._data.name,
            tuple(blob.name for blob in kept),
            tuple(blob.etag for blob in kept),
            self._members.column,
        )
        found = Splits(self._context, self._target).find(table)
        least, column = self._members.minimum_rows, shown(self._members.column)
        small = [value for value, one in found.slices.items() if one.rows < least]
        if small and names is None:
            self._notes.append(
                f"{len(small):,} of {len(found.slices):,} values of {column} have fewer than {least:,} rows, and are no "
                f"members: {listed(small)}"
            )
        if found.without:
            self._notes.append(f"{found.without:,} rows have no value of {column}, and are no member's")
        if names is None:
            names = sorted(found.slices.keys() - set(small))
        return {name: self._slice(own.version, table, found.slices, name) for name in names}

    def _slice(self, version: str, table: Table, slices: Mapping[str, Slice], name: str) -> Own:
        one, least = slices.get(name), self._members.minimum_rows
        if one is None:
            problem = f"no row has it in the column {shown(table.column)}; {nearest(name, slices)}"
            return Own(version, problem=problem)
        if one.rows < least:
            problem = f"it has {one.rows:,} of the {least:,} rows that are asked for; lower minimumRows, or leave it out"
            return Own(version, rows=one.rows, problem=problem)
        return Own(version, (Blob(blob_of(one), one.bytes, one.md5, ""),), "", one.rows, table)

    def _with_data(self, members: Sequence[tuple[Declared, Own | None]]) -> list[Member]:
        """The members with what their blobs are."""
        there = {blob.name: blob for _, own in members if own and not own.table for blob in own.blobs}
        beginning = commonprefix(list(there))  # noqa: RUF071 - of texts
        if self._fleet.has_members:
            beginning = self._fleet.pattern.beginning
        place = beginning.rpartition("/")[0]
        looked = Contents(self._context, self._target, self._data.name, place)
        known = looked.look_at_each(list(there.values()), self._before)
        if known.unverified:
            self._notes.append(
                f"stored anew under an unchanged Content-MD5, on which this preview relies; the update reads it: "
                f"{listed(known.unverified)}"
            )
        return [self._member(one, own, known, place) for one, own in members]

    def _member(self, one: Declared, own: Own | None, known: contents.Found, place: str) -> Member:
        entry, problem = one.entry, one.problem
        if own is None:
            where = entry.path or self._fleet.path
            own = Own(
                "",
                problem=f"there is no blob like {self._data.name}/{where.replace(MEMBER, entry.name)}; upload it",
            )
        problem = problem or own.problem or _problem(own, known)
        data = None
        if own.blobs and not problem:
            container = self._context.registry(self._target).name if own.table else self._data.name
            read = {} if own.table else known.read
            found = contents.Found(own.blobs, read)
            data = DataReference(container, own.version, found.digest, tuple(blob.name for blob in own.blobs))
        return Member(
            name=entry.name,
            endpoint=entry.endpoint or endpoint_of(entry.name),
            data=data,
            etags={} if own.table or data is None else {blob.name: blob.etag for blob in own.blobs},
            parameters=entry.parameters,
            gate=entry.gate,
            probe_rows=entry.probe_rows,
            formerly=entry.formerly,
            rows=own.rows,
            problem=problem,
            place="slices" if own.table else place,
            table=own.table,
        )


def _problem(own: Own, known: contents.Found) -> str:
    """What is wrong with the blobs of a member."""
    for blob in own.blobs:
        if blob.name in known.problems:
            return told(known.problems[blob.name])
    if not any(blob.size for blob in own.blobs):
        return f"its data is empty: {own.blobs[0].name}; upload it again"
    return ""


def verify(context: Context, target: str, members: Sequence[Member]) -> dict[str, str]:
    """What is wrong with the data of *members*, by name, after its bytes were read; nothing for those that are well.

    For an update, before it trains: bytes that nobody has read yet are read once, and what they are is kept in the registry.
    """
    groups: defaultdict[tuple[str, str], list[Member]] = defaultdict(list)
    for member in members:
        if member.data:
            groups[member.data.container, member.place].append(member)
    found: dict[str, str] = {}
    for (container, place), own in groups.items():
        names = dict.fromkeys(name for member in own if member.data for name in member.data.blobs)
        there = stored(context.data(target, container), names)
        known = Contents(context, target, container, place).verify_each(list(there.values()))
        for member in own:
            if problem := _changed(member, there, known):
                found[member.name] = problem
    return found


def _changed(member: Member, there: Mapping[str, Blob], known: contents.Found) -> str:
    data = member.data
    assert data is not None
    for name in data.blobs:
        if name not in there:
            return f"the blob {data.container}/{name} is gone; upload it again, or name another data version"
        if name in known.problems:
            return told(known.problems[name])
    blobs = [there[name] for name in data.blobs]
    return "" if contents.Found(blobs, known.read).digest == data.digest else told(changed(data.version))
