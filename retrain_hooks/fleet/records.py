"""A record a member: what a fleet made of it, in the registry at ``fleets/<fleet>/<digest of the member's name>.json``.

Each is written by compare-and-swap, so that a fleet that is killed goes on where each of its members was. What a preview
asks of all members (``Standing``) is the record's index: one listing tells it of thousands, and no record is read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from clients.errors import Conflict, FleetError
from clients.storage import Container
from retrain_hooks.registry.plain import SPARSE, Malformed, decode, encode
from retrain_hooks.registry.records import Corrupt, Entry, Records, Unreadable
from retrain_hooks.registry.run_key import digest

FORMAT = 1
_INDEX = "standing"
STAGING = "staging/"  # no member's name has a slash
_ERROR_LENGTH, _SHOWN_LENGTH = 1000, 200
State = Literal["serving", "held", "failed", "unfinished"]


@dataclass(frozen=True)
class Cause:
    """What determines a member's model, each by its digest, so that a change of it has a name."""

    data: str = ""
    experiment: str = ""
    parameters: str = ""
    force: str = ""


@dataclass(frozen=True)
class Standing:
    """Where a *member* is: its *endpoint*, the run *key* that was carried out for it, and the *address* and
    *size* (bytes) of the model that it serves.

    *url* is where its endpoint answers, *error* why it did not come to what was asked. *asks* is the digest of all else that was asked of it (gate, probe, graph, owner). *failed* members had their chance
    with this key and this asking; *unfinished* ones go on with the next update.
    """

    member: str
    endpoint: str
    state: State = "unfinished"
    key: str = ""
    address: str = ""
    size: int = 0
    url: str = ""
    error: str = ""
    asks: str = ""
    cause: Cause = field(default_factory=Cause)


@dataclass(frozen=True)
class MemberRecord:
    """All that is kept of a member: its *standing*, the *error* that it ended with and its *remedy*, and what its parts
    came to.

    *model*, *promotion*, *live* (the endpoint) and *binding* are the outputs of the lifecycles of these names. *at* is
    when it was written (ISO time), *seconds* how long the member took then.
    """

    standing: Standing
    error: str = ""
    remedy: str = ""
    data_version: str = ""
    at: str = ""
    seconds: float = 0.0
    model: dict[str, Any] = field(default_factory=dict, metadata=SPARSE)
    promotion: dict[str, Any] = field(default_factory=dict, metadata=SPARSE)
    live: dict[str, Any] = field(default_factory=dict, metadata=SPARSE)
    binding: dict[str, Any] = field(default_factory=dict, metadata=SPARSE)
    version: int = FORMAT

    @property
    def name(self) -> str:
        """The name of its record."""
        return record_name(self.standing.member)

    def went_wrong(self, cause: str, remedy: str) -> MemberRecord:
        """The same with why it ended, as much of it as a record and its index keep."""
        standing = replace(self.standing, error=cause[:_SHOWN_LENGTH])
        return replace(self, standing=standing, error=cause[:_ERROR_LENGTH], remedy=remedy[:_ERROR_LENGTH])


def is_staging(member: str) -> bool:
    """Whether a record's name is a staging endpoint's, which has a record as a member has."""
    return member.startswith(STAGING)


def record_name(member: str) -> str:
    """The name of a member's record: any text can be a member's name, and not any a blob's."""
    return digest(member)[:32]


def _index(record: MemberRecord) -> Mapping[str, str]:
    return {_INDEX: json.dumps(encode(record.standing), separators=(",", ":"))}


class MemberRecords:
    """The records of one *fleet* (its id)."""

    def __init__(self, registry: Container, fleet: str) -> None:
        self._records = Records(
            registry,
            f"fleets/{fleet}",
            MemberRecord,
            own_name=lambda record: record.name,
            what="a fleet's record {blob}",
            remedy="delete the registry's {blob}, then run the update again: the member is taken up anew",
            index=_index,
        )

    def standings(self) -> dict[str, Standing]:
        """Where each member is, by its name; a record whose index says nothing is read, one that can't be is left out."""
        found: dict[str, Standing] = {}
        for name, index in self._records.indexed():
            standing = self._indexed(index) or self._read(name)
            if standing is not None:
                found[standing.member] = standing
        return found

    def _indexed(self, index: Mapping[str, str]) -> Standing | None:
        try:
            return decode(Standing, json.loads(index[_INDEX]))
        except (KeyError, ValueError, Malformed):
            return None

    def _read(self, name: str) -> Standing | None:
        try:
            entry = self._records.find(name)
        except Unreadable:
            return None
        return entry.value.standing if entry else None

    def find(self, member: str) -> Entry[MemberRecord] | None:
        """The record of *member*; None where there is none. Raises Unreadable."""
        return self._records.find(record_name(member))

    def ready(self, member: str, endpoint: str) -> Entry[MemberRecord]:
        """The record of *member*, made where there is none, in place of one that is nonsense. Raises FleetError."""
        etag = None
        try:
            if found := self.find(member):
                return found
        except Corrupt as error:
            etag = error.etag
        return self._written(record_name(member), MemberRecord(Standing(member, endpoint)), etag)

    def save(self, entry: Entry[MemberRecord], record: MemberRecord) -> Entry[MemberRecord]:
        """Swap *entry* for *record*. Raises FleetError where somebody else was faster."""
        return self._written(entry.name, record, entry.etag)

    def _written(self, name: str, record: MemberRecord, etag: str | None) -> Entry[MemberRecord]:
        try:
            return self._records.write(name, record, etag)
        except Conflict:
            raise FleetError(
                f"another update works on the member {record.standing.member!r}",
                "wait until it has ended, then run the update again",
            ) from None

    def delete(self, member: str) -> None:
        """Forget *member*."""
        self._records.delete(record_name(member))

    def all(self) -> list[MemberRecord]:
        """All records that can be read, in the order of the members' names."""
        found = [entry.value for entry in self._records.all() if isinstance(entry, Entry)]
        return sorted(found, key=lambda record: record.standing.member)
