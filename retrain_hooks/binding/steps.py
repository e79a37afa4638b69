"""A step of a rollout: the new model answers some of an endpoint's calls, and is watched before it gets more of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clients.errors import BindingFailed
from retrain_hooks.binding.bake import ENOUGH, Tally, watch
from retrain_hooks.binding.inputs import RingInputs
from retrain_hooks.binding.scene import Scene
from retrain_hooks.serving.live import LiveEndpoint


@dataclass(frozen=True)
class Step:
    """The model at *address* has *share* percent of the calls of *endpoint*; on *staging* it answers by itself."""

    scene: Scene
    ring: RingInputs
    endpoint: LiveEndpoint
    staging: LiveEndpoint
    address: str
    share: int

    def bake(self, old_scores: Sequence[float]) -> None:
        """Watch it for as long as the ring bakes, once at least. Raises BindingFailed where a rule does not hold, the endpoint
        fails, or somebody else has changed the shares.
        """
        context, ring = self.scene.context, self.ring
        tally, looks = Tally(ring, self.endpoint.name, self.address, old_scores), 0

        def look(waited: float) -> bool | None:
            nonlocal looks
            context.guard.check()
            self._still()
            looks += 1
            tally.add(self.staging.look())
            through = self.endpoint.look()
            ended = waited >= ring.bake and (looks >= ENOUGH or not ring.bake)
            if broken := ("" if through.passing else through.error) or tally.broken(ended=ended):
                raise BindingFailed(
                    f"{self.address} does not hold with {self.share} % of the calls of {self.endpoint.name!r}: {broken}",
                    "declare another model, or other rules for the ring",
                )
            passed = f"{min(waited, ring.bake):.0f} of {ring.bake:.0f} s"
            context.progress.status(f"{self.endpoint.name}: {self.share} % of the calls, bakes, {passed}")
            return ended or None

        watch(look, f"the step of {self.endpoint.name!r} at {self.share} %", ring.bake, context.clock)

    def _still(self) -> None:
        if (share := self.endpoint.share(self.address)) < self.share:
            raise BindingFailed(
                f"somebody else has changed what {self.endpoint.name!r} serves: {self.address} had {self.share} % of its "
                f"calls, and has {share} %",
                "see who did, and why; run the update again to go on",
            )
