"""How a fleet lets go of a member: its binding, its endpoint, and what an interrupted update has half made."""

from __future__ import annotations

from clients.azureml.members import sweep
from retrain_hooks.binding.lifecycle import ModelBindingLifecycle
from retrain_hooks.fleet.inputs import FleetPlace, pack_group
from retrain_hooks.fleet.planning.wishes import endpoint_of, owner_of
from retrain_hooks.fleet.records import MemberRecord, MemberRecords
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.ownership.claims import OwnerRef
from retrain_hooks.registry.markers import Markers
from retrain_hooks.services.endpoint import EndpointLifecycle
from retrain_hooks.serving.endpoints import Place


class Retirer:
    """Deletes what the fleet at *place* made for its members; models and verdicts stay in the registry."""

    def __init__(self, context: Context, place: FleetPlace) -> None:
        self._place, self._registry = place, context.registry(place.target)
        self._records = MemberRecords(self._registry, place.fleet)
        self._endpoints = EndpointLifecycle(context)
        self._bindings = ModelBindingLifecycle(context)

    def members(self) -> list[str]:
        """All that are on record, staging endpoints included."""
        return list(self._records.standings())

    def retire(self, member: str) -> None:
        """Delete the endpoint of a member that is declared no more, and then its record. Raises RetrainError."""
        entry = self._records.find(member)
        if entry is None:
            return
        if self._place.shared:
            self._unmark(entry.value)
        else:
            self._delete(entry.value)
        self._records.delete(member)

    def _delete(self, record: MemberRecord) -> None:
        if record.binding:
            self._bindings.delete("", record.binding)
        if record.live:
            self._endpoints.delete("", record.live)
        self.drop_half_made(record)

    def _unmark(self, record: MemberRecord) -> None:
        """The model that it was answered by, of those that share an endpoint, is not needed any more."""
        binding, place = record.binding, self._place
        if not binding:
            return
        home = str(record.live.get("name") or "")
        marker = Place(
            target=place.target, service=place.service, endpoint=home, resource=str(binding["resource"])
        ).marker(home, str(binding["address"]))
        owner = owner_of(place, f"{record.standing.member}/binding")
        holder = OwnerRef.parse(owner).owner if owner else None
        Markers(self._registry).unmark(marker, holder, str(binding["incarnation"]))

    def forget_packs(self) -> None:
        """Delete what was made of the models of all members, where they shared an endpoint."""
        if self._place.shared:
            sweep(self._registry, pack_group(self._place.fleet), lambda _pack: False)

    def drop_half_made(self, record: MemberRecord) -> None:
        """Delete an endpoint that an interrupted update has made for a member, and that the member did not get."""
        name = record.standing.endpoint
        if name == record.live.get("name") or self._place.shared:
            return
        owner = owner_of(self._place, f"{record.standing.member}/endpoint")
        props = endpoint_of(self._place, name, "", owner)
        self._endpoints.delete_half_made(props)
