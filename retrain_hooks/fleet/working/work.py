"""One member's way: its model is trained, judged, and bound to an endpoint of its own, as any endpoint's is.

The parts are the lifecycles that an ``Endpoint`` of the program is made of. What each came to is kept in the member's record
instead of the stack's state, so that a second try goes on from there; a step that was done is found, not done again.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

from clients.errors import (
    ConfigurationError,
    GateRefused,
    JobFailed,
    RetrainError,
    Throttled,
    Unreachable,
    UpdateCancelled,
)
from retrain_hooks.binding.lifecycle import ModelBindingLifecycle
from retrain_hooks.fleet.inputs import FleetInputs
from retrain_hooks.fleet.planning.wishes import Wish
from retrain_hooks.fleet.records import MemberRecord, MemberRecords, State
from retrain_hooks.fleet.working.parts import Late, apply
from retrain_hooks.fleet.working.stagings import Stagings
from retrain_hooks.gate.inputs import HELD
from retrain_hooks.gate.lifecycle import PromotionLifecycle
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.registry.ledger import Ledger
from retrain_hooks.registry.records import Unreadable
from retrain_hooks.services.endpoint import EndpointLifecycle
from retrain_hooks.training.lifecycle import TrainedModelLifecycle

# A service that is overloaded or away for a moment is asked again, so often and after so many seconds at most.
_PATIENCE, _LONGEST_PAUSE = 5, 60.0
# What says the same however often it is tried with the same inputs; all else may be otherwise the next time.
_FINAL = (JobFailed, GateRefused, ConfigurationError)


class Worker:
    """Carries out what is wanted of members; several threads may ask for one member each."""

    def __init__(self, context: Context, fleet: FleetInputs) -> None:
        self._context = context
        self._records = MemberRecords(context.registry(fleet.target), fleet.fleet)
        self._ledger = Ledger(context.registry(fleet.target))
        self._stagings = Stagings(context, fleet)
        self._models = TrainedModelLifecycle(context)
        self._promotions = PromotionLifecycle(context)
        self._endpoints = EndpointLifecycle(context)
        self._bindings = ModelBindingLifecycle(context)

    def carry_out(self, wish: Wish) -> MemberRecord:
        """Train, judge and bind. The record says how it ended: with an ``error`` where it did not come to what was asked.

        Raises UpdateCancelled, where all ends, and what keeps the record itself from being written.
        """
        clock = self._context.clock
        began = clock.monotonic()
        self._context.guard.check()
        entry = self._records.ready(wish.name, wish.member.endpoint)
        progress = _Progress(entry.value.went_wrong("", ""))
        try:
            self._patiently(wish, progress)
        except UpdateCancelled:
            raise
        except RetrainError as error:
            final = isinstance(error, _FINAL)
            progress.ended(wish, "failed" if final else "unfinished")
            progress.record = progress.record.went_wrong(error.cause, error.remedy)
        seconds = round(clock.monotonic() - began, 3)
        return self._records.save(
            entry, replace(progress.record, at=clock.now().isoformat(), seconds=seconds)
        ).value

    def _patiently(self, wish: Wish, progress: _Progress) -> None:
        """All steps; what was done is not done again where a service asks for patience."""
        for attempt in range(1, _PATIENCE + 1):
            try:
                self._through(wish, progress)
            except (Throttled, Unreachable) as error:
                if attempt == _PATIENCE:
                    raise
                asked = getattr(error, "retry_after", None) or 0.5 * 2**attempt
                self._context.clock.sleep(min(asked, _LONGEST_PAUSE))
            else:
                return

    def _through(self, wish: Wish, progress: _Progress) -> None:
        """All steps; *progress* has what each came to, also where a later one fails."""
        late = Late()
        former = self._former(wish, progress.record)
        before = former or progress.record
        model = apply(self._models, wish.model, before.model)
        progress.keep(model=model, data_version=str(model.get("dataVersion") or ""))
        with self._stagings.one() if wish.staged else nullcontext("") as staging:
            promotion = apply(self._promotions, wish.promotion(staging, model), before.promotion)
            progress.keep(promotion=promotion)
            live = apply(self._endpoints, wish.live(promotion["start"]), before.live, late)
            progress.keep(live=live)
            binding = apply(self._bindings, wish.binding(staging, promotion["model"]), before.binding, late)
            progress.keep(binding=binding)
        late.do()
        if former is not None:
            self._records.delete(former.standing.member)
        progress.ended(wish, "held" if promotion["verdict"] == HELD else "serving")
        run = self._ledger.at(progress.record.standing.address)
        progress.size(run.bytes if run else 0)

    def _former(self, wish: Wish, record: MemberRecord) -> MemberRecord | None:
        """What a member that is renamed goes on from, its endpoint included, until it has a record of its own."""
        if not wish.member.formerly or record.live:
            return None
        try:
            entry = self._records.find(wish.member.formerly)
        except Unreadable:
            return None
        return entry.value if entry else None

    def retire(self, member: str) -> None:
        """Delete the endpoint of a member that is declared no more, and then its record. Raises RetrainError."""
        entry = self._records.find(member)
        if entry is None:
            return
        if entry.value.binding:
            self._bindings.delete("", entry.value.binding)
        if entry.value.live:
            self._endpoints.delete("", entry.value.live)
        self._records.delete(member)


class _Progress:
    """What a member's record will say."""

    def __init__(self, record: MemberRecord) -> None:
        self.record = record

    def keep(self, **parts: object) -> None:
        """Note what parts came to."""
        self.record = replace(self.record, **parts)  # type: ignore[arg-type]

    def ended(self, wish: Wish, state: State) -> None:
        """Note where the member is now."""
        address = str(self.record.binding.get("address") or "")
        standing = self.record.standing
        url = str(self.record.live.get("url") or "")
        ended = replace(standing, state=state, address=address, endpoint=wish.member.endpoint, url=url)
        if state != "unfinished":
            ended = replace(ended, key=wish.covers.key, asks=wish.asks, cause=wish.cause)
        self.keep(standing=ended)

    def size(self, bytes_: int) -> None:
        """Note how large the model is that is served."""
        self.keep(standing=replace(self.record.standing, size=bytes_))
