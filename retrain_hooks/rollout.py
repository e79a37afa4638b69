"""Brings a model to its endpoints, ring by ring, and believes what the endpoints answer, not what was asked of them.

Each endpoint is bound, read back, and probed until it answers as the *staging* endpoint does, where the model was put
first, and no longer as it did before. What fails puts back everything that was changed, and says what is served.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from clients.errors import BindingFailed, DeadlineExceeded, RetrainError, UpdateCancelled
from clients.poller import Pace, wait
from retrain_hooks.bake import Tally
from retrain_hooks.lifecycle import Context
from retrain_hooks.live import LiveEndpoint
from retrain_hooks.probe import Look
from retrain_hooks.rings import Ring
from retrain_hooks.rollouts import Before, Rollout, Rollouts

_PACE = Pace(shortest=0.05, longest=5.0, share=0.1)
_BAKE_LOOKS = 60
_RESTORES = 3


@dataclass(frozen=True)
class Patience:
    """How many seconds an endpoint may take to answer as the new model (*deadline*), and how many it must then stay so
    (*settle*).
    """

    deadline: float = 60.0
    settle: float = 1.0


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

    def run(self) -> None:
        """Carry it to its end, from wherever an interrupted one stands.

        Raises BindingFailed when it failed, once what was changed is put back; UpdateCancelled leaves it as it stands.
        """
        found = self.rollouts.find()
        if found is not None and found.address == self.address:
            self._state = found
            self.context.progress.info("an interrupted rollout goes on")
        else:
            # What an earlier one left half done is not what to go back to.
            self._state = Rollout(self.address, found.before if found else {})
        try:
            if self.staging is not None and not self.staging.surely_serves(self.address):
                self.staging.write(self.address)
            for ring in self.rings:
                self._through(ring)
        except UpdateCancelled:
            raise
        except RetrainError as failure:
            raise self._put_back(failure) from None
        self._end()

    def _end(self) -> None:
        if self._state.before:
            self.rollouts.forget()

    def _save(self, state: Rollout) -> None:
        self._state = self.rollouts.save(state)

    def _through(self, ring: Ring) -> None:
        endpoints = [self.live(name) for name in ring.endpoints]
        if ring.name in self._state.done and all(each.surely_serves(self.address) for each in endpoints):
            return
        for endpoint in endpoints:
            self._bind(endpoint)
        if ring.bake and self._state.before:
            self._bake(ring, endpoints)
        if len(self.rings) > 1 and self._state.before:
            self._save(replace(self._state, done=(*self._state.done, ring.name), since=""))

    def _bind(self, endpoint: LiveEndpoint) -> None:
        served = endpoint.serves()
        before = self._state.before.get(endpoint.name)
        if before is None and served != self.address:
            seen = endpoint.look()
            before = Before(served, seen.answers, seen.scores)
            self._save(replace(self._state, before={**self._state.before, endpoint.name: before}))
        if not endpoint.surely_serves(self.address):
            endpoint.write(self.address)
        if self.staging is not None:
            self._verify(endpoint, self.staging, before)
        self.bound(endpoint.name, self.address)

    def _verify(self, endpoint: LiveEndpoint, staging: LiveEndpoint, before: Before | None) -> None:
        """Probe until *endpoint* answers as *staging* does and not as *before*, and stays so."""
        told_apart = before is not None and not self.equal(before.address, self.address)
        settle = self.patience.settle if before is not None else 0.0
        since: float | None = None
        seen = expected = Look("")

        def look(_waited: float) -> bool | None:
            nonlocal since, seen, expected
            self.context.guard.check()
            _still(endpoint, self.address)
            seen, expected = endpoint.look(), staging.look()
            now = self.context.clock.monotonic()
            as_asked = bool(seen.answers) and seen.answers == expected.answers
            if not as_asked or (told_apart and before and seen.answers == before.answers):
                since = None
                return None
            since = now if since is None else since
            return True if now - since >= settle else None

        what = f"the probe of {endpoint.name!r}"
        self.context.progress.status(f"{what}: {len(endpoint.rows)} rows")
        try:
            wait(look, what=what, deadline=self.patience.deadline, clock=self.context.clock, pace=_PACE)
        except DeadlineExceeded:
            raise BindingFailed(
                self._unproven(endpoint, before, seen, expected),
                "run the update again; if the two models answer these rows alike, probe with others (a holdout), "
                "or set probeRows to 0 to go by what is read back",
            ) from None

    def _unproven(self, endpoint: LiveEndpoint, before: Before | None, seen: Look, expected: Look) -> str:
        """What was seen instead of the new model."""
        name, waited = repr(endpoint.name), f"after {self.patience.deadline:g} s"
        if seen.error or expected.error:
            who = name if seen.error else f"the staging endpoint of {name}"
            return f"the endpoint {who} answers no probe {waited}: {seen.error or expected.error}"
        if before is not None and seen.answers == before.answers:
            if expected.answers == before.answers:
                return (
                    f"the endpoint {name} and staging answer {waited} as {before.address} does: "
                    f"{self.address} was not seen"
                )
            return f"the endpoint {name} says that it serves {self.address}, and {waited} {before.address} still answers"
        return f"the endpoint {name} says that it serves {self.address}, and {waited} another model answers"

    def _bake(self, ring: Ring, endpoints: Sequence[LiveEndpoint]) -> None:
        """Watch a ring for as long as it bakes; an interrupted bake goes on where it stood."""
        clock, told = self.context.clock, self.context.progress
        if not self._state.since:
            self._save(replace(self._state, since=clock.now().isoformat()))
        begun = datetime.fromisoformat(self._state.since)
        tallies = [
            Tally(ring, each.name, self.address, before.scores if before else ())
            for each in endpoints
            for before in [self._state.before.get(each.name)]
        ]

        def look(_waited: float) -> bool | None:
            self.context.guard.check()
            passed = (clock.now() - begun).total_seconds()
            for endpoint, tally in zip(endpoints, tallies, strict=True):
                _still(endpoint, self.address)
                tally.add(endpoint.look())
                if broken := tally.broken(ended=passed >= ring.bake):
                    raise BindingFailed(
                        f"the ring {ring.name!r} does not hold on {endpoint.name!r}: {broken}",
                        "declare another model, or other rules for the ring",
                    )
            told.status(f"ring {ring.name}: bakes, {passed:.0f} of {ring.bake:.0f} s")
            return True if passed >= ring.bake else None

        step = min(15.0, max(0.05, ring.bake / _BAKE_LOOKS))
        wait(
            look,
            what=f"the bake of the ring {ring.name!r}",
            deadline=2 * ring.bake + 60,
            clock=clock,
            pace=Pace(shortest=step, longest=step),
        )

    def _put_back(self, failure: RetrainError) -> BindingFailed:
        """Let every endpoint that was changed serve again what it served; what came of it is part of the error."""
        told, all_back = [], True
        for name, before in reversed(list(self._state.before.items())):
            try:
                self._restore(self.live(name), before)
                told.append(f"{name} serves {before.address} again")
            except UpdateCancelled:
                raise
            except RetrainError as error:
                all_back = False
                told.append(f"{name} could not be put back to {before.address}: {error.cause}")
        if all_back:
            self._end()
        consequence = "; ".join(told) or "no endpoint was changed"
        return BindingFailed(f"{failure.cause}; {consequence}", failure.remedy, request_id=failure.request_id)

    def _restore(self, endpoint: LiveEndpoint, before: Before) -> None:
        """Put one endpoint back, and see it answer so. Raises RetrainError after some attempts."""

        def answers(_waited: float = 0) -> bool | None:
            self.context.guard.check()
            return not before.answers or endpoint.look().answers == before.answers or None

        for attempt in range(_RESTORES):
            try:
                if endpoint.serves() != before.address or not answers():
                    endpoint.write(before.address)
                    wait(
                        answers,
                        what=f"the probe of {endpoint.name!r}",
                        deadline=self.patience.deadline,
                        clock=self.context.clock,
                        pace=_PACE,
                    )
                self.bound(endpoint.name, before.address)
                return
            except UpdateCancelled:
                raise
            except RetrainError:
                if attempt == _RESTORES - 1:
                    raise


def _still(endpoint: LiveEndpoint, address: str) -> None:
    """Raise BindingFailed where the endpoint says no more that it serves *address*."""
    if (served := endpoint.serves()) != address:
        raise BindingFailed(
            f"the endpoint {endpoint.name!r} took {address} and went back to {served or 'nothing'}",
            "see who else binds models to it, then run the update again",
        )
