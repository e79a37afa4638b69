"""Brings a model to its endpoints, ring by ring, and believes what the endpoints answer, not what was asked of them.

Each endpoint is bound, read back, and probed until it answers as the *staging* endpoint does, where the model was put
first, and no longer as either did before. What fails puts back everything that was changed, and says what is served.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
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
from clients.poller import Pace, Paced, wait
from clients.protocols import DEFAULT_ENDPOINT
from retrain_hooks.binding.bake import ENOUGH, Tally, watch
from retrain_hooks.binding.inputs import RingInputs
from retrain_hooks.binding.restore import Restorer, shared_again
from retrain_hooks.binding.rollout_record import Before, RolloutRecord, RolloutState
from retrain_hooks.binding.scene import Scene
from retrain_hooks.binding.steps import Step
from retrain_hooks.registry.run_key import digest, key_of
from retrain_hooks.serving.live import LiveEndpoint
from retrain_hooks.serving.probe import Look

_PACE = Pace(shortest=0.05, longest=5.0, share=0.1)
_SETTLING_LOOKS = 4  # as often is an endpoint looked at while it must stay as it is


class TakenOver(BindingFailed):
    """Another update has taken up the same rollout: it decides what the endpoints serve, and puts back what fails."""


class Roller:
    """One rollout of the model at *address* through the rings of *scene*, from wherever *record* says that one stands."""

    def __init__(self, scene: Scene, record: RolloutRecord, address: str) -> None:
        self._scene = scene
        self._record = record
        self._address = address
        self._rings = scene.wanted.stages
        self._context = scene.context
        self._staging = scene.staging
        self._alike = ""
        self._state = RolloutState(address, digest(list(scene.rows)) if scene.rows else "")

    def run(self) -> dict[str, str]:
        """Carry it to its end, from wherever an interrupted one stands; the model's location by endpoint, as last seen.

        Raises BindingFailed when it failed, once what was changed is put back; UpdateCancelled leaves it as it stands,
        and so does TakenOver.
        """
        try:
            found = self._record.find()
            if found and self._scene.as_left:
                found = None  # a race, or a kill before the first change, has left it: it is no way back
            if found is not None:
                self._state = found.taken_up(self._address, self._state.rows)
                if found.address == self._address:
                    self._context.progress.info("an interrupted rollout goes on")
            if found is not None or not all(each.surely_serves(self._address) for each in self._all()):
                self._save(self._state)
            if self._staging is not None:
                self._stage(self._staging)
            for ring in self._rings:
                self._through(ring)
            serving = {endpoint.name: _still(endpoint, self._address) for endpoint in self._all()}
        except (UpdateCancelled, TakenOver):
            raise
        except RetrainError as failure:
            raise self._failed(failure) from None
        self._close()
        return serving

    def _close(self) -> None:
        try:
            self._record.forget()
        except (Unreachable, ServiceError) as error:
            told = "; ".join(f"{endpoint.name} serves {self._address}" for endpoint in self._all())
            raise BindingFailed(
                f"the record of this rollout could not be closed: {error.cause}; {told}",
                "run the update again: it closes it",
            ) from None

    def _all(self) -> list[LiveEndpoint]:
        return [self._scene.live(name) for ring in self._rings for name in ring.names]

    def _save(self, state: RolloutState) -> None:
        try:
            self._state = self._record.save(state)
        except Conflict:
            raise TakenOver(
                f"another update brings a model to the endpoints of {self._rings[-1].names[0]!r} at the same time; "
                "what this one has changed is left to it",
                "wait until the other one has ended, then run the update again",
            ) from None

    def _stage(self, staging: LiveEndpoint) -> None:
        """Put the model where nobody is served by it, to learn what it answers."""
        if not staging.surely_serves(self._address):
            self._learn(staging)
            staging.write(self._address)

    def _through(self, ring: RingInputs) -> None:
        endpoints = [self._scene.live(name) for name in ring.names]
        if ring.title in self._state.done and all(each.surely_serves(self._address) for each in endpoints):
            return
        for endpoint in endpoints:
            self._bind(ring, endpoint)
        if ring.bake and any(each.name in self._state.before for each in endpoints):
            self._bake(ring, endpoints)
        if len(self._rings) > 1 and self._state.before:
            self._save(replace(self._state, done=(*self._state.done, ring.title), since=""))

    def _bind(self, ring: RingInputs, endpoint: LiveEndpoint) -> None:
        self._learn(endpoint)
        there = endpoint.surely_serves(self._address)
        if not there and self._staging is not None:
            self._tell_apart(endpoint, self._staging)
        if not there:
            self._move(ring, endpoint)
        if self._staging is not None:
            self._verify(endpoint, self._staging, [self._staging, *([endpoint] if there else [])])
        self._scene.mark(endpoint.name, self._address)

    def _move(self, ring: RingInputs, endpoint: LiveEndpoint) -> None:
        """Let the model get the endpoint's calls: step by step, where they can be shared; each step bakes as the ring does."""
        if endpoint.shares and endpoint.serves():
            present, wanted = endpoint.share(self._address), self._scene.wanted
            if wanted.mirror and not present:
                endpoint.mirror(self._address, wanted.mirror)
                self._bake_step(ring, endpoint, 0)
            for share in wanted.steps[:-1]:
                if share > present:  # an interrupted rollout came as far
                    endpoint.write(self._address, share)
                    self._bake_step(ring, endpoint, share)
        endpoint.write(self._address)

    def _bake_step(self, ring: RingInputs, endpoint: LiveEndpoint, share: int) -> None:
        if self._staging is not None:
            Step(self._scene, ring, endpoint, self._staging, self._address, share).bake(
                self._scores(endpoint)
            )

    def _learn(self, endpoint: LiveEndpoint) -> None:
        """Record what an endpoint serves and answers before it is changed: only then will a change be seen.

        Raises BindingFailed where it doesn't answer.
        """
        name, state, served = endpoint.name, self._state, endpoint.serves()
        before = state.before.get(name)
        if served == self._address or (before and before.told):
            return
        seen = self._looked(endpoint)
        if before is None and endpoint is not self._staging:
            before = Before(served, seen.told, seen.scores)
            self._save(replace(state, before={**state.before, name: before}))
        elif not self._scene.equal(served, self._address):
            self._save(replace(state, others={**state.others, name: seen.told}))

    @property
    def alike(self) -> bool:
        """Whether the model answered as the one before did, and was seen to be another one."""
        return bool(self._alike)

    def _tell_apart(self, endpoint: LiveEndpoint, staging: LiveEndpoint) -> None:
        """Where the model answers as the one that *endpoint* still serves: probe with rows that tell the two apart.

        Where there are none, see that *staging* does answer by the model that it was given, or that the training service
        measured the same of both, and go by what is read back.
        """
        before = self._state.before.get(endpoint.name)
        if before is None or not before.told or self._scene.equal(before.address, self._address):
            return
        new = staging.look()
        if not new.answers or new.answers != before.told:
            return
        rows, probed, count = self._scene.more(), self._scene.rows, len(self._scene.rows)
        self._scene.probe_with(rows)
        one, other = endpoint.look(), staging.look()
        pairs = zip(rows, one.rows, other.rows, strict=False)
        apart = [row for row, old, now in pairs if old != now][:count]
        if not apart:
            self._scene.probe_with(probed)
            alike = one.answers == other.answers != ""
            measured = alike and self._scene.measured_alike(before.address, self._address)
            if measured or (alike and self._follows(staging, new)):
                self._alike = new.answers
            return
        self._scene.probe_with(apart)
        seen = endpoint.look()
        told = {name: Before(each.address) for name, each in self._state.before.items()}
        told[endpoint.name] = Before(before.address, seen.told, seen.scores)
        self._save(replace(self._state, rows=digest(list(apart)), before=told, others={}))

    def _follows(self, staging: LiveEndpoint, new: Look) -> bool:
        """Whether *staging* answers by what it is given: as another model before, or for a moment that of the default
        endpoint.
        """
        if self._state.others.get(staging.name, "") not in ("", new.answers):
            return True
        third = staging.endpoints.served(DEFAULT_ENDPOINT) or ""
        others = [one.address for one in self._state.before.values()]
        if not key_of(third) or any(self._scene.equal(third, one) for one in (self._address, *others)):
            return False
        staging.write(third)
        between = staging.look()
        staging.write(self._address)
        return bool(between.answers) and between.answers != new.answers == staging.look().answers

    def _looked(self, endpoint: LiveEndpoint) -> Look:
        """A look that tells something of the model, if it takes until the deadline."""
        seen = Look("")

        def look(_waited: float) -> bool | None:
            nonlocal seen
            self._context.guard.check()
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

    def _wait(
        self, look: Callable[[float], bool | None], endpoint: LiveEndpoint, pace: Paced = _PACE
    ) -> None:
        what = f"the probe of {endpoint.name!r}"
        self._context.progress.status(f"{what}: {len(endpoint.rows)} rows")
        wait(
            look,
            what=what,
            deadline=self._scene.deadline + self._scene.settle,
            clock=self._context.clock,
            pace=pace,
        )

    def _verify(self, endpoint: LiveEndpoint, staging: LiveEndpoint, again: list[LiveEndpoint]) -> None:
        """Probe until *endpoint* answers as *staging* does, neither as it did before, and stays so.

        If that takes long, those of *again* are bound once more: one may have kept an old model since an earlier update.
        """
        old = self._old_answers(endpoint, staging)
        settle = self._scene.settle if endpoint.name in self._state.before else 0.0
        since: float | None = None
        seen = expected = Look("")

        def look(waited: float) -> bool | None:
            nonlocal since, seen, expected
            self._context.guard.check()
            _still(endpoint, self._address)
            seen, expected = endpoint.look(), staging.look()
            now = self._context.clock.monotonic()
            if not seen.answers or seen.answers != expected.answers or seen.answers in old:
                since = None
                while again and waited >= self._scene.deadline / 2:
                    again.pop().write(self._address)
                return None
            since = now if since is None else since
            return True if now - since >= settle else None

        class Pacing:
            """Quick until it answers as the new model, then a few looks more."""

            def after(self, waited: float) -> float:
                often = _PACE.after(waited)
                return often if since is None else max(often, settle / _SETTLING_LOOKS)

        try:
            self._wait(look, endpoint, Pacing())
        except DeadlineExceeded:
            raise BindingFailed(
                self._unproven(endpoint, seen, expected, old),
                "run the update again; if the two models answer these rows alike, probe with others (a holdout), "
                "or set probeRows to 0 to go by what is read back",
            ) from None

    def _old_answers(self, *endpoints: LiveEndpoint) -> set[str]:
        """What these endpoints answered with models that are not the new one."""
        before = [self._state.before.get(each.name) for each in endpoints]
        told = {one.told for one in before if one and not self._scene.equal(one.address, self._address)}
        told |= {self._state.others.get(each.name, "") for each in endpoints}
        return told - {"", self._alike}

    def _unproven(self, endpoint: LiveEndpoint, seen: Look, expected: Look, old: set[str]) -> str:
        """What was seen instead of the new model."""
        name, waited = repr(endpoint.name), f"after {self._scene.deadline:g} s"
        if seen.error or expected.error:
            who = f"the endpoint {name}" if seen.error else "staging"
            return f"{who} answers no probe {waited}: {seen.error or expected.error}"
        if seen.answers in old:
            before = self._state.before.get(endpoint.name)
            as_before = before is not None and seen.answers == before.told
            which = before.address if before and as_before else "another model"
            return (
                f"the endpoint {name} says that it serves {self._address}, and {waited} {which} still answers"
            )
        if expected.answers in old:
            return (
                f"staging says that it serves {self._address}, and {waited} an old model still answers there"
            )
        return (
            f"the endpoint {name} and staging both say that they serve {self._address}, and {waited} "
            "they answer differently"
        )

    def _bake(self, ring: RingInputs, endpoints: Sequence[LiveEndpoint]) -> None:
        """Watch a ring for as long as it bakes; an interrupted bake goes on where it stood, for ten looks at least."""
        clock, told = self._context.clock, self._context.progress
        if not self._state.since:
            self._save(replace(self._state, since=clock.now().isoformat()))
        before = (clock.now() - datetime.fromisoformat(self._state.since)).total_seconds()
        before = min(max(before, 0.0), ring.bake)  # another machine's clock may have written it
        tallies = {each.name: Tally(ring, each.name, self._address, self._scores(each)) for each in endpoints}
        looks = 0

        def look(waited: float) -> bool | None:
            nonlocal looks
            self._context.guard.check()
            passed, looks = before + waited, looks + 1
            ended = passed >= ring.bake and looks >= ENOUGH
            for endpoint in endpoints:
                self._watch(endpoint, tallies[endpoint.name], ended=ended)
            told.status(f"ring {ring.title}: bakes, {min(passed, ring.bake):.0f} of {ring.bake:.0f} s")
            return ended or None

        watch(look, f"the bake of the ring {ring.title!r}", ring.bake, clock)

    def _watch(self, endpoint: LiveEndpoint, tally: Tally, *, ended: bool) -> None:
        """One look at a model that bakes. Raises BindingFailed where it is gone, or a rule does not hold."""
        _still(endpoint, self._address)
        seen = endpoint.look()
        tally.add(seen)
        if seen.answers in self._old_answers(endpoint):
            raise BindingFailed(
                f"the endpoint {endpoint.name!r} says that it serves {self._address}, and answers as before again",
                "see why the service goes back to an old model, then run the update again",
            )
        if broken := tally.broken(ended=ended):
            raise BindingFailed(
                f"the ring {tally.ring.title!r} does not hold on {endpoint.name!r}: {broken}",
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
        order = [endpoint.name for endpoint in self._all()]
        before = sorted(
            self._state.before.items(), key=lambda item: order.index(item[0]) if item[0] in order else -1
        )
        told, all_back = Restorer(self._scene).put_back(replace(self._state, before=dict(before)))
        told += shared_again([one for one in self._all() if one.name not in self._state.before])
        if all_back:
            with suppress(
                Unreachable, ServiceError
            ):  # the next update goes on from it, and finds all as it was
                self._record.forget()
        consequence = "; ".join(told) or "no endpoint was changed"
        return BindingFailed(f"{failure.cause}; {consequence}", failure.remedy, request_id=failure.request_id)


def _still(endpoint: LiveEndpoint, address: str) -> str:
    """The location of the model that the endpoint serves. Raises BindingFailed where that is no more *address*, and it alone."""
    location, served = endpoint.said()
    if served != address:
        raise BindingFailed(
            f"the endpoint {endpoint.name!r} took {address} and went back to {served or 'nothing'}",
            "see who else binds models to it, then run the update again",
        )
    return location
