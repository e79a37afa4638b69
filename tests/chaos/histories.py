"""Histories: what happens to one or two stacks, drawn from a seed.

The same seed and index give the same history on every machine. What exactly a strike meets also depends on the
operating system's timing where two updates race.
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, replace
from typing import Any

from tests.chaos.program import CHANGES, PASSING, Gate

# A stack that shares the first one's workspace, and what the endpoint's component is renamed to.
NEIGHBOUR, RENAMED = "c", "renamed"
VERSIONS = ("v1", "v2", "v3", "v4")
Rule = dict[str, Any]

# What strikes at a request of a provider, by how often.
STRIKES = {
    "kill-provider": 5,
    "kill-engine": 5,
    "kill-both": 3,
    "late-request": 2,
    "interrupt": 2,
    "kill-studio": 1,
    "touch-data": 1,
    "change-data": 1,
    "delete-model": 1,
    "alter-model": 1,
    "corrupt-record": 1,
}
HOLDING = Gate(("auc >= 0.5", "auc >= champion - 0.02"), "v4", hold=True)
# Gates by how often: one that all pass, one that refuses some, one that compares with the champion on a holdout.
GATES = {
    PASSING: 5,
    Gate(("auc >= 0.71",)): 1.5,
    Gate(("auc >= 0.71",), hold=True): 1.5,
    Gate(("auc >= 0.5", "auc >= champion - 0.02"), "v4"): 1,
    HOLDING: 1,
}
# Requests around which most can go wrong.
PLACES = (
    "PUT */runs/*",
    "POST */jobs",
    "POST */start",
    "GET */jobs/*",
    "PATCH *",
    "POST */experiments",
    "POST */webservice",
    "PUT */endpoints/*",
    "GET */runs/*",
    "PUT */owners/*",
    "DELETE *",
)


@dataclass(frozen=True)
class Strike:
    """Something that happens *phase* (before | after) the *nth* request of a provider, or the *nth* like *match*."""

    do: str
    phase: str
    nth: int
    match: str = ""


@dataclass(frozen=True)
class Update:
    """An ``up`` of *stack*. Its engine is killed before provider call *boundary*, if there is one.

    *change* makes another thing of the endpoint or its service (program.CHANGES); *refuse*: the gate lets no model through.
    """

    stack: str
    version: str
    force: str = ""
    strikes: tuple[Strike, ...] = ()
    boundary: int | None = None
    change: str = ""
    refuse: bool = False


@dataclass(frozen=True)
class Step:
    """One step; *pause* is how many seconds the world's clocks go on before it."""

    kind: str
    updates: tuple[Update, ...] = ()
    pause: float = 0.0
    version: str = ""
    choice: str = ""
    seconds: float = 0.0
    rules: tuple[Rule, ...] = ()

    def __str__(self) -> str:
        told = [f"{name}={value!r}" for name, value in asdict(self).items() if value and name != "kind"]
        return f"{self.kind}({', '.join(told)})"


@dataclass(frozen=True)
class History:
    """The history of *seed* and *index*."""

    seed: int
    index: int
    steps: tuple[Step, ...] = ()
    gate: Gate = PASSING

    @property
    def stacks(self) -> list[str]:
        """The stacks that take part."""
        return sorted({"a"} | {update.stack for step in self.steps for update in step.updates})


def history(seed: int, index: int) -> History:
    """Draw a history."""
    drawn = random.Random(f"{seed}/{index}")
    gate = drawn.choices(list(GATES), list(GATES.values()))[0]
    return History(seed, index, tuple(_Story(drawn).steps()), gate)


class _Story:
    def __init__(self, drawn: random.Random) -> None:
        self._drawn = drawn
        self._current = dict.fromkeys(("a", "b", NEIGHBOUR), ("v1", ""))
        self._past: list[tuple[str, str]] = []
        self._forced = 0

    def steps(self) -> list[Step]:
        """Deployed first, quietly or not; then whatever comes."""
        kinds = {
            "up": 8,
            "race": 4,
            "preview": 1,
            "refresh": 1,
            "restart": 0.6,
            "touch": 1,
            "change": 1.5,
            "lose": 1.5,
            "corrupt": 1,
            "clock": 1.5,
            "code": 1.2,
            "destroy": 0.5,
            "replace": 4,
            "neighbour": 2,
            "rename": 1,
            "alias": 1.5,
            "checkout": 2,
            "respell": 0.7,
            "tag": 0.7,
            "second": 1.2,
            "protect": 1.2,
        }
        found: list[Step] = []
        if self._drawn.random() < 0.5:
            found.append(self._faults())
        found.append(self._race() if self._drawn.random() < 0.2 else self._up())
        for kind in self._drawn.choices(list(kinds), list(kinds.values()), k=self._drawn.randint(1, 4)):
            if kind in ("up", "race") and self._drawn.random() < 0.4:
                found.append(self._faults())
            drawn = getattr(self, f"_{kind}")()
            found += drawn if isinstance(drawn, list) else [drawn]
        return found

    def _pause(self) -> float:
        return self._drawn.choice([0.0, 1.0, 20.0, 600.0, 7200.0])

    def _wanted(self) -> tuple[str, str]:
        """The next version and force token: new, forced, or one of the past."""
        way = self._drawn.random()
        version, force = self._current["a"]
        if way < 0.25 and self._past:
            return self._drawn.choice(self._past)
        if way < 0.4:
            self._forced += 1
            return version, f"again{self._forced}"
        return self._drawn.choice(VERSIONS), force

    def _update(self, stack: str, wanted: tuple[str, str], strikes: float) -> Update:
        drawn = self._drawn
        self._past.append(wanted)
        self._current[stack] = wanted
        if drawn.random() >= strikes:
            return Update(stack, *wanted)
        if drawn.random() < 0.15:
            return Update(stack, *wanted, boundary=drawn.randint(1, 24))
        return Update(
            stack, *wanted, strikes=tuple(self._strike() for _ in range(drawn.choice([1, 1, 1, 2])))
        )

    def _strike(self) -> Strike:
        drawn = self._drawn
        do = drawn.choices(list(STRIKES), list(STRIKES.values()))[0]
        phase = drawn.choice(["before", "after"])
        if drawn.random() < 0.5:
            return Strike(do, phase, drawn.randint(1, 45))
        return Strike(do, phase, drawn.choice([1, 1, 1, 2, 3]), drawn.choice(PLACES))

    def _up(self) -> Step:
        stack = "a" if self._drawn.random() < 0.85 else "b"
        return Step("up", (self._update(stack, self._wanted(), 0.7),), self._pause())

    def _race(self) -> Step:
        wanted = self._wanted()
        updates = tuple(self._update(stack, wanted, 0.35) for stack in ("a", "b"))
        return Step("up", updates, self._pause())

    def _replace(self) -> list[Step]:
        """A replacement that the gate refuses or that is killed; mostly it is reverted."""
        drawn = self._drawn
        refuse = drawn.random() < 0.5
        wanted = self._wanted()
        if refuse:  # a model that serves already is not judged again
            self._forced += 1
            wanted = (drawn.choice(VERSIONS), f"refused{self._forced}")
        update = self._update("a", wanted, 0.4 if refuse else 0.9)
        found = [Step("up", (replace(update, change=drawn.choice(CHANGES), refuse=refuse),), self._pause())]
        if drawn.random() < 0.8:
            found.append(Step("up", (self._update("a", self._wanted(), 0.3),), self._pause()))
        return found

    def _neighbour(self) -> list[Step]:
        """A stack with the same configuration on the same workspace, and perhaps its end."""
        found = [Step("up", (self._update(NEIGHBOUR, self._wanted(), 0.3),), self._pause())]
        if self._drawn.random() < 0.6:
            found.append(Step("destroy", choice=NEIGHBOUR, pause=self._pause()))
        return found

    def _moved(self, kind: str, strikes: float = 0.0, choice: str = "") -> Step:
        """A move of stack a, with an update of what it declares now."""
        return Step(kind, (self._update("a", self._current["a"], strikes),), choice=choice)

    def _rename(self) -> Step:
        return self._moved("rename", 0.3)

    def _alias(self) -> Step:
        return self._moved("alias", 0.4)

    def _checkout(self) -> Step:
        return self._moved("checkout", 0.4, self._drawn.choice(["refused", "taken over", "taken over"]))

    def _respell(self) -> Step:
        return self._moved("respell")

    def _tag(self) -> Step:
        return self._moved("tag")

    def _second(self) -> Step:
        return self._moved("second", 0.3)

    def _protect(self) -> Step:
        return self._moved("protect", choice=self._drawn.choice(CHANGES))

    def _preview(self) -> Step:
        return Step("preview", (Update("a", *self._wanted()),), self._pause())

    def _refresh(self) -> Step:
        return Step("refresh", choice="a", pause=self._pause())

    def _destroy(self) -> Step:
        return Step("destroy", choice="a", pause=self._pause())

    def _restart(self) -> Step:
        return Step("restart", choice=self._drawn.choice(["SIGTERM", "SIGKILL"]))

    def _touch(self) -> Step:
        return Step("touch", version=self._drawn.choice(VERSIONS))

    def _change(self) -> Step:
        return Step("change", version=self._drawn.choice(VERSIONS))

    def _lose(self) -> Step:
        return Step("lose", choice=self._drawn.choice(["delete", "alter"]))

    def _corrupt(self) -> Step:
        return Step("corrupt", choice=self._drawn.choice(["nonsense", "half", "empty", "other-key", "types"]))

    def _code(self) -> Step:
        return Step("code", choice=self._drawn.choice(["4", "5", "6"]), pause=self._pause())

    def _clock(self) -> Step:
        return Step(
            "clock", seconds=self._drawn.choice([-172_800.0, -3600.0, -30.0, 30.0, 3600.0, 172_800.0])
        )

    def _faults(self) -> Step:
        rules = tuple(self._rule() for _ in range(self._drawn.choice([1, 1, 2, 3])))
        return Step("faults", rules=rules, choice=str(self._drawn.randrange(10**6)))

    def _rule(self) -> Rule:
        drawn = self._drawn
        kinds = {
            "latency": 2,
            "status": 6,
            "drop": 4,
            "truncate": 2,
            "lost-job": 1.5,
            "stalled-job": 1,
            "expired-sas": 1,
            "unchanged-binding": 1.5,
        }
        kind = drawn.choices(list(kinds), list(kinds.values()))[0]
        rule: Rule = {"kind": kind, "count": drawn.choice([1, 1, 1, 2, 3])}
        if kind in ("latency", "status", "drop", "truncate"):
            rule |= {
                "service": drawn.choice(["studio", "blob", None]),
                "after": drawn.choice([0, 0, 2, 5, 10, 20]),
            }
            if drawn.random() < 0.5:
                rule |= {"method": drawn.choice(["POST", "PUT", "PATCH", "GET", "DELETE"]), "after": 0}
            elif drawn.random() < 0.3:
                rule |= {
                    "path": drawn.choice(["*/runs/*", "*/jobs", "*/jobs/*", "*/endpoints/*"]),
                    "after": 0,
                }
        if kind in ("status", "drop"):
            rule["when"] = drawn.choice(["before", "after"])
        if kind == "status":
            rule["status"] = drawn.choice([429, 500, 503])
            rule["retryAfter"] = drawn.choice([None, None, 0, 1])
        if kind == "latency":
            rule["seconds"] = drawn.choice([0.05, 0.1, 0.3])
        if kind == "stalled-job":
            rule["seconds"] = drawn.choice([0.3, 0.8])
        return rule
