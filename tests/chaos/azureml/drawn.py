"""Histories of kind azureml: what happens to two stacks of one workspace, drawn from a seed."""

from __future__ import annotations

import random

from tests.chaos.histories import History, Rule, Step, Strike, Update
from tests.chaos.program import Gate

STACKS = ("a", "b")
VERSIONS, BAD = ("v1", "v2", "v3"), "bad"
HOLD, FAIL = Gate(hold=True), Gate()
# How somebody else changes traffic: a part for their own deployment, all for it, all for a model that served before.
FOREIGN = ("part", "whole", "back")
STRIKES = {
    "kill-provider": 5,
    "kill-engine": 3,
    "kill-both": 3,
    "late-request": 2,
    "interrupt": 2,
    "foreign": 4,
}
# Requests around which most can go wrong.
PLACES = (
    "PUT */jobs/*",
    "PUT */runs/*",
    "PUT */deployments/*",
    "PATCH */deployments/*",
    "PUT */onlineEndpoints/*",
    "GET */onlineEndpoints/*",
    "POST */score",
    "PUT */rollouts/*",
    "PUT */binding/*",
    "PUT */bound/*",
    "PUT */models/*",
    "DELETE *",
)
# Where answers go wrong, by a method and a path; never where callers score.
_ANSWERS = {
    ("PUT", "*/deployments/*"): 4,
    ("PUT", "*/onlineEndpoints/*"): 5,
    ("GET", "*/onlineEndpoints/*"): 2,
    ("GET", "*/mfeOperationsStatus/*"): 2,
    ("PUT", "*/providers/*/jobs/*"): 4,
    ("GET", "*/providers/*/jobs/*"): 2,
    ("DELETE", "*/deployments/*"): 2,
    ("PUT", "*/rollouts/*"): 1,
    ("PUT", "*/runs/*"): 1,
}
_KINDS = {"status": 5, "drop": 4, "truncate": 2, "latency": 2}
_TRAFFIC = {"unchanged-binding": 2, "stale-model": 2, "rolled-back": 1}


def history(seed: int, index: int) -> History:
    """The same of a seed and an index on every machine."""
    return _Story(random.Random(f"azureml {seed}/{index}")).told(seed, index)


class _Story:
    def __init__(self, drawn: random.Random) -> None:
        self._drawn = drawn
        self._forced = 0

    def told(self, seed: int, index: int) -> History:
        """Deployed first; then whatever comes."""
        kinds = {"up": 5, "race": 3, "twice": 2, "foreign": 2, "refresh": 0.5}
        steps = [self._race() if self._drawn.random() < 0.3 else self._up(first=True)]
        for kind in self._drawn.choices(list(kinds), list(kinds.values()), k=self._drawn.randint(1, 3)):
            if kind in ("up", "race", "twice") and self._drawn.random() < 0.5:
                steps.append(self._faults())
            steps.append(getattr(self, f"_{kind}")())
        gate = HOLD if self._drawn.random() < 0.3 else FAIL
        return History(seed, index, tuple(steps), gate)

    def _wanted(self) -> tuple[str, str]:
        if self._drawn.random() < 0.25:
            return BAD, ""
        if self._drawn.random() < 0.2:
            self._forced += 1
            return self._drawn.choice(VERSIONS), f"again{self._forced}"
        return self._drawn.choice(VERSIONS), ""

    def _update(self, stack: str, wanted: tuple[str, str], strikes: float) -> Update:
        drawn = self._drawn
        if drawn.random() >= strikes:
            return Update(stack, *wanted)
        if drawn.random() < 0.15:
            return Update(stack, *wanted, boundary=drawn.randint(1, 30))
        return Update(stack, *wanted, strikes=tuple(self._strike() for _ in range(drawn.choice([1, 1, 2]))))

    def _strike(self) -> Strike:
        drawn = self._drawn
        do = drawn.choices(list(STRIKES), list(STRIKES.values()))[0]
        phase = drawn.choice(["before", "after"])
        if drawn.random() < 0.3:
            return Strike(do, phase, drawn.randint(1, 120))
        return Strike(do, phase, drawn.choice([1, 1, 1, 2, 3, 4]), drawn.choice(PLACES))

    def _up(self, *, first: bool = False) -> Step:
        return Step("up", (self._update("a", self._wanted(), 0.4 if first else 0.7),))

    def _race(self) -> Step:
        """Two stacks that ask for the same model."""
        wanted = self._wanted()
        return Step("up", tuple(self._update(stack, wanted, 0.35) for stack in STACKS))

    def _twice(self) -> Step:
        """Two updates of one stack, from the same state."""
        return Step("twice", tuple(self._update("a", self._wanted(), 0.2) for _ in STACKS))

    def _foreign(self) -> Step:
        return Step("foreign", choice=self._drawn.choice(FOREIGN))

    def _refresh(self) -> Step:
        return Step("refresh")

    def _faults(self) -> Step:
        rules = tuple(self._rule() for _ in range(self._drawn.choice([1, 1, 2])))
        return Step("faults", rules=rules, choice=str(self._drawn.randrange(10**6)))

    def _rule(self) -> Rule:
        drawn = self._drawn
        if drawn.random() < 0.25:
            kind = drawn.choices(list(_TRAFFIC), list(_TRAFFIC.values()))[0]
            rule: Rule = {"kind": kind, "count": drawn.choice([1, 1, 2]), "path": "*/onlineEndpoints/*"}
            if kind != "unchanged-binding":
                rule["seconds"] = round(drawn.uniform(0.02, 0.5), 2)
            return rule
        kind = drawn.choices(list(_KINDS), list(_KINDS.values()))[0]
        method, path = drawn.choices(list(_ANSWERS), list(_ANSWERS.values()))[0]
        rule = {
            "kind": kind,
            "method": method,
            "path": path,
            "count": drawn.choice([1, 1, 2, 3]),
            "after": drawn.choice([0, 0, 1, 3]),
        }
        if kind == "latency":
            rule["seconds"] = drawn.choice([0.1, 0.4])
        if kind in ("status", "drop"):
            rule["when"] = drawn.choice(["before", "after"])
        if kind == "status":
            rule["status"] = drawn.choice([429, 500, 503])
        return rule
