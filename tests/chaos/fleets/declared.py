"""What a fleet's stack declares, and what each member's data must make; computed without the product's word."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from graph.identity import identity, resolved_parameters
from retrain_hooks.fleet.members.names import endpoint_of
from retrain_hooks.registry.run_key import Covered, digest
from tests.chaos import program
from tests.chaos.engine import Declared, Known
from tests.chaos.record import Stack

LISTED, FOUND, COLUMN, LISTED_COLUMN = "listed", "found", "column", "listed by column"
WAYS = (LISTED, FOUND, COLUMN, LISTED_COLUMN)
RESOURCE, VERDICT = "fleet", "fleet-verdict"
FILES, TABLE, VERSION = "fleet/{member}/{version}.csv", "all/{version}.csv", "v1"
PASSING, REFUSING = ("auc >= 0.05",), ("auc >= 0.999",)
_TREES = "Number of trees constructed"
_STAGING = 2


@cache
def lines(number: int, *, spoilt: bool, dest: str) -> tuple[str, ...]:
    """Header and rows of the table *number*; all of one class where it is *spoilt*, of one *dest* where that is given."""
    header, *rows = program.table(f"fleet/{number}").decode().splitlines()
    names = header.split(",")
    found = [header]
    for row in rows:
        cells = dict(zip(names, row.split(","), strict=True))
        cells |= {"arr_delay": "-5"} if spoilt else {}
        cells |= {"dest": dest} if dest else {}
        found.append(",".join(cells.values()))
    return tuple(found)


@dataclass(frozen=True)
class Shop:
    """A member: which table its data is (a *number*), *spoilt* or *gone*; what is asked of it; what it was called."""

    name: str
    number: int
    folder: str
    spoilt: bool = False
    gone: bool = False
    refused: bool = False
    trees: int = 0
    formerly: str = ""
    endpoint: str = ""

    @property
    def able(self) -> bool:
        """Whether it can have a model."""
        return not (self.spoilt or self.gone or self.refused)

    @property
    def home(self) -> str:
        """The name of its endpoint."""
        return self.endpoint or endpoint_of(self.name)

    @property
    def path(self) -> str:
        """The blob of its data, where it has one of its own."""
        return f"fleet/{self.folder}/{VERSION}.csv"


@dataclass(frozen=True)
class Fleet:
    """What is declared: the members, the *way* in which they are told, whether one without data *leaves*, the limit."""

    way: str
    shops: dict[str, Shop]
    leaves: bool = False
    limit: str = "100%"
    refusing: bool = False

    @property
    def listed(self) -> bool:
        """Whether each is named."""
        return self.way in (LISTED, LISTED_COLUMN)

    @property
    def by_column(self) -> bool:
        """Whether one table is split."""
        return self.way in (COLUMN, LISTED_COLUMN)

    def with_(self, shop: Shop) -> Fleet:
        """The same with this member, as it is now."""
        return replace(self, shops=self.shops | {shop.name: shop})

    def without(self, name: str) -> Fleet:
        """The same without a member."""
        return replace(self, shops={one: shop for one, shop in self.shops.items() if one != name})

    def able(self, shop: Shop) -> bool:
        """Whether a member can have a model, by its data and the gate."""
        return shop.able and not self.refusing

    def content(self, shop: Shop) -> bytes:
        """Its data, as it is trained from."""
        dest = shop.folder if self.by_column else ""
        return "\n".join([*lines(shop.number, spoilt=shop.spoilt, dest=dest), ""]).encode()

    def table(self) -> bytes:
        """The one table of all members, whose rows come in turns."""
        there = [shop for shop in self.shops.values() if not shop.gone]
        each = [lines(shop.number, spoilt=shop.spoilt, dest=shop.folder) for shop in there]
        rows = [row for turn in zip(*(one[1:] for one in each), strict=True) for row in turn]
        return "\n".join([each[0][0], *rows, ""]).encode()

    def key(self, shop: Shop, trees: int) -> str:
        """The key of the run that its data makes."""
        md5 = hashlib.md5(self.content(shop), usedforsecurity=False)
        blob = f"slices/{md5.hexdigest()}.csv" if self.by_column else shop.path
        blobs = [[blob, base64.b64encode(md5.digest()).decode()]]
        definition = program.experiment("training", trees)
        parameters = resolved_parameters(definition, {_TREES: str(shop.trees)} if shop.trees else {})
        seed = int(parameters.pop("Random seed"))
        data = f"2-{digest({'format': 2, 'blobs': blobs})}"
        return Covered(identity(definition), data, parameters, seed, "").key

    def members(self) -> dict[str, Any]:
        """As an input of the fleet."""
        found: dict[str, Any] = {"list": None, "file": "", "path": "", "column": "", "minimumRows": 1}
        if self.by_column:
            found["column"] = "dest"
        if self.way == FOUND:
            found["path"] = FILES
        if self.listed:
            found["list"] = [self._entry(shop) for shop in self.shops.values()]
        return found

    def _entry(self, shop: Shop) -> dict[str, Any]:
        entry: dict[str, Any] = {"name": shop.name}
        entry |= {} if self.by_column else {"path": shop.path.replace(VERSION, "{version}")}
        entry |= {"gate": {"rules": list(REFUSING)}} if shop.refused else {}
        entry |= {"parameters": {_TREES: str(shop.trees)}} if shop.trees else {}
        entry |= {"formerly": shop.formerly} if shop.formerly else {}
        return entry | ({"endpoint": shop.endpoint} if shop.endpoint else {})


@dataclass
class FleetStack(Stack):
    """A stack that declares a fleet."""

    fleet: Fleet = field(default_factory=lambda: Fleet(LISTED, {}))

    def program(self, config: program.Config | None = None) -> list[Declared]:
        """Services and baseline as any stack has them, and the fleet."""
        config = config or self.config
        parts = ("lineage", "claim", "plan", "training", "baseline-data", "baseline", "predictive")
        return [
            *(one for one in program.resources(config, self.declared) if one.name in parts),
            Declared(RESOURCE, "Fleet", self._inputs, ("counts", "failed", "addresses")),
            Declared(VERDICT, "FleetVerdict", self._judged),
        ]

    def _inputs(self, known: Known) -> dict[str, Any]:
        predictive, training, fleet = known["predictive"], known["training"], self.fleet
        names = {"project": self.declared.project, "stack": self.declared.name, "name": RESOURCE}
        return {
            "target": "local",
            "service": predictive.get("service"),
            "resource": predictive["experiment"]["resource"],
            "graph": predictive["experiment"]["digest"],
            "training": training.get("service"),
            "experiment": training.get("experiment"),
            "source": program.EXPERIMENT,
            "members": fleet.members(),
            "missing": "leaves" if fleet.leaves else "stays",
            "path": TABLE if fleet.by_column else FILES,
            "version": VERSION,
            "gate": {"rules": list(REFUSING if fleet.refusing else PASSING), "minimumRows": 1},
            "probeRows": 3,
            "probeDeadline": "60s",
            "probeSettle": "0s",
            "schedule": {"concurrency": 4, "maxFailures": fleet.limit, "staging": _STAGING},
            "deadlineMinutes": 1,
            "owner": names | {"lineage": known["claim"]["lineage"]},
        }

    def _judged(self, known: Known) -> dict[str, Any]:
        told = {name: known[RESOURCE].get(name) for name in ("counts", "failed")}
        return told | {"maxFailures": self.fleet.limit}
