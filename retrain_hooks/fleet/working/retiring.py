"""How a fleet lets go of a member: its binding, its endpoint, and what an interrupted update has half made."""

from __future__ import annotations

from retrain_hooks.binding.lifecycle import ModelBindingLifecycle
from retrain_hooks.fleet.inputs import FleetPlace
from retrain_hooks.fleet.planning.wishes import endpoint_of, owner_of
from retrain_hooks.fleet.records import MemberRecord, MemberRecords
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.services.endpoint import EndpointLifecycle


class Retirer:
    """Deletes what the fleet at *place* made for its members; models and verdicts stay in the registry."""

    def __init__(self, context: Context, place: FleetPlace) -> None:
        self._place = place
        self._records = MemberRecords(context.registry(place.target), place.fleet)
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
        if entry.value.binding:
            self._bindings.delete("", entry.value.binding)
        if entry.value.live:
            self._endpoints.delete("", entry.value.live)
        self.drop_half_made(entry.value)
        self._records.delete(member)

    def drop_half_made(self, record: MemberRecord) -> None:
        """Delete an endpoint that an interrupted update has made for a member, and that the member did not get."""
        name = record.standing.endpoint
        if name == record.live.get("name"):
            return
        owner = owner_of(self._place, f"{record.standing.member}/endpoint")
        props = endpoint_of(self._place, name, "", owner)
        self._endpoints.delete_half_made(props)
