"""What must hold of a fleet after an update that nobody disturbs."""

from __future__ import annotations

import json
import time
import traceback
from collections import Counter
from dataclasses import replace
from hashlib import sha256

from retrain_hooks.registry.run_key import key_of
from tests.chaos.campaign import Outcome
from tests.chaos.fleets.declared import RESOURCE, Shop
from tests.chaos.fleets.player import FleetPlayer
from tests.chaos.histories import History
from tests.chaos.invariants import _jobs
from tests.chaos.marks import _compared, _id, _there
from tests.chaos.world import World

WRONG, RED = "wrong binding", "red"
CHAMPION, NOBODY, REASON, UNQUIET = "champion", "nobody", "reason", "unquiet"


def is_right(player: FleetPlayer) -> None:
    """Update quietly, and look at each member, at what is left of those that went, and at the next preview and update."""
    player._settle()
    player.end_faults()
    player.clock += 60
    for repair in player._repairs:
        repair.join()
    record, stack = player.record, player.stack
    stack.fleet = replace(stack.fleet, limit="100%")
    player.expect()
    player.look()
    began = len(record.errors)
    if not player.update(stack):
        record.violate(RED, f"the quiet update: {record.errors[began:]}")
        return
    player.look()
    record.figures["quiet updates"] += 1
    there = player.served()
    allowed: set[str] = set()
    for shop in player.fleet.shops.values():
        allowed |= _member(player, shop, there)
    for home in sorted(set(there) - allowed):
        record.violate(NOBODY, f"the endpoint {home} is nobody's, and serves {there[home]}")
    _marks(player)
    _at_rest(player)


def _member(player: FleetPlayer, shop: Shop, there: dict[str, str]) -> set[str]:
    """Check one member; the endpoints that it may have."""
    record, fleet = player.record, player.fleet
    told = [
        line.partition(": ")[2]
        for line in player.outputs["failed"]
        if line.partition(": ")[0].strip() == shop.name
    ]
    if fleet.able(shop):
        key = fleet.key(shop, player.trees)
        served = there.get(shop.home, "")
        if told:
            record.violate(RED, f"{shop.name} failed in a quiet update: {told}")
        elif key_of(served.partition("/")[2]) != key:
            record.violate(
                WRONG, f"{shop.name} serves {served or 'nothing'}, not run {key[:12]}: {_story(player, shop)}"
            )
        else:
            _bytes(player, shop, key, served)
            record.figures["members with their models"] += 1
        return {shop.home}
    goes = shop.gone and not fleet.listed
    if goes and fleet.leaves:
        player.champions.pop(shop.name, None)
        player.homes[shop.name].clear()
        record.figures["members that left"] += 1
        return set()
    if not goes and not any(told):
        record.violate(REASON, f"nothing says why {shop.name} has no model: {player.outputs['failed']}")
    champion = player.champions.get(shop.name)
    serving = {home for home in player.homes[shop.name] if home in there}
    others = {one.home for one in fleet.shops.values() if one.name != shop.name}
    serving -= others
    lost = champion is not None and champion.partition("/")[2] in record.damaged
    if champion is None and serving:
        record.violate(
            WRONG, f"{shop.name} has no model, and {serving} serves {[there[one] for one in serving]}"
        )
    elif champion is not None and champion not in {there[one] for one in serving} and not lost:
        what = {one: there[one] for one in serving}
        record.violate(CHAMPION, f"{shop.name} served {champion}, and now {what}: {_story(player, shop)}")
    elif len(serving) > 1:
        record.violate(NOBODY, f"{shop.name} has the endpoints {serving}")
    else:
        kept = "members that kept their champions" if champion else "members without a model"
        record.figures[kept] += 1
    return serving


def _bytes(player: FleetPlayer, shop: Shop, key: str, served: str) -> None:
    """What a member serves are the bytes that its run left."""
    run = player.record.ledger.get(key, {})
    content = player.world.download(player.registry, served.partition("/")[2]) or b""
    address = f"{player.registry}/models/{run.get('experiment')}/{key}/{run.get('attempt')}.ilearner"
    if address != served or sha256(content).hexdigest() != run.get("sha256"):
        player.record.violate(WRONG, f"{shop.name} serves {served}, which is not what its run left: {run}")


def _story(player: FleetPlayer, shop: Shop) -> str:
    """What there is to know of a member."""
    return f"{shop}; failed: {player.outputs['failed']}; plan: {player.outputs.get('plan')}"


def _marks(player: FleetPlayer) -> None:
    """Each endpoint has its mark, and each mark its thing, or a member that may still have it."""
    there, record = _there(player), player.record
    marked = {}
    for name in player.world.names(player.registry, "owners/"):
        mark = json.loads(player.world.download(player.registry, name) or b"{}")
        marked[_id(mark["thing"])] = mark
    for thing in sorted(there - set(marked)):
        record.violate(NOBODY, f"{thing} is there, and nobody has marked it")
    for thing, mark in marked.items():
        _fleet, _slash, rest = mark["owner"]["name"].partition("/")
        member = rest.removesuffix("/endpoint")
        if thing not in there and _compared(mark["thing"]) and member not in player.fleet.shops:
            record.violate(NOBODY, f"{thing} is marked as {mark['owner']['name']}'s, and is not there")


def _at_rest(player: FleetPlayer) -> None:
    """The next preview has nothing to do, and the next update writes nothing."""
    record = player.record
    told = player.foresee(player.stack, player.stack.config)
    if told is None or told.operations:
        what = told and (
            told.operations,
            told.inputs[RESOURCE].get("plan"),
            told.inputs[RESOURCE].get("stuck"),
        )
        record.violate(
            UNQUIET, f"the next preview: {what or record.errors[-1:]}, was {player.outputs['stuck']}"
        )
        return
    before = player._writes()
    if not player.update(player.stack):
        record.violate(RED, f"the second quiet update: {record.errors[-1]}")
    if extra := player._writes() - before:
        record.violate(UNQUIET, f"the second quiet update wrote: {dict(extra)}")
    addresses = json.loads(player.outputs["addresses"] or "{}")
    there = player.served()
    wanted = {
        shop.name for shop in player.fleet.shops.values() if player.fleet.able(shop) and shop.home in there
    }
    if missing := wanted - set(addresses):
        record.violate(UNQUIET, f"the outputs say no address of {sorted(missing)}")


def play(world: World, told: History, name: str, sabotage: str = "") -> Outcome:
    """Play *told* in *world*, with a product broken by *sabotage* perhaps, and check what must hold."""
    began = time.monotonic()
    player = FleetPlayer(world, name)
    player.sabotage, record = sabotage, player.record
    try:
        player.open()
        if told.steps and told.steps[0].kind == "opening":
            player.play(told)
            if not record.violations:
                is_right(player)
            record.journal = world.journal()
            trace = player.folder / "trace.jsonl"
            record.trace = [json.loads(line) for line in trace.read_text().splitlines()]
            _jobs(player)
    except Exception:  # the campaign goes on, and says so
        record.violate("harness", traceback.format_exc(limit=-4))
    finally:
        try:
            player.close()
        except Exception:
            record.violate("harness", traceback.format_exc(limit=-4))
    figures: Counter[str] = Counter({kind: number for kind, number in record.figures.items() if number})
    seconds = time.monotonic() - began
    return Outcome(
        told.seed, told.index, seconds, dict(figures), record.violations, [str(step) for step in told.steps]
    )
