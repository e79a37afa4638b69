"""Trials: an update of rings and the faults that it meets, drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.chaos.bindings.house import CLASSIC, LIVE, NEW, PILOT, STAGING

Json = dict[str, Any]
Rings = tuple[tuple[str, ...], ...]

# Layouts of rings by how often.
_RINGS: dict[Rings, float] = {((LIVE,),): 4, ((PILOT,), (LIVE,)): 5, ((PILOT, LIVE),): 1}
# Where a fault of a binding strikes: on staging, on live endpoints, on both.
_PLACES = {
    (LIVE,): 4,
    (PILOT,): 2,
    (STAGING,): 3,
    (LIVE, STAGING): 3,
    (PILOT, LIVE): 2,
    (PILOT, LIVE, STAGING): 2,
}
_BINDING = {"unchanged-binding": 3, "stale-model": 4, "rolled-back": 3, "incompatible-model": 2}
# Faults of the answer, by what they are for: a method, and where.
_REQUESTS = {
    ("PATCH", "bind"): 5,
    ("PUT", "bind"): 1,
    ("GET", "bind"): 2,
    ("POST", "score"): 3,
    ("GET", "operation"): 3,
    ("PUT", "record"): 1,
    ("GET", "record"): 1,
}
_ANSWERS = {"drop": 4, "truncate": 3, "status": 4, "latency": 1}
# A second binding of the same endpoints that is deleted again, a rename with an alias and back, another live endpoint,
# killed and reverted.
MOVES = ("bound twice", "renamed", "moved and reverted")
OPERATIONS = "*/operationsStatus/*"
RECORDS = ("*/rollouts/*", "*/binding/*")


@dataclass(frozen=True)
class Fault:
    """A rule of the local cloud's faults; *place* is an endpoint and what of it (``bind``, ``score``), or a glob."""

    rule: Json
    place: tuple[str, str] | str

    def placed(self, path: Callable[[str, str], str]) -> Json:
        """The rule with the path that *path* gives for an endpoint and what of it."""
        return self.rule | {"path": self.place if isinstance(self.place, str) else path(*self.place)}

    def __str__(self) -> str:
        where = self.place if isinstance(self.place, str) else " of ".join(reversed(self.place))
        return f"{self.rule} at {where}"


@dataclass(frozen=True)
class Trial:
    """An update of the *index*-th drawn from *seed*: to another model, through *rings*, which bake for *bake*.

    *kill* is the request at which provider and engine of a first attempt are killed; the next update goes on. *move* is
    what happens to the binding's name or endpoint afterwards (one of MOVES).
    """

    seed: int
    index: int
    kind: str
    rings: Rings
    bake: str
    version: int
    faults: tuple[Fault, ...]
    kill: tuple[str, int, str] | None = None
    move: str = ""

    def __str__(self) -> str:
        rings = " → ".join("+".join(ring) for ring in self.rings)
        killed = f", killed {self.kill[0]} the request {self.kill[1]} of {self.kill[2]}" if self.kill else ""
        met = "; ".join(map(str, self.faults)) or "no fault"
        moved = f", then {self.move}" if self.move else ""
        return f"{self.kind}, {rings}, bake {self.bake}{killed}: {met}{moved}"


def trial(seed: int, index: int) -> Trial:
    """The same on every machine."""
    drawn = random.Random(f"bindings {seed}/{index}")
    kind = CLASSIC if index % 2 else NEW
    rings = _one(drawn, _RINGS)
    there = {STAGING, *(endpoint for ring in rings for endpoint in ring)}
    if drawn.random() < 0.7:
        faults = _misbound(drawn, there)
    else:
        faults = [_answered(drawn, kind, there, certain=True)]
    if drawn.random() < 0.4:
        faults += [_answered(drawn, kind, there) for _ in range(drawn.choice((1, 1, 2)))]
    kill = None
    if drawn.random() < 0.15:
        kill = (drawn.choice(("before", "after")), drawn.choice((1, 2, 3)), "PATCH *")
    bake, version = drawn.choice(("0", "0", "2s")), drawn.randrange(1, 4)
    move = drawn.choice((*MOVES, ""))
    return Trial(seed, index, kind, rings, bake, version, tuple(faults), kill, move)


def _misbound(drawn: random.Random, there: set[str]) -> list[Fault]:
    """One way in which a binding goes wrong, at one place or at some at once, from the first attempt on."""
    kind = _one(drawn, _BINDING)
    rule: Json = {"kind": kind, "count": drawn.choice((1, 1, 2, 4, None))}
    if kind == "stale-model":
        rule["seconds"] = drawn.choice((None, None, round(drawn.uniform(0.1, 3.0), 2)))
    if kind == "rolled-back":
        rule["seconds"] = round(drawn.uniform(0.02, 1.2), 2)
    places = {place: often for place, often in _PLACES.items() if there.issuperset(place)}
    return [Fault(rule, (endpoint, "bind")) for endpoint in _one(drawn, places)]


def _answered(drawn: random.Random, kind: str, there: set[str], *, certain: bool = False) -> Fault:
    """One way in which answers go wrong; *certain* to be met."""
    requests = {each: often for each, often in _REQUESTS.items() if kind == NEW or each[1] != "operation"}
    if certain:
        requests.pop(("PUT", "bind"))  # made for large definitions only
    method, what = _one(drawn, requests)
    rule: Json = {
        "kind": _one(drawn, _ANSWERS),
        "method": method,
        "count": drawn.choice((1, 1, 2, 3, 7)),
        "after": 0 if certain and method != "GET" else drawn.choice((0, 0, 1, 2)),
        "probability": 1.0 if certain else drawn.choice((1.0, 0.6)),
    }
    often = {endpoint: 1 if endpoint == STAGING else 2 for endpoint in sorted(there)}
    place: tuple[str, str] | str = (_one(drawn, often), what)
    if what == "operation":
        place = OPERATIONS
    if what == "record":
        rule, place = rule | {"service": "blob"}, drawn.choice(RECORDS)
    if rule["kind"] == "latency":
        rule["seconds"] = round(drawn.uniform(0.05, 0.4), 2)
    if rule["kind"] == "status":
        rule["status"] = drawn.choice((429, 500, 503))
    if rule["kind"] in ("status", "drop"):
        rule["when"] = drawn.choice(("before", "after"))
    return Fault(rule, place)


def _one(drawn: random.Random, choices: dict[Any, Any]) -> Any:
    return drawn.choices(list(choices), list(choices.values()))[0]
