"""Puts back what a failed rollout has changed, and sees that it is back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from clients.errors import BindingFailed, RetrainError, ServiceError, Unreachable, UpdateCancelled
from clients.poller import Pace, wait
from retrain_hooks.binding.rollout_record import Before, RolloutState
from retrain_hooks.binding.scene import Scene
from retrain_hooks.serving.live import LOOK_AT_IT, LiveEndpoint

_PACE = Pace(shortest=0.05, longest=5.0, share=0.1)
_ATTEMPTS = 3


def shared_again(endpoints: Sequence[LiveEndpoint]) -> list[str]:
    """Put back how endpoints share their calls that served the model already, by other code; what came of it."""
    told = []
    for endpoint in endpoints:
        with suppress(Unreachable, ServiceError, BindingFailed):
            if endpoint.put_back():
                told.append(f"{endpoint.name} serves {endpoint.serves() or 'nothing'} as before")
    return told


class Restorer:
    """Restores the endpoints of *scene*: each has to answer as before within the probe's deadline, and then stay so."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._context = scene.context
        self._staging = scene.staging

    def put_back(self, rollout: RolloutState) -> tuple[list[str], bool]:
        """Restore all that *rollout* found, the last first; what came of each, in words, and whether all are back."""
        told, all_back = [], True
        for name, before in reversed(list(rollout.before.items())):
            try:
                again = " again" * self._restore(self._scene.live(name), before, rollout)
                told.append(f"{name} serves {before.address or 'nothing'}{again}")
            except UpdateCancelled:
                raise
            except RetrainError as error:
                all_back = False
                told.append(
                    f"{name} could not be put back to {before.address}: {error.cause}; {self._served(name)}"
                )
        return told, all_back

    def _served(self, name: str) -> str:
        try:
            return f"it says that it serves {self._scene.live(name).serves() or 'nothing'}"
        except UpdateCancelled:
            raise
        except RetrainError:
            return "what it serves is not known"

    def _restore(self, endpoint: LiveEndpoint, before: Before, rollout: RolloutState) -> bool:
        """Put one endpoint back; whether that took a write. Raises RetrainError after some attempts."""
        others = self._others(endpoint, before, rollout)
        wrote = False
        for attempt in range(_ATTEMPTS):
            try:
                if not endpoint.surely_serves(before.address) or not self._answers(endpoint, before, others):
                    wrote = True
                    endpoint.write(before.address)
                self._see(endpoint, before, others)
                self._scene.mark(endpoint.name, before.address)
                return wrote
            except UpdateCancelled:
                raise
            except RetrainError:
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _others(self, endpoint: LiveEndpoint, before: Before, rollout: RolloutState) -> set[str]:
        """What is told by models that are not the one to go back to; asked where that one's own answers aren't known."""
        if before.told or self._staging is None:
            return set()
        others = {rollout.others.get(endpoint.name, "")}
        new = self._staging.look().told
        if new != rollout.others.get(self._staging.name) and not self._scene.equal(
            before.address, rollout.address
        ):
            others.add(new)
        return others

    def _answers(self, endpoint: LiveEndpoint, before: Before, others: set[str]) -> bool:
        """Whether it answers as before, as far as that is known."""
        if self._staging is None:
            return True
        told = endpoint.look().told
        return told == before.told if before.told else bool(told) and told not in others

    def _see(self, endpoint: LiveEndpoint, before: Before, others: set[str]) -> None:
        """Wait until it answers as before, and stays so. Raises BindingFailed where it serves another model again."""
        since: float | None = None

        def look(_waited: float) -> bool | None:
            nonlocal since
            self._context.guard.check()
            if (served := endpoint.serves()) != before.address:
                raise BindingFailed(f"it went back to {served or 'nothing'}", LOOK_AT_IT)
            now = self._context.clock.monotonic()
            if not self._answers(endpoint, before, others):
                since = None
                return None
            since = now if since is None else since
            return True if now - since >= self._scene.settle else None

        what = f"the probe of {endpoint.name!r}"
        wait(
            look,
            what=what,
            deadline=self._scene.deadline + self._scene.settle,
            clock=self._context.clock,
            pace=_PACE,
        )
