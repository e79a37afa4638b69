"""Histories with damage: updates, what is damaged between them, and perhaps the stack's end; drawn from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.chaos.histories import HOLDING, History, Step, Update
from tests.chaos.program import PASSING, Gate

# What lies in the registry, by how often it is damaged; and how.
FOLDERS = {
    "runs": 6.0,
    "verdicts": 2.5,
    "owners": 3.0,
    "stacks": 2.0,
    "bound": 1.5,
    "published": 1.0,
    "binding": 1.0,
    "hashes": 1.0,
    "history": 0.5,
}
RECORD_WAYS = (
    *("deleted", "half", "empty", "other", "another's", "newer", "huge", "types", "nul", "surrogates"),
)
MODEL_WAYS = ("deleted", "cut", "other", "other, MD5 kept", "twin", "twin, MD5 kept", "twin, without MD5")
DATA_WAYS = ("without MD5", "wrong MD5")
# Everything else that is damaged: the kind, how, and how often.
WHOLE = {
    ("run", "with its model"): 1.5,
    ("folder", "runs"): 1.0,
    ("folder", "owners"): 1.0,
    ("folder", "verdicts"): 0.7,
    ("cloud", "lost"): 1.0,
    ("cloud", "an older one"): 1.5,
    ("state", "lost"): 1.5,
    ("state", "an older one"): 2.0,
    ("registry", "reset"): 1.0,
    ("everything", "reset"): 1.0,
}
GATES = {
    PASSING: 5,
    Gate(("auc >= 0.71",)): 1,
    Gate(("auc >= 0.71",), hold=True): 1.5,
    HOLDING: 1.5,
}
_VERSIONS = ("v1", "v2", "v3")


@dataclass(frozen=True)
class Damage(Step):
    """Something stored is damaged: a *what* is *how*, the *nth* of those that there are."""

    what: str = ""
    how: str = ""
    nth: int = 0

    def __str__(self) -> str:
        return f"damage({self.what} {self.nth}: {self.how})"


def damage(what: str, how: str, nth: int = 0) -> Damage:
    """One damage."""
    return Damage("damage", what=what, how=how, nth=nth)


def history(seed: int, index: int) -> History:
    """Draw a history: deployed, damaged and updated, once or twice; perhaps damaged and destroyed."""
    drawn = random.Random(f"damage/{seed}/{index}")
    gate = drawn.choices(list(GATES), list(GATES.values()))[0]
    change = "kind" if drawn.random() < 0.15 else ""
    stacks = ["a", "b"] if drawn.random() < 0.25 else ["a"]
    wanted = dict.fromkeys(stacks, "v1")

    def up(stack: str, same: float) -> Step:
        if drawn.random() >= same:
            wanted[stack] = drawn.choice(_VERSIONS)
        return Step("up", (Update(stack, wanted[stack], change=change),))

    steps = [up(stack, 0.7) for stack in stacks]
    steps += [up("a", 0.2) for _ in range(drawn.choice([0, 1, 1, 2]))]
    for _round in range(drawn.choice([1, 1, 2])):
        damages = [_damage(drawn) for _ in range(drawn.choice([1, 1, 1, 2, 3]))]
        if any((each.what, each.how) == ("cloud", "an older one") for each in damages):
            steps.insert(drawn.randrange(1, len(steps) + 1), damage("cloud", "kept"))
        steps += damages
        if drawn.random() < 0.3:
            steps.append(Step("preview", (Update("a", wanted["a"], change=change),)))
        steps += [up(stack, 0.6) for stack in stacks]
    if drawn.random() < 0.3:
        steps += [_damage(drawn, whole=False), Step("destroy", choice="a")]
    return History(seed, index, tuple(steps), gate)


def _damage(drawn: random.Random, *, whole: bool = True) -> Damage:
    kind = drawn.choices(["record", "model", "data", "whole"], [6, 3, 1, 4 * whole])[0]
    nth = drawn.randrange(100)
    if kind == "record":
        folder = drawn.choices(list(FOLDERS), list(FOLDERS.values()))[0]
        return damage(folder, drawn.choice(RECORD_WAYS), nth)
    if kind == "whole":
        return damage(*drawn.choices(list(WHOLE), list(WHOLE.values()))[0], nth)
    return damage(kind, drawn.choice(MODEL_WAYS if kind == "model" else DATA_WAYS), nth)
