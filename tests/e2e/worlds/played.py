"""Worlds by their numbers: some changes are drawn, done, held against the plan, and undone."""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from plans.contract import differences
from tests.e2e.checkout import Done, writes
from tests.e2e.worlds.changes import APART, APPLIED, EDITED, KINDS, STACK, Change
from tests.e2e.worlds.house import WANTED, House

_HOW_MANY = (1, 1, 1, 1, 2, 2, 2, 3, 3, 4)
_CHECKED_EVERY = 50
_SAYS = re.compile(r"this is not what the plan \S+ says: (.+)")


@dataclass
class World:
    """One world: which kinds of changes, by which names the update was refused, and what does not hold."""

    index: int
    kinds: list[str]
    told: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0


def play(house: House, seed: int, index: int) -> World:
    """Change the world, try to carry the plan out, and change it back."""
    rng = random.Random(f"{seed}/{index}")
    kinds = _drawn(rng, index)
    world = World(index, [kind.__name__ for kind in kinds])
    changes = [kind(house, rng) for kind in kinds]
    begun = time.monotonic()
    with ExitStack() as undone:
        for change in changes:
            undone.callback(change.undo)
            change.do()
        house.checkout.reset_journal()
        arguments = [part for change in changes for part in change.arguments]
        done = house.update(*WANTED, *arguments)
        written = writes(house.checkout.journal())
    world.seconds = time.monotonic() - begun
    world.told = _told(done)
    world.faults = list(_faults(changes, world.told, done, written))
    return world


def played(house: House, seed: int, numbers: Iterable[int]) -> Iterator[World]:
    """Worlds one after the other; now and then, and at the end, that the world is as it was: its plan is the same."""
    for count, index in enumerate(numbers, 1):
        yield play(house, seed, index)
        if count % _CHECKED_EVERY == 0:
            check(house)
    check(house)


def check(house: House) -> None:
    """What was changed is undone: the saved plan would be refused for nothing."""
    again = house.plan.with_name("again.json")
    house.save(again)
    if left := differences(house.contract(house.plan), house.contract(again)):
        raise AssertionError(f"the world is not as it was: {'; '.join(left)}")


def _drawn(rng: random.Random, index: int) -> list[Any]:
    """One kind by the world's number, so that each has its turn, and others beside it."""
    first = KINDS[index % len(KINDS)]
    others = rng.sample([kind for kind in KINDS if kind is not first], rng.choice(_HOW_MANY) - 1)
    kinds = [first]
    for kind in others:
        if not any({kind, other} in APART for other in kinds):
            kinds.append(kind)
    return kinds


def _told(done: Done) -> list[str]:
    if "was carried out already" in done.err:
        return [APPLIED]
    if "is not carried out: " in done.err:
        return [EDITED]
    found = _SAYS.search(done.err)
    return [each.partition(":")[0] for each in found[1].split("; ")] if found else []


def _faults(changes: list[Change], told: list[str], done: Done, written: list[str]) -> Iterator[str]:
    names = frozenset[str]().union(*(change.names for change in changes))
    also = frozenset[str]().union(*(change.also for change in changes))
    for first in (EDITED, STACK, APPLIED):  # found out before the world is looked at
        if first in names:
            names, also = frozenset((first,)), frozenset()
            break
    if done.status != 1 or "Traceback" in done.text:
        yield f"status {done.status}: {done.text[-2000:]}"
    if missing := {each for each in names if not set(each.split("|")).intersection(told)}:
        yield f"not named: {', '.join(sorted(missing))}; told: {done.err.strip()}"
    if more := set(told).difference(names, also):
        yield f"named without a reason: {', '.join(sorted(more))}; told: {done.err.strip()}"
    if written:
        yield f"written: {', '.join(written)}"


def figures(worlds: list[World]) -> dict[str, Any]:
    """What came of a campaign, counted."""
    return {
        "worlds": len(worlds),
        "refused by the right name, nothing written": sum(not world.faults for world in worlds),
        "changes a world": dict(sorted(Counter(len(world.kinds) for world in worlds).items())),
        "kinds": dict(sorted(Counter(kind for world in worlds for kind in world.kinds).items())),
        "names": dict(sorted(Counter(name for world in worlds for name in world.told).items())),
        "seconds": round(sum(world.seconds for world in worlds)),
        "faults": {world.index: world.faults for world in worlds if world.faults},
    }
