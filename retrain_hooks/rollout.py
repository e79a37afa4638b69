"""Brings a model to its endpoints, ring by ring, and believes what the endpoints answer, not what was asked of them.

Each endpoint is bound, read back, and probed until it answers as the *staging* endpoint does, where the model was put
first, and no longer as either did before. What fails puts back everything that was changed, and says what is served.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from clients.errors import (
    BindingFailed,
    Conflict,
    DeadlineExceeded,
    RetrainError,
    ServiceError,
    Unreachable,
    UpdateCancelled,
)
from clients.poller import Pace, wait
from retrain_hooks.bake import ENOUGH, Tally
from retrain_hooks.lifecycle import Context
from retrain_hooks.live import LiveEndpoint
from retrain_hooks.probe import Look
from retrain_hooks.restore import Restorer
from retrain_hooks.rings import Ring
from retrain_hooks.rollouts import Before, Rollout, Rollouts
from retrain_hooks.run_key import digest

_PACE = Pace(shortest=0.05, longest=5.0, share=0.1)
_BAKE_LOOKS = 60


@dataclass(frozen=True)
class Patience:
    """How many seconds an endpoint may take to answer as the new model (*deadline*), and how many it must then stay so
    (*settle*).
    """

    deadline: float = 60.0
    settle: float = 1.0

    @property
    def whole(self) -> float:
        """How long an endpoint is waited for at most."""
        return self.deadline + self.settle


class TakenOver(BindingFailed):
    """Another update has taken up the same rollout: it decides what the endpoints serve, and puts back what fails."""


@dataclass
class Roller:
    """One rollout of the model at *address* through *rings*; *live* answers for an endpoint by its name.

    *staging* is the endpoint where the model was put first, None where nothing can be probed. *equal* tells whether two
    addresses hold the very same model; *bound* is told what an endpoint was seen to serve.
    """

    context: Context
    rollouts: Rollouts
    live: Callable[[str], LiveEndpoint]
    staging: LiveEndpoint | None
    rings: Sequence[Ring]
    address: str
    equal: Callable[[str, str], bool]
    bound: Callable[[str, str], None]
    patience: Patience = Patience()
    _state: Rollout = field(init=False)
    _known: dict[str, LiveEndpoint] = field(init=False, default_factory=dict)

    def run(self) -> dict[str, str]:
        """Carry it to its end, from wherever an interrupted one stands; the model's location by endpoint, as last seen.

        Raises BindingFailed when it failed, once what was changed is put back; UpdateCancelled leaves it as it stands,
        and so does TakenOver.
        """
        rows = digest(list(self.staging.rows)) if self.staging else ""
        self._state = Rollout(self.address, rows)
        try:
            found = self.rollouts.find()
            if found is not None:
                self._state = found.taken_up(self.address, rows)
                if found.address == self.address:
                    self.context.progress.info("an interrupted rollout goes on")
            if found is not None or not all(each.surely_serves(self.address) for each in self._all()):
                self._save(self._state)
            if self.staging is not None:
                self._stage(self.staging)
            for ring in self.rings:
                self._through(ring)
            serving = {endpoint.name: _still(endpoint, self.address) for endpoint in self._all()}
        except (UpdateCancelled, TakenOver):
            raise
        except RetrainError as failure:
            raise self._failed(failure) from None
        self._close()
        return serving

    def _close(self) -> None:
        try:
            self.rollouts.forget()
        except (Unreachable, ServiceError) as error:
            told = "; ".join(f"{endpoint.name} serves {self.address}" for endpoint in self._all())
            raise BindingFailed(
                f"the record of this rollout could not be closed: {error.cause}; {told}",
                "run the update again: it closes it",
            ) from None

    def _all(self) -> list[LiveEndpoint]:
        return [self._live(name) for ring in self.rings for name in ring.endpoints]

    def _live(self, name: str) -> LiveEndpoint:
        """An endpoint, the same at each call: it remembers how the service gets at a model that isn't the registry's."""
        return self._known.setdefault(name, self.live(name))

    def _save(self, state: Rollout) -> None:
        try:
            self._state = self.rollouts.save(state)
        except Conflict:
            raise TakenOver(
                f"another update brings a model to the endpoints of {self.rings[-1].endpoints[0]!r} at the same time; "
                "what this one has changed is left to it",
                "wait until the other one has ended, then run the update again",
            ) from None

    def _stage(self, staging: LiveEndpoint) -> None:
        """Put the model where nobody is served by it, to learn what it answers."""
        if not staging.surely_serves(self.address):
            self._learn(staging)
            staging.write(self.address)

    def _through(self, ring: Ring) -> None:
        endpoints = [self._live(name) for name in ring.endpoints]
        if ring.name in self._state.done and all(each.surely_serves(self.address) for each in endpoints):
            return
        for endpoint in endpoints:
            self._bind(endpoint)
        if ring.bake and any(each.name in self._state.before for each in endpoints):
            self._bake(ring, endpoints)
        if len(self.rings) > 1 and self._state.before:
            self._save(replace(self._state, done=(*self._state.done, ring.name), since=""))

    def _bind(self, endpoint: LiveEndpoint) -> None:
        self._learn(endpoint)
        there = endpoint.surely_serves(self.address)
        if not there:
            endpoint.write(self.address)
        if self.staging is not None:
            self._verify(endpoint, self.staging, [self.staging, *([endpoint] if there else [])])
        self.bound(endpoint.name, self.address)

    def _learn(self, endpoint: LiveEndpoint) -> None:
        """Record what an endpoint serves and answers before it is changed: only then will a change be seen.

        Raises BindingFailed where it doesn't answer.
        """
        name, state, served = endpoint.name, self._state, endpoint.serves()
        before = state.before.get(name)
        if served == self.address or (before and before.told):
            return
        seen = self._looked(endpoint)
        if before is None and endpoint is not self.staging:
            before = Before(served, seen.told, seen.scores)
            self._save(replace(state, before={**state.before, name: before}))
        elif not self.equal(served, self.address):
            self._save(replace(state, others={**state.others, name: seen.told}))

    def _looked(self, endpoint: LiveEndpoint) -> Look:
        """A look that tells something of the model, if it takes until the deadline."""
        seen = Look("")

        def look(_waited: float) -> bool | None:
            nonlocal seen
            self.context.guard.check()
            seen = endpoint.look()
            return not seen.passing or None

        try:
            self._wait(look, endpoint)
        except DeadlineExceeded:
            raise BindingFailed(
                f"the endpoint {endpoint.name!r} answers no probe before it is changed: {seen.error}",
                "see that it answers, or set probeRows to 0 to go by what is read back; then run the update again",
            ) from None
        return seen

    def _wait(self, look: Callable[[float], bool | None], endpoint: LiveEndpoint) -> None:
        what = f"the probe of {endpoint.name!r}"
        self.context.progress.status(f"{what}: {len(endpoint.rows)} rows")
        wait(look, what=what, deadline=self.patience.whole, clock=self.context.clock, pace=_PACE)

    def _verify(self, endpoint: LiveEndpoint, staging: LiveEndpoint, again: list[LiveEndpoint]) -> None:
        """Probe until *endpoint* answers as *staging* does, neither as it did before, and stays so.

        If that takes long, those of *again* are bound once more: one may have kept an old model since an earlier update.
        """
        old = self._old_answers(endpoint, staging)
        settle = self.patience.settle if endpoint.name in self._state.before else 0.0
        since: float | None = None
        seen = expected = Look("")

        def look(waited: float) -> bool | None:
            nonlocal since, seen, expected
            self.context.guard.check()
            _still(endpoint, self.address)
            seen, expected = endpoint.look(), staging.look()
            now = self.context.clock.monotonic()
            if not seen.answers or seen.answers != expected.answers or seen.answers in old:
                since = None
                while again and waited >= self.patience.deadline / 2:
                    again.pop().write(self.address)
                return None
            since = now if since is None else since
            return True if now - since >= settle else None

        try:
            self._wait(look, endpoint)
        except DeadlineExceeded:
            raise BindingFailed(
                self._unproven(endpoint, seen, expected, old),
                "run the update again; if the two models answer these rows alike, probe with others (a holdout), "
                "or set probeRows to 0 to go by what is read back",
            ) from None

    def _old_answers(self, *endpoints: LiveEndpoint) -> set[str]:
        """What these endpoints answered with models that are not the new one."""
        before = [self._state.before.get(each.name) for each in endpoints]
        told = {one.told for one in before if one and not self.equal(one.address, self.address)}
        return (told | {self._state.others.get(each.name, "") for each in endpoints}) - {""}

    def _unproven(self, endpoint: LiveEndpoint, seen: Look, expected: Look, old: set[str]) -> str:
        """What was seen instead of the new model."""
        name, waited = repr(endpoint.name), f"after {self.patience.deadline:g} s"
        if seen.error or expected.error:
            who = f"the endpoint {name}" if seen.error else "staging"
            return f"{who} answers no probe {waited}: {seen.error or expected.error}"
        if seen.answers in old:
            before = self._state.before.get(endpoint.name)
            as_before = before is not None and seen.answers == before.told
            which = before.address if before and as_before else "another model"
            return (
                f"the endpoint {name} says that it serves {self.address}, and {waited} {which} still answers"
            )
        if expected.answers in old:
            return (
                f"staging says that it serves {self.address}, and {waited} an old model still answers there"
            )
        return (
            f"the endpoint {name} and staging both say that they serve {self.address}, and {waited} "
            "they answer differently"
        )

    def _bake(self, ring: Ring, endpoints: Sequence[LiveEndpoint]) -> None:
        """Watch a ring for as long as it bakes; an interrupted bake goes on where it stood, for ten looks at least."""
        clock, told = self.context.clock, self.context.progress
        if not self._state.since:
            self._save(replace(self._state, since=clock.now().isoformat()))
        before = (clock.now() - datetime.fromisoformat(self._state.since)).total_seconds()
        before = min(max(before, 0.0), ring.bake)  # another machine's clock may have written it
        tallies = {each.name: Tally(ring, each.name, self.address, self._scores(each)) for each in endpoints}
        looks = 0

        def look(waited: float) -> bool | None:
            nonlocal looks
            self.context.guard.check()
            passed, looks = before + waited, looks + 1
            ended = passed >= ring.bake and looks >= ENOUGH
            for endpoint in endpoints:
                self._watch(endpoint, tallies[endpoint.name], ended=ended)
            told.status(f"ring {ring.name}: bakes, {min(passed, ring.bake):.0f} of {ring.bake:.0f} s")
            return ended or None

        step = min(15.0, max(0.05, ring.bake / _BAKE_LOOKS))
        what, deadline = f"the bake of the ring {ring.name!r}", 2 * ring.bake + 60 + ENOUGH * step
        wait(look, what=what, deadline=deadline, clock=clock, pace=Pace(shortest=step, longest=step))

    def _watch(self, endpoint: LiveEndpoint, tally: Tally, *, ended: bool) -> None:
        """One look at a model that bakes. Raises BindingFailed where it is gone, or a rule does not hold."""
        _still(endpoint, self.address)
        seen = endpoint.look()
        tally.add(seen)
        if seen.answers in self._old_answers(endpoint):
            raise BindingFailed(
                f"the endpoint {endpoint.name!r} says that it serves {self.address}, and answers as before again",
                "see why the service goes back to an old model, then run the update again",
            )
        if broken := tally.broken(ended=ended):
            raise BindingFailed(
                f"the ring {tally.ring.name!r} does not hold on {endpoint.name!r}: {broken}",
                "declare another model, or other rules for the ring",
            )

    def _scores(self, endpoint: LiveEndpoint) -> Sequence[float]:
        before = self._state.before.get(endpoint.name)
        return before.scores if before else ()

    def _failed(self, failure: RetrainError) -> BindingFailed:
        """Let every endpoint that was changed serve again what it served; what came of it is part of the error."""
        if self._state.done or self._state.since:
            # Were the way back interrupted, nothing of what has failed counts as done.
            with suppress(Unreachable, ServiceError):
                self._save(replace(self._state, done=(), since=""))
        restorer = Restorer(
            self.context.guard,
            self.context.clock,
            self._live,
            self.staging,
            self.equal,
            self.bound,
            self.patience.deadline,
            self.patience.settle,
        )
        order = [endpoint.name for endpoint in self._all()]
        before = sorted(
            self._state.before.items(), key=lambda item: order.index(item[0]) if item[0] in order else -1
        )
        told, all_back = restorer.put_back(replace(self._state, before=dict(before)))
        if all_back:
            with suppress(
                Unreachable, ServiceError
            ):  # the next update goes on from it, and finds all as it was
                self.rollouts.forget()
        consequence = "; ".join(told) or "no endpoint was changed"
        return BindingFailed(f"{failure.cause}; {consequence}", failure.remedy, request_id=failure.request_id)


def _still(endpoint: LiveEndpoint, address: str) -> str:
    """The location of the model that the endpoint serves. Raises BindingFailed where that is no more *address*."""
    location = endpoint.location()
    if (served := endpoint.address_of(location)) != address:
        raise BindingFailed(
            f"the endpoint {endpoint.name!r} took {address} and went back to {served or 'nothing'}",
            "see who else binds models to it, then run the update again",
        )
    return location
