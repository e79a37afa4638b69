"""Marks of owners: none without its thing, and no thing without its mark, once all stacks are quiet."""

from __future__ import annotations

import json
from typing import Any

from tests.chaos.play import Player


def marks(player: Player) -> None:
    """Compare the registry's marks with what is there; what does not hold is noted in the player's record."""
    marked = {}
    for name in player.world.names(player.registry, "owners/"):
        try:
            mark = json.loads(player.world.download(player.registry, name) or b"{}")
            marked[_id(mark["thing"])] = mark
        except (ValueError, KeyError, TypeError):
            player.record.violate("marks", f"the mark {name} cannot be read")
    there = _there(player)
    for thing in sorted(there - set(marked)):
        player.record.violate("marks", f"{thing} is there, and nobody has marked it")
    borne = {
        each["outputs"].get("incarnation")
        for stack in player.stacks.values()
        for each in [*stack.state.resources.values(), *(one for _name, one in stack.state.retired)]
    }
    for thing, mark in marked.items():
        if thing in there or not _compared(mark["thing"]):
            continue
        if mark["incarnation"] in borne or not player.killed:
            player.record.violate(
                "marks", f"{thing} is marked as {mark['owner']['name']}'s, and is not there"
            )
        else:
            # Killed between mark and thing, then declared otherwise: its owner can have it at any time.
            player.record.figures["marks that a killed update left"] += 1


def _compared(thing: dict[str, Any]) -> bool:
    return thing["kind"] in ("web service", "endpoint")


def _id(thing: dict[str, Any]) -> str:
    return str(thing["id"]).casefold()


def _there(player: Player) -> set[str]:
    """The classic web services and endpoints of this history, and the New services of its stacks."""
    found = set()
    for workspace, token in player.places.values():
        for service in player.world.manage(workspace, token) or []:
            id_ = f"{workspace['resource']}/webservices/{service['Id']}"
            found.add(f"{workspace['resource']}/webservices/{service['Name']}")
            for endpoint in player.world.manage(workspace, token, f"/{service['Id']}/endpoints") or []:
                if endpoint["Name"] != "default":
                    found.add(f"{id_}/endpoints/{endpoint['Name']}")
    [workspace, *_rest] = [workspace for workspace, _token in player.places.values()]
    group = workspace["resource"].partition("/providers/")[0]
    services = player.world.new_services(group)
    found |= {service["id"] for service in services if f"chaos-{player.name}" in service["id"]}
    return {thing.casefold() for thing in found}
