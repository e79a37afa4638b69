"""Which faults fire: rules, their generators and counters, and the faults that last. Used from the event loop only.

Each rule has a generator of its own, made from the seed and the rule's place, and draws one number for each request
that matches it after the first `after` ones. So with the same seed and the same sequence of matching requests the
same ones meet a fault, whatever other requests come between.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request

from localcloud.facilities.journal import Service, mark
from localcloud.faults.rules import SETTLING, TRANSPORT, FaultRule


@dataclass
class _Counted:
    """A rule in force: how many requests matched it, and at how many it fired."""

    rule: FaultRule
    generator: random.Random
    matched: int = 0
    fired: int = 0

    def fires(self) -> bool:
        """Whether it fires at one more matching request."""
        self.matched += 1
        if self.matched <= self.rule.after:
            return False
        drawn = self.generator.random() < self.rule.probability
        if not drawn or (self.rule.count is not None and self.fired >= self.rule.count):
            return False
        self.fired += 1
        return True

    def to_json(self) -> dict[str, Any]:
        return {**self.rule.to_json(), "matched": self.matched, "fired": self.fired}


@dataclass(frozen=True)
class Met:
    """The faults of the answer that a request meets: their kinds, and the rule that settles it, if one does."""

    kinds: tuple[str, ...] = ()
    settles: FaultRule | None = None

    @property
    def carried_out(self) -> bool:
        """Whether the service does what the request asks."""
        return self.settles is None or self.settles.kind == "truncate" or self.settles.when == "after"


class Faults:
    """The rules of one local cloud. `pause` waits for a delay in seconds."""

    def __init__(
        self, *, allowed: bool = False, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self.allowed = allowed
        self._pause = pause
        self._seed = 0
        self._rules: list[_Counted] = []
        self._later: dict[str, asyncio.TimerHandle] = {}

    def replace(self, seed: int, rules: Sequence[FaultRule]) -> None:
        """Put these rules in the place of all others; what lasts from earlier ones goes on."""
        self._seed = seed
        # Generators of test histories, not of secrets.
        self._rules = [
            _Counted(rule, random.Random(f"{seed}/{place}"))  # noqa: S311
            for place, rule in enumerate(rules)
        ]

    def stop(self) -> None:
        """End all faults: no rules, nothing that was put off."""
        self.replace(0, [])
        for timer in self._later.values():
            timer.cancel()
        self._later.clear()

    def to_json(self) -> dict[str, Any]:
        """The rules, with how many requests matched each and at how many it fired; how many things are yet to happen."""
        rules = [counted.to_json() for counted in self._rules]
        return {"seed": self._seed, "rules": rules, "later": len(self._later)}

    def fires(self, request: Request, *kinds: str) -> FaultRule | None:
        """The first rule of one of `kinds` that fires at this request; the journal will say so.

        To be asked where the thing would happen, so that what is counted has happened.
        """
        service, method, path = "studio", request.method, request.scope["path"]
        for counted in self._rules:
            rule = counted.rule
            if rule.kind in kinds and rule.matches(service, method, path) and counted.fires():
                mark(request.scope, rule.kind)
                return rule
        return None

    async def meet(self, service: Service, method: str, target: str) -> Met:
        """The faults of the answer for a request that has arrived; returns after its delays.

        Rules are asked in their order. Delays add up; the first status, drop or truncate that fires settles the
        request, and no rule after it is asked.
        """
        if not self._rules:
            return Met()
        path = unquote(target.partition("?")[0])
        kinds: list[str] = []
        delay, settles = 0.0, None
        for counted in self._rules:
            rule = counted.rule
            if rule.kind in TRANSPORT and rule.matches(service, method, path) and counted.fires():
                kinds.append(rule.kind)
                delay += rule.seconds or 0.0
                if rule.kind in SETTLING:
                    settles = rule
                    break
        if delay:
            await self._pause(delay)
        return Met(tuple(dict.fromkeys(kinds)), settles)

    def later(self, key: str, seconds: float, action: Callable[[], None]) -> None:
        """Do `action` in so many seconds, unless something else is put off under the same key before."""
        self.call_off(key)

        def act() -> None:
            self._later.pop(key, None)
            action()

        self._later[key] = asyncio.get_running_loop().call_later(seconds, act)

    def call_off(self, key: str) -> None:
        """Don't do what was put off under this key."""
        timer = self._later.pop(key, None)
        if timer is not None:
            timer.cancel()
