"""Members that share an endpoint: their models are bound together, as one pack, by one deployment.

The pack is made anew with what changed of it, deployed without traffic, and each member that gets another model is probed there.
One whose model does not answer keeps the one of before; then the traffic moves, whole. What every member is to have is on its
record, so that an update that was cut off is gone on with, whoever binds next.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from clients.azureml.members import members_of, pack_address, packed, sweep, write_pack
from clients.azureml.slots import Slot
from clients.errors import BindingFailed, LedgerError, NotFound, RetrainError, UpdateCancelled
from clients.poller import Pace, wait
from retrain_hooks.fleet.inputs import FleetInputs, pack_group
from retrain_hooks.fleet.planning.wishes import Wish
from retrain_hooks.fleet.records import MemberRecord, MemberRecords, is_staging
from retrain_hooks.gate.inputs import HELD
from retrain_hooks.host.lifecycle import Context, Progress
from retrain_hooks.ownership.claims import OwnerRef
from retrain_hooks.registry.ledger import Ledger
from retrain_hooks.registry.markers import Markers
from retrain_hooks.registry.records import Entry
from retrain_hooks.serving import probe
from retrain_hooks.serving.endpoints import Endpoints, Place, changed_service
from retrain_hooks.serving.live import LiveEndpoint

_AT_ONCE = 8
_LAST_SECONDS = 60.0  # a look may end so much after its deadline
_PACE = Pace(shortest=0.1, longest=5.0)


@dataclass(frozen=True)
class _Chosen:
    """What a member of the wave is to have: the *address* of a model, empty for none."""

    wish: Wish
    entry: Entry[MemberRecord]
    address: str


class _Lost(Exception):
    """The model of the member called *name* is nowhere."""

    def __init__(self, name: str, error: RetrainError) -> None:
        super().__init__(name)
        self.name, self.error = name, error


class Packer:
    """Binds the models of the members of *fleet* to the endpoint that they share; *progress* is told what takes minutes."""

    def __init__(self, context: Context, fleet: FleetInputs, progress: Progress) -> None:
        self._context, self._fleet, self._progress = context, fleet, progress
        self._registry = context.registry(fleet.target)
        self._records = MemberRecords(self._registry, fleet.fleet)
        self._ledger, self._markers = Ledger(self._registry), Markers(self._registry)
        self._live_slot = Slot(fleet.online)
        self._staging_slot = Slot(fleet.online, staging=True)
        self._services = context.services(fleet.target, fleet.service.props())
        place = Place(
            target=fleet.target,
            service=fleet.service,
            endpoint=fleet.online,
            staging=str(self._staging_slot),
            resource=fleet.resource,
            graph=fleet.graph,
        )
        self._endpoints = Endpoints(context, place)

    def bind(self, wave: Sequence[Wish] = (), without: Collection[str] = ()) -> dict[str, str]:
        """Let the endpoint serve what is on record, and of the members of *wave* what their gates chose; why that failed,
        by their names. *without* are members that leave.

        Raises UpdateCancelled.
        """
        failed: dict[str, RetrainError] = {}
        try:
            chosen = self._chosen(wave)
            there = self._served(without)
            while True:
                going = {one.wish.name: one for one in chosen if one.wish.name not in failed}
                wrong = self._put(there, list(going.values()))
                if not wrong:
                    break
                for name in wrong.keys() - going.keys():
                    there.pop(name, None)  # not even the model of before is to be had
                failed |= wrong
            self._saved(list(going.values()))
        except UpdateCancelled:
            raise
        except RetrainError as error:
            names = [wish.name for wish in wave if wish.name not in failed] or [self._fleet.online]
            failed |= dict.fromkeys(names, error)
        self._explain(failed)
        return {name: error.cause for name, error in failed.items()}

    def _chosen(self, wave: Sequence[Wish]) -> list[_Chosen]:
        found = []
        for wish in wave:
            entry = self._records.find(wish.name)
            if entry is not None:
                found.append(_Chosen(wish, entry, str(entry.value.promotion["model"]["address"])))
        return found

    def _served(self, without: Collection[str]) -> dict[str, str]:
        """The model that each member has by its record."""
        return {
            name: one.address
            for name, one in self._records.standings().items()
            if one.address and name not in without and not is_staging(name)
        }

    def _put(self, there: Mapping[str, str], going: Sequence[_Chosen]) -> dict[str, RetrainError]:
        """Make it so; those whose models are lost or don't answer, where there are some: nothing is changed then."""
        wanted = dict(there) | {one.wish.name: one.address for one in going if one.address}
        live = LiveEndpoint(self._endpoints, self._fleet.online)
        before = live.serves()
        if not wanted:
            if before:
                live.write("")
            self._tidy(live, "")
            return {}
        pack = pack_address(pack_group(self._fleet.fleet), wanted)
        if live.surely_serves(pack):
            self._tidy(live, pack)
            return {}
        self._context.guard.check()
        self._progress.status(f"fleet: a deployment with {len(wanted):,} models is made")
        try:
            sha256 = write_pack(
                self._registry, pack, wanted, lambda name: self._content(before, name, wanted[name])
            )
        except _Lost as lost:
            return {lost.name: lost.error}
        LiveEndpoint(self._endpoints, str(self._staging_slot), sha256=lambda _address: sha256).write(pack)
        self._progress.status("fleet: the deployment is up, and its members are probed")
        changed = [one.wish for one in going if one.address and there.get(one.wish.name) != one.address]
        seen = self._looks(self._staging_slot, changed)
        if wrong := {name: look.error for name, look in seen.items() if look.error}:
            return {name: _no_answer(name, error) for name, error in wrong.items()}
        live = LiveEndpoint(self._endpoints, self._fleet.online, sha256=lambda _address: sha256)
        live.write(pack)
        if late := self._late(changed, seen):
            live.put_back()
            return {
                name: _no_answer(name, "it answers otherwise than it did before the traffic moved")
                for name in late
            }
        self._tidy(live, pack)
        return {}

    def _tidy(self, live: LiveEndpoint, pack: str) -> None:
        """Let go of deployments that nobody is answered by, and of packs other than the one that is served."""
        live.retire(keep=0)
        sweep(self._registry, pack_group(self._fleet.fleet), lambda one: one == pack)
        changed_service(self._context, self._fleet.target, self._fleet.service.id)

    def _content(self, before: str, name: str, address: str) -> bytes:
        """A member's model: the one that its run left; where that is lost, as the pack *before* has it."""
        try:
            self._ledger.hand_over(address)
            return self._registry.read(address)[0]
        except (LedgerError, NotFound) as error:
            if before and members_of(self._registry, before).get(name) == address:
                return packed(self._registry, before, name)
            raise _Lost(name, error) from None

    def _looks(self, slot: Slot, wishes: Sequence[Wish]) -> dict[str, probe.Look]:
        """What members answer there, one after the other, since a deployment may answer one call at once; those that are
        not to be probed say nothing.
        """
        return {wish.name: self._look(slot, wish) for wish in wishes}

    def _look(self, slot: Slot, wish: Wish) -> probe.Look:
        reference, clock = wish.member.data, self._context.clock
        assert reference is not None
        data = self._context.data(self._fleet.target, reference.container)
        rows = probe.read_rows(data, reference.blobs, wish.probe_rows)
        if not rows:
            return probe.Look("")
        place, deadline = str(slot.of(wish.name)), float(self._fleet.probe_deadline)

        def look(waited: float) -> probe.Look | None:
            self._context.guard.check()
            seen = probe.look(lambda: self._services.scoring(self._fleet.service.id, place), rows, clock)
            return None if seen.passing and waited < deadline else seen

        what = f"an answer of {place!r}"
        return wait(look, what=what, deadline=deadline + _LAST_SECONDS, clock=clock, pace=_PACE)

    def _late(self, wishes: Sequence[Wish], seen: Mapping[str, probe.Look]) -> list[str]:
        """The members that don't answer by the endpoint's address, in time, as they did by the deployment's."""
        deadline = float(self._fleet.probe_deadline)
        waiting = list(wishes)

        def look(waited: float) -> list[str] | None:
            self._context.guard.check()
            now = self._looks(self._live_slot, waiting)
            waiting[:] = [wish for wish in waiting if now[wish.name].answers != seen[wish.name].answers]
            left = [wish.name for wish in waiting]
            return left if not left or waited >= deadline else None

        clock, whole = self._context.clock, deadline * (len(waiting) + 1) + _LAST_SECONDS
        return wait(look, what="what members answer", deadline=whole, clock=clock, pace=_PACE)

    def _saved(self, bound: Sequence[_Chosen]) -> None:
        """Note on each record what its member serves now, and mark that model as one that is needed."""
        found = self._services.endpoint(self._fleet.service.id, self._fleet.online)
        url = found.url if found else ""
        with ThreadPoolExecutor(_AT_ONCE, "fleet") as writers:
            list(writers.map(lambda one: self._save(one, url), bound))

    def _save(self, one: _Chosen, url: str) -> None:
        wish, record, address = one.wish, one.entry.value, one.address
        held = record.promotion["verdict"] == HELD
        token = str(record.binding.get("incarnation") or uuid.uuid4().hex)
        run = self._ledger.at(address) if address else None
        standing = replace(
            record.standing,
            state="held" if held else "serving",
            key=wish.covers.key,
            asks=wish.asks,
            cause=wish.cause,
            address=address,
            endpoint=wish.home,
            url=url if address else "",
            size=run.bytes if run else 0,
        )
        if address:
            place = Place(
                target=self._fleet.target,
                service=self._fleet.service,
                endpoint=wish.home,
                resource=self._fleet.resource,
            )
            owner = wish.owner("binding")
            holder = OwnerRef.parse(owner).owner if owner else None
            self._markers.mark(place.marker(wish.home, address), holder, token)
        live = {"name": wish.home, "url": standing.url, "incarnation": token} if address else {}
        binding = (
            {"address": address, "incarnation": token, "resource": self._fleet.resource} if address else {}
        )
        self._records.save(one.entry, replace(record, standing=standing, live=live, binding=binding))

    def _explain(self, failed: Mapping[str, RetrainError]) -> None:
        """Say on the records why members don't have what they are to have."""
        for name, error in failed.items():
            if entry := self._records.find(name):
                self._records.save(entry, entry.value.went_wrong(error.cause, error.remedy))


def _no_answer(name: str, error: str) -> RetrainError:
    return BindingFailed(
        f"the model of {name!r} does not answer in the deployment that members share: {error}",
        "look at what its run left (./dev fleet explain), and at its data; the next update tries it again",
    )
