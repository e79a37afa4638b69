"""From what a fleet takes to what an update would do: its members are found, and compared with what is there."""

from __future__ import annotations

from dataclasses import replace

from retrain_hooks.fleet.inputs import FleetInputs
from retrain_hooks.fleet.members.inputs import Member
from retrain_hooks.fleet.members.sources import Found, find_members
from retrain_hooks.fleet.planning.plan import Plan, Planner
from retrain_hooks.fleet.planning.wishes import Wish
from retrain_hooks.host.lifecycle import Context


def planned(context: Context, fleet: FleetInputs, *, addresses: bool = True) -> tuple[Plan, Found]:
    """What an update would do to the members of *fleet*, and who they are. Reads only.

    With *addresses* it says which model each is to get, which takes a look at the ledger for each that changes.

    Raises ConfigurationError where nobody is a member, or they can't be told.
    """
    found, wishes = _wishes(context, fleet)
    return Planner(context, fleet).plan(wishes, addresses=addresses), found


def _wishes(context: Context, fleet: FleetInputs) -> tuple[Found, list[Wish]]:
    """What is wanted of each member, in the order in which they were found."""

    def members(version: str) -> Found:
        return find_members(context, fleet.target, fleet.members, fleet.path, version, fleet.container)

    found = members(fleet.version)
    held_out: dict[str, Member] = {}
    if fleet.holdout:
        held_out = {member.name: member for member in members(fleet.holdout).members}
    return found, [_wish(fleet, member, held_out.get(member.name)) for member in found.members]


def _wish(fleet: FleetInputs, member: Member, held_out: Member | None) -> Wish:
    """What is wanted of *member*; one whose holdout is missing has that as its problem."""
    if not fleet.holdout or member.problem:
        return Wish(fleet, member)
    if held_out is None or held_out.data is None:
        problem = (
            f"the member {member.name!r} has no data of the version {fleet.holdout}, which it is judged on"
        )
        return Wish(fleet, replace(member, problem=problem))
    return Wish(fleet, member, held_out)
