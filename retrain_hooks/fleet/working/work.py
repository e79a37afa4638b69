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
from retrain_hooks.fleet.records import MemberRecord, MemberRecords, Standing, State
from retrain_hooks.fleet.working.parts import Late, apply
from retrain_hooks.fleet.working.retiring import Retirer
from retrain_hooks.fleet.working.stagings import Stagings
from retrain_hooks.gate.inputs import HELD
from retrain_hooks.gate.lifecycle import PromotionLifecycle
from retrain_hooks.host.lifecycle import Context
from retrain_hooks.registry.ledger import Ledger
from retrain_hooks.registry.markers import Markers
from retrain_hooks.registry.owners import OwnedByAnother
from retrain_hooks.registry.records import Entry, Unreadable
from retrain_hooks.services.endpoint import EndpointLifecycle
from retrain_hooks.serving.endpoints import Place
from retrain_hooks.training.lifecycle import TrainedModelLifecycle
from retrain_hooks.training.trainer import TrainAnew

# A service that is overloaded or away for a moment is asked again, so often and after so many seconds at most.
_PATIENCE, _LONGEST_PAUSE = 5, 60.0
# What says the same however often it is tried with the same inputs; all else may be otherwise the next time.
_FINAL = (JobFailed, GateRefused, ConfigurationError)
_PASSING = (TrainAnew, OwnedByAnother)


class Worker:
    """Carries out what is wanted of members; several threads may ask for one member each."""

    def __init__(self, context: Context, fleet: FleetInputs) -> None:
        self._context, self._fleet = context, fleet
        self._records = MemberRecords(context.registry(fleet.target), fleet.fleet)
        self._ledger = Ledger(context.registry(fleet.target))
        self._retirer = Retirer(context, fleet)
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
        entry = self._ready(wish)
        progress = _Progress(entry.value.went_wrong("", ""))
        try:
            self._patiently(wish, progress)
        except UpdateCancelled:
            raise
        except RetrainError as error:
            final = isinstance(error, _FINAL) and not isinstance(error, _PASSING)
            if final:
                self._keep_champion(progress)
            progress.ended(wish, "failed" if final else "unfinished")
            progress.record = progress.record.went_wrong(error.cause, error.remedy)
        seconds = round(clock.monotonic() - began, 3)
        return self._records.save(
            entry, replace(progress.record, at=clock.now().isoformat(), seconds=seconds)
        ).value

    def _ready(self, wish: Wish) -> Entry[MemberRecord]:
        """Its record, which names the endpoint that is to be made before that is; a renamed member goes on with its own."""
        home = wish.home
        entry = self._inherit(wish) or self._records.ready(wish.name, home)
        if entry.value.standing.endpoint == home:
            return entry
        self._retirer.drop_half_made(entry.value)
        return self._records.save(
            entry, replace(entry.value, standing=replace(entry.value.standing, endpoint=home))
        )

    def _inherit(self, wish: Wish) -> Entry[MemberRecord] | None:
        """Give a renamed member what it had by its former name, which is forgotten; None where there is nothing."""
        try:
            former = self._records.find(wish.member.formerly) if wish.member.formerly else None
        except Unreadable:
            return None
        if former is None:
            return None
        entry = self._records.ready(wish.name, former.value.standing.endpoint)
        if not entry.value.live:
            self._retirer.drop_half_made(former.value)
            there = former.value.standing
            standing = Standing(
                wish.name, _home(former.value), address=there.address, size=there.size, url=there.url
            )
            live = {**former.value.live, "name": wish.home} if self._fleet.shared else former.value.live
            entry = self._records.save(entry, replace(former.value, standing=standing, live=live))
        kept = entry.value.live.get("incarnation") == former.value.live.get("incarnation")
        if kept and not self._fleet.shared:
            self._records.delete(former.value.standing.member)
        else:
            self._retirer.retire(former.value.standing.member)
        return entry

    def _keep_champion(self, progress: _Progress) -> None:
        """A member that can't have another model serves what it did; what was half made for it goes, if no model was bound."""
        record = progress.record
        try:
            if not self._bound(record):
                self._retirer.drop_half_made(record)
            progress.record = self._restored(record)
        except UpdateCancelled:
            raise
        except RetrainError:
            return  # the next update sees what is left to do

    def _restored(self, record: MemberRecord) -> MemberRecord:
        """With the endpoint and the binding that are on record brought about again."""
        if not record.binding or self._fleet.shared:
            return record  # what members share is bound for all of them
        live = apply(self._endpoints, record.live, record.live)
        return replace(record, live=live, binding=apply(self._bindings, record.binding, record.binding))

    def _bound(self, record: MemberRecord) -> bool:
        """Whether the endpoint that a record names was bound to a model that had passed: it goes on serving that."""
        name, fleet = record.standing.endpoint, self._fleet
        place = Place(target=fleet.target, service=fleet.service, endpoint=name, resource=fleet.resource)
        return Markers(self._context.registry(fleet.target)).there(place.marker(name, ""))

    def restore(self, member: str) -> str:
        """Bind again what *member* served, to the endpoint that it had; why that failed, empty where it did not."""
        try:
            entry = self._records.find(member)
            if entry is not None:
                self._records.save(entry, self._restored(entry.value))
        except UpdateCancelled:
            raise
        except RetrainError as error:
            return error.cause
        return ""

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
        before = progress.record
        model = apply(self._models, wish.model, before.model)
        progress.keep(model=model, data_version=str(model.get("dataVersion") or ""))
        with self._stagings.one() if wish.staged else nullcontext("") as staging:
            promotion = apply(self._promotions, wish.promotion(staging, model), before.promotion)
            progress.keep(promotion=promotion)
            if self._fleet.shared:
                progress.ended(wish, "unfinished")
                return  # its wave is bound as one
            live = apply(self._endpoints, wish.live(promotion["start"]), before.live, late)
            progress.keep(live=live)
            binding = apply(self._bindings, wish.binding(staging, promotion["model"]), before.binding, late)
            # The staging endpoint is the next member's: a binding that is brought about again, or let go of, has none.
            progress.keep(binding={**binding, "stagingEndpoint": ""})
        late.do()
        progress.ended(wish, "held" if promotion["verdict"] == HELD else "serving")
        run = self._ledger.at(progress.record.standing.address)
        progress.size(run.bytes if run else 0)


def _home(record: MemberRecord) -> str:
    """The name of the endpoint that a member has."""
    return str(record.live.get("name") or record.standing.endpoint)


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
        home = _home(self.record) if state == "failed" else wish.home
        ended = replace(standing, state=state, address=address, endpoint=home, url=url)
        if state != "unfinished":
            ended = replace(ended, key=wish.covers.key, asks=wish.asks, cause=wish.cause)
        self.keep(standing=ended)

    def size(self, bytes_: int) -> None:
        """Note how large the model is that is served."""
        self.keep(standing=replace(self.record.standing, size=bytes_))
