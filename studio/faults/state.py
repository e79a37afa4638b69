"""Which faults fire: rules, their generators and counters, and the faults that last. Used from the event loop only.

Each rule has a generator of its own, made from the seed and the rule's place, and draws one number for each request
that matches it after the first `after` ones. So with the same seed and the same sequence of matching requests the
same ones meet a fault, whatever other requests come between.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request

from studio.faults.rules import SETTLING, STALE, TRANSPORT, Rule
from studio.journal import Service, mark
from studio.management.state import Endpoint


@dataclass
class _Counted:
    """A rule in force: how many requests matched it, and at how many it fired."""

    rule: Rule
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
    settles: Rule | None = None

    @property
    def carried_out(self) -> bool:
        """Whether the service does what the request asks."""
        return self.settles is None or self.settles.kind == "truncate" or self.settles.when == "after"


class Faults:
    """The rules of one studio. `pause` waits for a delay in seconds."""

    def __init__(
        self, *, allowed: bool = False, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self.allowed = allowed
        self._pause = pause
        self._seed = 0
        self._rules: list[_Counted] = []
        self._later: dict[str, asyncio.TimerHandle] = {}
        self._stale: dict[str, tuple[Endpoint, Endpoint]] = {}

    def replace(self, seed: int, rules: Sequence[Rule]) -> None:
        """Put these rules in the place of all others; what lasts from earlier ones goes on."""
        self._seed = seed
        # Generators of test histories, not of secrets.
        self._rules = [
            _Counted(rule, random.Random(f"{seed}/{place}"))  # noqa: S311
            for place, rule in enumerate(rules)
        ]

    def stop(self) -> None:
        """End all faults: no rules, no binding that is yet to be rolled back, no stale model."""
        self.replace(0, [])
        for timer in self._later.values():
            timer.cancel()
        self._later.clear()
        self._stale.clear()

    def to_json(self) -> dict[str, Any]:
        """The rules, with how many requests matched each and at how many it fired."""
        return {"seed": self._seed, "rules": [counted.to_json() for counted in self._rules]}

    def fires(self, request: Request, *kinds: str) -> Rule | None:
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

    def keep_serving(self, old: Endpoint, bound: Endpoint, seconds: float | None) -> None:
        """Let request-response go on with `old` while the endpoint is bound as in `bound`."""
        self._stale[bound.id] = (old, bound)
        if seconds is not None:
            self.later(bound.id, seconds, lambda: self.serve_bound(bound.id))

    def serve_bound(self, endpoint_id: str) -> None:
        """Let request-response serve what is bound again."""
        self._stale.pop(endpoint_id, None)

    def served(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint with the graph and the models that request-response serves."""
        old, bound = self._stale.get(endpoint.id, (endpoint, endpoint))
        if not same_models(endpoint, bound):
            return endpoint
        return replace(endpoint, package=old.package, resources=old.resources)

    def scored_by(self, request: Request, endpoint: Endpoint) -> Endpoint:
        """As `served`, for a request to score; the journal will say if that is an old model."""
        served = self.served(endpoint)
        if not same_models(served, endpoint):
            mark(request.scope, STALE)
        return served


def same_models(one: Endpoint, other: Endpoint) -> bool:
    """Whether two states of an endpoint have the same graph and models."""
    return (one.package, one.resources) == (other.package, other.resources)
