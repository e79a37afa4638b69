"""Plays a history of a fleet: what is declared changes, what is there is meddled with, and updates are cut off."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.storage.blob import generate_blob_sas

from retrain_hooks.registry.run_key import key_of
from tests.chaos import program
from tests.chaos.engine import Engine, State
from tests.chaos.fleets.declared import RESOURCE, TABLE, VERSION, Fleet, FleetStack, Shop
from tests.chaos.fleets.drawn import Act, Opening
from tests.chaos.histories import History, Step, Strike, Update
from tests.chaos.play import Player
from tests.chaos.record import Stack
from tests.chaos.world import ACCOUNT, World

_STAGING = "staging"


class FleetPlayer(Player):
    """Plays one history of a fleet in stack *a*.

    *rightful* are the runs that each member may ever have served, *champions* the addresses that each was seen to serve
    last, by names of members; *homes* are the endpoints that a member may have had.
    """

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name)
        self.rightful: defaultdict[str, set[str]] = defaultdict(set)
        self.champions: dict[str, str] = {}
        self.homes: defaultdict[str, set[str]] = defaultdict(set)
        self._forgotten: set[str] = set()
        self._numbers = 0
        self._kind = ""

    @property
    def stack(self) -> FleetStack:
        """The stack of the fleet."""
        found = self.stacks["a"]
        assert isinstance(found, FleetStack)
        return found

    @property
    def fleet(self) -> Fleet:
        """What is declared now."""
        return self.stack.fleet

    def play(self, history: History) -> None:
        """All steps, one after the other."""
        for step in history.steps:
            self.clock += step.pause
            if isinstance(step, Act):
                self._act(step)
            else:
                getattr(self, f"_{step.kind}")(step)
            self.look()
            if self.record.violations:
                break

    # What is declared

    def open(self, stacks: Iterable[str] = ("a",)) -> None:
        """Containers, the baseline's data, a workspace."""
        super().open(stacks)
        plain = self.stacks["a"]
        self.stacks["a"] = FleetStack("a", State(plain.state.path), plain.declared, plain.config)

    def _opening(self, step: Opening) -> None:
        self._kind = "kind" if step.new else ""
        self.stack.config = program.Config(change=self._kind)
        shops = [self._shop() for _member in range(step.members)]
        self.stack.fleet = Fleet(step.choice, {shop.name: shop for shop in shops}, leaves=step.leaves)
        self._store()

    def _shop(self) -> Shop:
        number = self._number()
        return Shop(f"shop{number}", number, f"shop{number}")

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _store(self) -> None:
        """Have what the members' data is now in the data container."""
        fleet = self.fleet
        if fleet.by_column:
            self.world.upload(self.data, TABLE.format(version=VERSION), fleet.table())
            return
        wanted = {shop.path: fleet.content(shop) for shop in fleet.shops.values() if not shop.gone}
        for path, content in wanted.items():
            if self.contents.get(path) != content:
                self.world.upload(self.data, path, content)
        for path in [one for one in self.contents if one.startswith("fleet/") and one not in wanted]:
            self.world.delete_blob(self.data, path)
            del self.contents[path]
        self.contents |= wanted

    def _act(self, step: Act) -> None:
        """One thing that happens; nothing where there is no member that it can happen to."""
        self._settle()
        done = getattr(self, f"_act_{step.kind}")(step.nth)
        if done is not False:
            self.record.figures[f"act: {step.kind}"] += 1
            self._store()

    def _one(self, nth: int, among: Sequence[Shop] | None = None) -> Shop | None:
        shops = list(self.fleet.shops.values()) if among is None else among
        return shops[nth % len(shops)] if shops else None

    def _alter(self, shop: Shop | None, **given: Any) -> bool:
        """Another thing of a member's data; members with one folder have it in common."""
        if shop is None:
            return False
        for each in list(self.fleet.shops.values()):
            if each.folder == shop.folder:
                self.stack.fleet = self.fleet.with_(replace(each, **given))
        return True

    def _act_fresh(self, nth: int) -> bool:
        return self._alter(self._one(nth), number=self._number(), gone=False)

    def _act_join(self, _nth: int) -> None:
        self.stack.fleet = self.fleet.with_(self._shop())

    def _act_leave(self, nth: int) -> bool:
        shop = self._one(nth, [one for one in self.fleet.shops.values() if one.name not in self._forgotten])
        if shop is None or not any(
            not one.gone for one in self.fleet.shops.values() if one.name != shop.name
        ):
            return False
        if not self.fleet.listed:  # nobody said that it is to go: its data is gone
            return self._starved(shop)
        self.stack.fleet = self.fleet.without(shop.name)
        return True

    def _act_spoil(self, nth: int) -> bool:
        return self._alter(self._one(nth), spoilt=True, number=self._number())

    def _act_mend(self, nth: int) -> bool:
        ill = [one for one in self.fleet.shops.values() if not one.able]
        shop = self._one(nth, ill)
        if shop is not None:
            self.stack.fleet = self.fleet.with_(replace(shop, refused=False))
        return self._alter(shop and self.fleet.shops[shop.name], spoilt=False, gone=False)

    def _act_starve(self, nth: int) -> bool:
        return self._starved(self._one(nth))

    def _starved(self, shop: Shop | None) -> bool:
        if shop is None or shop.name in self._forgotten:
            return False
        rest = [one for one in self.fleet.shops.values() if one.folder != shop.folder and not one.gone]
        return bool(rest) and self._alter(shop, gone=True)

    def _act_twin(self, nth: int) -> bool:
        """Two members with one data."""
        if not self.fleet.listed or self.fleet.by_column:
            return False
        shop, other = self._one(nth), self._one(nth + 1)
        assert shop
        assert other
        data = {name: getattr(other, name) for name in ("folder", "number", "spoilt", "gone")}
        self.stack.fleet = self.fleet.with_(replace(shop, **data))
        return True

    def _act_rename(self, nth: int) -> bool:
        """Its name, and so its endpoint's; with a table its data as well, which has the name in it."""
        former = {one.formerly for one in self.fleet.shops.values()}
        shop = self._one(nth, [one for one in self.fleet.shops.values() if one.name not in self._forgotten])
        if shop is None or shop.formerly or shop.name in former:
            return False
        number = self._number()
        name = f"shop{number}"
        folder = name if self.fleet.by_column else shop.folder
        more = {"number": number, "spoilt": False, "gone": False} if self.fleet.by_column else {}
        # Every other time its address stays what it was.
        endpoint = shop.home if nth % 2 else ""
        new = replace(shop, name=name, folder=folder, formerly=shop.name, endpoint=endpoint, **more)
        self.stack.fleet = self.fleet.without(shop.name).with_(new)
        self.rightful[name] |= self.rightful[shop.name]
        self.homes[name] |= self.homes[shop.name]
        if shop.name in self.champions:
            self.champions[name] = self.champions[shop.name]
        return True

    def _act_refuse(self, nth: int) -> bool:
        shop = self._one(nth)
        assert shop
        self.stack.fleet = self.fleet.with_(replace(shop, refused=True))
        return self._alter(self.fleet.shops[shop.name], number=self._number())

    def _act_own(self, nth: int) -> None:
        shop = self._one(nth)
        assert shop
        self.stack.fleet = self.fleet.with_(replace(shop, trees=3 + nth % 5))

    def _act_endpoint(self, nth: int) -> None:
        shop = self._one(nth)
        assert shop
        self.stack.fleet = self.fleet.with_(replace(shop, endpoint=f"other{self._number()}"))

    def _act_gate(self, _nth: int) -> None:
        self.stack.fleet = replace(self.fleet, refusing=not self.fleet.refusing)

    def _act_limit(self, nth: int) -> None:
        self.stack.fleet = replace(self.fleet, limit=["0", "1"][nth % 2])

    def _act_preview(self, _nth: int) -> None:
        self.foresee(self.stack, self.stack.config)

    # What somebody else does

    def _act_meddle(self, nth: int) -> bool:
        """Somebody binds the baseline's model to a member's endpoint."""
        served = self.served()
        if not served:
            return False
        home = sorted(served)[nth % len(served)]
        self.bind(home, self.served(all_=True)["default"])
        return True

    def bind(self, endpoint: str, location: str) -> None:
        """Bind the model at *location*, past the product."""
        service = self.service
        address = self.address(location).removeprefix(f"{self.registry}/")
        sas = generate_blob_sas(
            ACCOUNT,
            self.registry,
            address,
            account_key=self.world.key,
            permission="r",
            expiry=datetime.now(UTC) + timedelta(days=1),
        )
        base = f"{self.world.cloud()['blob']}/"
        if self._kind:
            path = f"{service['id']}-{endpoint}"
            found = self.world.arm("GET", path, "2017-01-01")
            key = next(one for one, asset in found["properties"]["assets"].items() if "locationInfo" in asset)
            asset = found["properties"]["assets"][key]
            asset["locationInfo"] = {"uri": f"{base}{self.registry}/{address}?{sas}"}
            body = {"properties": {"packageType": "Graph", "assets": {key: asset}}}
            self.world.arm("PATCH", path, "2017-01-01", body)
            return
        workspace, token = self.places[f"{self.name}-a"]
        path = f"/{service['id']}/endpoints/{endpoint}"
        found = self.world.manage(workspace, token, path)
        place = {
            "BaseLocation": base,
            "RelativeLocation": f"{self.registry}/{address}",
            "SasBlobToken": f"?{sas}",
        }
        self.world.http.patch(
            f"{self.world.url}/workspaces/{workspace['id']}/webservices{path}",
            headers={"Authorization": f"Bearer {found['PrimaryKey']}"},
            json={"Resources": [{"Name": found["Resources"][0]["Name"], "Location": place}]},
        ).raise_for_status()

    def _act_lose(self, nth: int) -> bool:
        """A model that a member serves, or served, is gone."""
        served = set(self.champions.values())
        there = [
            name for name in self.world.names(self.registry, "models/") if f"{self.registry}/{name}" in served
        ]
        if not there:
            return False
        name = there[nth % len(there)]
        self.record.damaged.add(name)
        self.world.delete_blob(self.registry, name)
        return True

    def _act_forget(self, nth: int) -> bool:
        """A member's record is gone."""
        records = {}
        for name in self.world.names(self.registry, "fleets/"):
            found = json.loads(self.world.download(self.registry, name) or b"{}")
            records[found.get("standing", {}).get("member", "")] = name
        there = [name for name in records if name in self.fleet.shops]
        if not there:
            return False
        member = sorted(there)[nth % len(there)]
        self._forgotten.add(member)
        self.world.delete_blob(self.registry, records[member])
        return True

    # Updates

    def _update(self, update: Update) -> None:
        self.expect()
        try:
            self.update(self.stack, update.strikes, update.boundary)
        except Exception as failure:
            self.record.violate("harness", f"{type(failure).__name__}: {failure}")

    def expect(self) -> None:
        """Note what each member may serve from now on, and where."""
        for shop in self.fleet.shops.values():
            self.homes[shop.name].add(shop.home)
            if self.fleet.able(shop):
                self.rightful[shop.name].add(self.fleet.key(shop, self.trees))

    def update(self, stack: Stack, strikes: Sequence[Strike] = (), boundary: int | None = None) -> bool:
        """An ``up``; whether it succeeded."""
        self.record.figures["updates"] += 1
        done = self.run(stack, lambda run: run.up(stack.program()), strikes, boundary)
        if done:
            self._forgotten.clear()
        return done

    def _strike(self, strike: Strike, stack: Stack, engine: Engine) -> str:
        if strike.do == "kill-azurite":
            self.record.figures["kills of the blob store"] += 1
            self.world.restart_azurite(self._providers[-1].pid)
            return "go"
        return super()._strike(strike, stack, engine)

    def _quiet(self, _step: Step) -> None:
        from tests.chaos.fleets.right import is_right

        is_right(self)

    # What is seen

    @property
    def service(self) -> dict[str, Any]:
        """The predictive web service, as the state has it; empty where it isn't there yet."""
        known = self.stack.state.resources.get("predictive")
        return dict(known["outputs"]["service"]) if known else {}

    @property
    def outputs(self) -> dict[str, Any]:
        """What the fleet came to, as the state has it."""
        return dict(self.stack.state.resources.get(RESOURCE, {}).get("outputs", {}))

    def served(self, *, all_: bool = False) -> dict[str, str]:
        """The address of what each member's endpoint serves, by the endpoint's name, as the service says."""
        service = self.service
        if not service:
            return {}
        if self._kind:
            group = service["id"].partition("/providers/")[0]
            ids = [one["id"] for one in self.world.new_services(group)]
            names = [one[len(service["id"]) + 1 :] for one in ids if one.startswith(f"{service['id']}-")]
        else:
            workspace, token = self.places[f"{self.name}-a"]
            listed = self.world.manage(workspace, token, f"/{service['id']}/endpoints") or []
            names = [one["Name"] for one in listed]
        found = {name: self.world.served(service, name) for name in names}
        if self._kind and all_:
            assets = self.world.arm("GET", service["id"], "2017-01-01")["properties"]["assets"].values()
            found["default"] = next(one["locationInfo"]["uri"] for one in assets if one["type"] == "Resource")
        return {
            name: self.address(location)
            for name, location in found.items()
            if location and (all_ or (name != "default" and not name.startswith(_STAGING)))
        }

    def look(self) -> None:
        """Note what the ledger says and what members serve, which must be theirs (not while faults would meet the question)."""
        self.record.ledger = self._runs()
        if self._faulty:
            return
        there = self.served()
        marks = [self.world.download(self.registry, one) for one in self.world.names(self.registry, "bound/")]
        bound = {json.loads(mark or b"{}").get("endpoint") for mark in marks}
        for name in self.fleet.shops:
            for home in self.homes[name] & bound:  # before, no update has said that it is there
                if home in there and key_of(there[home].partition("/")[2]) in self.rightful[name]:
                    self.champions[name] = there[home]
