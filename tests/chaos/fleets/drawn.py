"""Histories of a fleet, drawn from a seed: members come, go, are renamed and fail, and updates are cut off."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.chaos.fleets.declared import FOUND, LISTED, LISTED_COLUMN, WAYS
from tests.chaos.histories import History, Step, Strike, Update, _Story

# What happens to one member, by how often; and to a member that is named, or found, alone.
ACTS = {
    "fresh": 5.0,
    "join": 3.0,
    "leave": 3.0,
    "spoil": 2.0,
    "mend": 2.0,
    "starve": 1.0,
    "twin": 1.5,
    "meddle": 1.5,
    "lose": 1.5,
    "forget": 1.0,
    "gate": 1.0,
}
_NAMED = {"rename": 3.0, "refuse": 1.5, "own": 1.0, "endpoint": 1.5}
_WHOLE = {"restart": 0.5, "clock": 0.5, "preview": 1.0, "code": 0.4, "limit": 0.8}
_STRIKES = {
    "kill-provider": 5,
    "kill-engine": 5,
    "kill-both": 3,
    "late-request": 2,
    "interrupt": 3,
    "kill-studio": 1,
}
# Whom the campaign of kills strikes, in turn.
VICTIMS = ("kill-engine", "kill-provider", "kill-both", "kill-studio", "kill-azurite")
_PLACES = (
    "PUT */fleets/*",
    "PUT */runs/*",
    "POST */jobs",
    "POST */start",
    "PATCH *",
    "PUT */endpoints/*",
    "PUT */owners/*",
    "PUT */binding/*",
    "PUT */slices/*",
    "DELETE *",
)
_MOMENTS = 260  # requests of a fleet's update, about


@dataclass(frozen=True)
class Act(Step):
    """Something happens to the *nth* member, of those that it can happen to."""

    nth: int = 0

    def __str__(self) -> str:
        return f"{self.kind}({self.nth})"


@dataclass(frozen=True)
class Opening(Step):
    """The fleet that a history begins with: *choice* is the way in which its members are told."""

    members: int = 0
    new: bool = False
    leaves: bool = False

    def __str__(self) -> str:
        kind = "New" if self.new else "classic"
        return f"opening({self.members} members, {self.choice}, {kind}{', missing leave' if self.leaves else ''})"


def history(seed: int, index: int) -> History:
    """Draw a history: a fleet, two or three updates, most of them disturbed; each after some changes."""
    drawn = random.Random(f"fleets/{seed}/{index}")
    opening = _opening(drawn, drawn.choice(WAYS))
    steps: list[Step] = [opening]
    if drawn.random() < 0.2:
        steps.append(_faults(drawn))
    steps.append(_up(drawn, 0.4))
    for _round in range(drawn.choice([1, 2, 2, 3])):
        if drawn.random() < 0.3:
            steps.append(Step("quiet"))
        steps += _acts(drawn, opening.choice, drawn.randint(1, 4))
        if drawn.random() < 0.35:
            steps.append(_faults(drawn))
        steps.append(_up(drawn, 0.7))
    return History(seed, index, tuple(steps))


def killed(seed: int, index: int) -> History:
    """Draw a kill: somebody, in turn, at a random moment of a fleet's first update, or of one that changes some members."""
    drawn = random.Random(f"fleet-kills/{seed}/{index}")
    opening = _opening(drawn, drawn.choice([LISTED, LISTED, FOUND, LISTED_COLUMN]))
    steps: list[Step] = [opening]
    if drawn.random() < 0.6:
        steps.append(Step("up", (Update("a", "v1"),)))
        steps += _acts(drawn, opening.choice, drawn.randint(3, 6), whole=False)
    strike = Strike(
        VICTIMS[index % len(VICTIMS)], drawn.choice(["before", "after"]), *_moment(drawn, _MOMENTS)
    )
    steps.append(Step("up", (Update("a", "v1", strikes=(strike,)),)))
    return History(seed, index, tuple(steps))


def _opening(drawn: random.Random, way: str) -> Opening:
    new, leaves = drawn.random() < 0.25, drawn.random() < 0.5
    return Opening("opening", choice=way, members=drawn.randint(5, 8), new=new, leaves=leaves)


def _acts(drawn: random.Random, way: str, count: int, *, whole: bool = True) -> list[Step]:
    kinds = ACTS | (_NAMED if way in (LISTED, LISTED_COLUMN) else {}) | (_WHOLE if whole else {})
    found: list[Step] = []
    for kind in drawn.choices(list(kinds), list(kinds.values()), k=count):
        match kind:
            case "restart":
                found.append(Step("restart", choice=drawn.choice(["SIGTERM", "SIGKILL"])))
            case "clock":
                found.append(Step("clock", seconds=drawn.choice([-3600.0, 30.0, 172_800.0])))
            case "code":
                found.append(Step("code", choice=drawn.choice(["4", "5", "6"])))
            case _:
                found.append(Act(kind, nth=drawn.randrange(100)))
    return found


def _up(drawn: random.Random, strikes: float) -> Step:
    if drawn.random() >= strikes:
        return Step("up", (Update("a", "v1"),))
    do = drawn.choices(list(_STRIKES), list(_STRIKES.values()))[0]
    strike = Strike(do, drawn.choice(["before", "after"]), *_moment(drawn, _MOMENTS // 2))
    return Step("up", (Update("a", "v1", strikes=(strike,)),))


def _moment(drawn: random.Random, most: int) -> tuple[int, str]:
    """A request by its number, or the first few of a kind."""
    if drawn.random() < 0.5:
        return drawn.randint(5, most), ""
    return drawn.randint(1, 5), drawn.choice(_PLACES)


def _faults(drawn: random.Random) -> Step:
    return _Story(drawn)._faults()
