"""What an update would do to each member, and why: told a kind of change, not a member, a line.

::

    68 unchanged
    3 retrain (data): ORD, ATL, LAX
    1 new: a-shop
    1 leaves: an-old-shop

Three listings tell it of all members together: the members' records, their models, and what the endpoints serve.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from functools import cached_property

from clients.errors import NotFound, RetrainError
from clients.protocols import Binding, SharedEndpoints
from clients.storage import Blob
from retrain_hooks.fleet.inputs import FleetInputs
from retrain_hooks.fleet.planning.wishes import Wish, problem_of
from retrain_hooks.fleet.records import Cause, MemberRecords, Standing, is_staging
from retrain_hooks.host.lifecycle import Context, known
from retrain_hooks.registry.run_key import digest
from retrain_hooks.training.fitness import hold_data

_NAMED = 12
_READERS = 8
UNCHANGED, STUCK, STAYS = "unchanged", "failed", "stays"
_RESTORE = "its champion is bound again"
_NEW, _RENAMED, _RETRAIN, _REUSE, _JUDGE, _BIND, _GO_ON, _LEAVES = (
    "new",
    "renamed",
    "retrain",
    "reuse a run",
    "judged and bound anew",
    "bound again",
    "goes on",
    "leaves",
)
_ORDER = (UNCHANGED, STAYS, _RETRAIN, _REUSE, _NEW, _RENAMED, _JUDGE, _BIND, _RESTORE, _GO_ON, _LEAVES, STUCK)
# Of these an update does nothing.
_AT_REST = (UNCHANGED, STAYS, STUCK)
# These get no model.
_WITHOUT = (*_AT_REST, _RESTORE)


@dataclass(frozen=True)
class Change:
    """What happens to a member: *what*, because of *why*; the *address* of the model that it is to get, and whether that
    *trains*.
    """

    member: str
    what: str
    why: str = ""
    address: str = ""
    trains: bool = False

    @property
    def kind(self) -> str:
        """What and why, as a group of members has it in common."""
        return f"{self.what} ({self.why})" if self.why and self.what not in (STUCK, _RESTORE) else self.what

    def __str__(self) -> str:
        what = f"{self.member}: {self.what}" + (f" ({self.why})" if self.why else "")
        return f"{what} -> {self.address}{', to be trained' if self.trains else ''}" if self.address else what


@dataclass(frozen=True)
class Plan:
    """What an update would do: one *change* a member, also for those that stay; *wishes* by the members' names."""

    wishes: Mapping[str, Wish]
    changes: Sequence[Change]
    standings: Mapping[str, Standing] = field(default_factory=dict)

    @cached_property
    def due(self) -> list[Change]:
        """What there is to do for members that are declared, and can be what they are declared to be."""
        return [each for each in self.changes if each.what not in _WITHOUT and each.member in self.wishes]

    @cached_property
    def deviating(self) -> list[str]:
        """The members that get no other model, and whose endpoints don't serve the one that they have."""
        return [each.member for each in self.changes if each.what == _RESTORE]

    @cached_property
    def in_the_way(self) -> list[str]:
        """The leavers whose endpoints other members are to have."""
        wanted = {self.wishes[each.member].home for each in self.due}
        return [name for name in self.leavers if self.standings[name].endpoint in wanted]

    @cached_property
    def leavers(self) -> list[str]:
        """The members that are declared no more."""
        return [each.member for each in self.changes if each.what == _LEAVES]

    @cached_property
    def stuck(self) -> list[Change]:
        """Members that had their chance, or that can't have one as they are declared."""
        told = (STUCK, _RESTORE)
        return [each for each in self.changes if each.what in told and each.member in self.wishes]

    @property
    def lines(self) -> list[str]:
        """A line a kind of change, with the first few members; what is unchanged is counted."""
        groups: dict[str, list[str]] = {}
        for each in sorted(self.changes, key=lambda one: _ORDER.index(one.what)):
            groups.setdefault(each.kind, []).append(each.member)
        return [
            f"{len(names):,} {kind}" + ("" if kind == UNCHANGED else f": {named(names)}")
            for kind, names in groups.items()
        ]

    @property
    def key(self) -> str:
        """The digest of what would be done; empty for nothing."""
        wanted = [
            [each.member, each.what, each.address] for each in self.changes if each.what not in _AT_REST
        ]
        return digest(wanted) if wanted else ""


def named(names: Sequence[str]) -> str:
    """The first few of *names*, and how many more there are."""
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


@dataclass(frozen=True)
class _There:
    """What there is: the members' *standings*, those that are *declared*, what *endpoints* serve, and the *models*."""

    standings: Mapping[str, Standing]
    declared: Mapping[str, Wish]
    endpoints: Mapping[str, Sequence[Binding] | None]
    models: Mapping[str, Blob]


class Planner:
    """Compares what is wanted with what is there. Reads only."""

    def __init__(self, context: Context, fleet: FleetInputs) -> None:
        self._context, self._fleet = context, fleet
        self._registry = context.registry(fleet.target) if known(fleet.target) else None

    def plan(self, wishes: Sequence[Wish], *, addresses: bool = True) -> Plan:
        """What an update would do to them, and to members that are on record and wanted no more.

        Without *addresses* nobody is asked which model each would get.
        """
        by_name = {wish.name: wish for wish in wishes}
        if not known(self._fleet.experiment.digest):
            return Plan(by_name, [Change(wish.name, _NEW) for wish in wishes])
        standings = self.standings()
        endpoints = self._endpoints() if standings else {}
        there = _There(standings, by_name, endpoints, self._models() if standings else {})
        here = [self._change(wish, there) for wish in wishes]
        if addresses:

            def addressed(change: Change) -> Change:
                if change.what in _WITHOUT:
                    return change
                return self._addressed(by_name[change.member], change, standings)

            with ThreadPoolExecutor(_READERS, "fleet-plan") as readers:
                here = list(readers.map(addressed, here))
        due = {change.member for change in here if change.what not in _AT_REST}
        successors = {wish.member.formerly: wish.name for wish in wishes if wish.member.formerly}
        for name in sorted(name for name in standings if name not in by_name):
            change = self._left(name, successors.get(name), standings, due)
            here.append(self._stays(change, standings[name], endpoints) if change.what == STAYS else change)
        return Plan(by_name, here, standings)

    def _left(
        self, member: str, successor: str | None, standings: Mapping[str, Standing], due: Collection[str]
    ) -> Change:
        """What becomes of a member that is on record, and is neither named nor found; a renamed one is its successor's."""
        if successor is not None and (successor in due or not _serves(standings.get(successor))):
            return Change(member, _RENAMED if successor in due else STAYS, f"{successor} takes its place")
        if successor is None and self._fleet.keeps_missing:
            return Change(member, STAYS, "no data")
        return Change(member, _LEAVES)

    def _stays(
        self, change: Change, standing: Standing | None, endpoints: Mapping[str, Sequence[Binding] | None]
    ) -> Change:
        """One that gets no other model goes on serving the one that it has, also where somebody else bound another."""
        if standing is None or not _serves(standing) or not self._deviates(standing, endpoints):
            return change
        return Change(standing.member, _RESTORE, change.why)

    def _change(self, wish: Wish, there: _There) -> Change:
        """What would be done for a member, and why, before anybody is asked which model it would get."""
        name, standing = wish.name, there.standings.get(wish.name)
        if problem := problem_of(wish):
            return self._stays(Change(name, STUCK, problem), standing, there.endpoints)
        if standing is None:
            formerly = wish.member.formerly
            was = formerly if formerly in there.standings and formerly not in there.declared else ""
            return Change(name, _NEW, f"it was {was}" if was else "")
        if standing.state == "unfinished" or not standing.key:
            return Change(name, _GO_ON)
        if standing.key != wish.covers.key:
            return Change(name, _RETRAIN, _why(standing.cause, wish.cause))
        if standing.asks != wish.asks:
            return Change(name, _JUDGE)
        if standing.state == "failed":
            return self._stays(Change(name, STUCK, standing.error), standing, there.endpoints)
        if _lost(standing, there.models):
            return Change(name, _RETRAIN, "its model is lost")
        if standing.address and self._deviates(standing, there.endpoints):
            gone = standing.endpoint not in there.endpoints
            return Change(name, _BIND, "gone" if gone else "somebody else bound another")
        return Change(name, UNCHANGED)

    def _deviates(self, standing: Standing, endpoints: Mapping[str, Sequence[Binding] | None]) -> bool:
        """Whether an endpoint is gone, or says that it serves another model."""
        if standing.endpoint not in endpoints:
            return True
        served = endpoints[standing.endpoint]
        if served is None or self._registry is None:
            return False
        resource = self._fleet.resource.casefold()
        wanted = f"{self._registry.name}/{standing.address}"
        return not any(one.resource.casefold() == resource and one.location == wanted for one in served)

    def _addressed(self, wish: Wish, change: Change, standings: Mapping[str, Standing]) -> Change:
        """With the address of the model that the member is to get; or what keeps it from getting one."""
        standing = standings.get(wish.name)
        try:
            sought = wish.sought(self._context, standing.address if standing else "")
            if sought.run is None and not self._fleet.members.column:
                hold_data(self._context, wish.wanted, wish.covers)
        except RetrainError as error:
            return Change(wish.name, STUCK, error.cause)
        trains = sought.finished is None
        what = _REUSE if change.what == _RETRAIN and not trains else change.what
        return Change(wish.name, what, change.why, sought.address, trains)

    def standings(self) -> dict[str, Standing]:
        """Where the members on record are."""
        if self._registry is None or not self._fleet.fleet:
            return {}
        found = MemberRecords(self._registry, self._fleet.fleet).standings()
        return {name: standing for name, standing in found.items() if not is_staging(name)}

    def deviating(self, names: Sequence[str]) -> list[str]:
        """The members, of *names*, whose endpoints don't serve what is on record."""
        standings, endpoints = self.standings(), self._endpoints()
        there = [standings[name] for name in names if name in standings and standings[name].address]
        return [standing.member for standing in there if self._deviates(standing, endpoints)]

    def _models(self) -> dict[str, Blob]:
        assert self._registry is not None
        return {blob.name: blob for blob in self._registry.list(f"models/{self._fleet.experiment.name}/")}

    def _endpoints(self) -> Mapping[str, Sequence[Binding] | None]:
        service, online = self._fleet.service, self._fleet.online
        try:
            services = self._context.services(self._fleet.target, service.props())
            if isinstance(services, SharedEndpoints) and online:
                return services.members(service.id, online)
            return services.listed(service.id)
        except NotFound:
            return {}  # gone with its service, which is made again before the fleet


def _why(old: Cause, new: Cause) -> str:
    """What changed, by name."""
    return ", ".join(
        each.name for each in fields(Cause) if getattr(old, each.name) != getattr(new, each.name)
    )


def _serves(standing: Standing | None) -> bool:
    """Whether a member has a model."""
    return standing is not None and bool(standing.address)


def _lost(standing: Standing, models: Mapping[str, Blob]) -> bool:
    """Whether the model that a member serves is gone, or is another by its size."""
    found = models.get(standing.address)
    return bool(standing.address) and (found is None or found.size != standing.size)
