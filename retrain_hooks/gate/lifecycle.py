"""The promotion of a trained model: the gate between it and an endpoint.

The champion is what the endpoint serves now (``champion.py``). A candidate is judged against the gate's rules, and where
they say so against the champion on the same rows; the verdict is kept in the registry, so that the next preview knows it.

::

    pending ──> passed                       the endpoint serves the candidate
            ├─> awaiting approval            … the champion, until `approve` is the candidate's run key
            ├─> held                         refused with onRejected: hold: the champion stays, the update is green
            └─> GateRefused                  refused with onRejected: fail: the update is red

Where there is no champion, at first, a candidate that is held or waits leaves no model to serve: ``model.address`` is empty,
and the endpoints are not made before one has passed.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from clients.errors import GateRefused
from retrain_hooks.data.inputs import DataReference
from retrain_hooks.gate.champion import Standing, case_of, standing
from retrain_hooks.gate.doubts import doubts
from retrain_hooks.gate.inputs import AWAITING, HELD, PASSED, PENDING, PromotionInputs
from retrain_hooks.gate.judging import (
    by_evaluation,
    by_holdout,
    look_at_holdout,
    refuse_overlap,
    settled_for,
)
from retrain_hooks.gate.learnt import rulings as learnt_rulings
from retrain_hooks.gate.learnt import with_rulings
from retrain_hooks.gate.rules import Ruling, Verdict
from retrain_hooks.gate.verdicts import Case, Found, Verdicts
from retrain_hooks.host.lifecycle import UNKNOWN, Context, Diff, Props, known
from retrain_hooks.host.references import ModelRef
from retrain_hooks.registry.ledger import Ledger, which
from retrain_hooks.serving.endpoints import Endpoints


class PromotionLifecycle:
    """Decides which ``model`` an endpoint is to serve (inputs: PromotionInputs). Output also: ``rules`` with their numbers.

    It makes nothing, so that another endpoint, which takes the place of the old one, is a change of the same promotion.
    """

    inputs = PromotionInputs

    def __init__(self, context: Context) -> None:
        self._context = context

    def check(self, new: Props, old: Props) -> Props:
        """Add ``champion``, ``verdict`` and ``model``, as far as reading tells. Never writes.

        Raises GateRefused for a candidate that is known to fail, ConfigurationError for a gate that is none.
        """
        wanted = PromotionInputs.parse(new)
        if not known(wanted.gate, wanted.holdout_digest):
            return new
        wanted = replace(wanted, gate=settled_for(wanted).gate)
        new = new | {"gate": wanted.gate.props()}
        for doubt in doubts(wanted.gate.rule_set.rules):
            self._context.progress.info(f"gate: warning: {doubt}")
        candidate = wanted.candidate
        if not known(candidate.address, candidate.run_key, wanted.target):
            return new
        new, wanted = self._named(new, wanted)
        before, excused = _recorded(old), self._excused(wanted)
        if excused is None:
            refuse_overlap(self._context, wanted)
        if before is None and not wanted.placed:
            look_at_holdout(self._context, wanted)
            return new | {"champion": UNKNOWN} | _undecided(wanted)
        against = standing(self._context, wanted, before)
        if against.vacant and not wanted.placed:
            return new | {"champion": UNKNOWN, "first": True} | _undecided(wanted)
        found = self._verdicts(wanted).find(case_of(wanted, against.champion))
        if found.problem:
            self._context.progress.info(f"{found.problem}: judging anew")
        verdict = excused or found.verdict or self._foresee(wanted, against)
        return new | self._decision(wanted, against, verdict)

    def diff(self, old: Props, new: Props) -> Diff:
        """Another candidate, champion, gate or endpoint is a change; so is a verdict that was lost while it kept a model
        back. Nothing is ever replaced.
        """
        before, now = PromotionInputs.parse(old, recorded=True), PromotionInputs.parse(new, recorded=True)
        return Diff(
            bool(now.moved(before))
            or _another(before, now)
            or (now.verdict == PENDING and before.verdict != PASSED)
        )

    def create(self, new: Props) -> tuple[str, Props]:
        """Judge, keep the verdict, and say which model to serve. Raises GateRefused."""
        wanted = PromotionInputs.parse(new)
        return f"{wanted.service.id}/{wanted.endpoint}/promotion", self._promote(new, {})

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """Judge, keep the verdict, and say which model to serve. Raises GateRefused."""
        return self._promote(new, old)

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """The recorded decision; what the endpoint serves is the binding's to read."""
        return old, {name: value for name, value in old.items() if name != "rules"}

    def delete(self, id_: str, old: Props) -> None:
        """Nothing is deleted: verdicts live in the registry, longer than a stack."""

    def _promote(self, new: Props, old: Props) -> Props:
        new, wanted = self._named(new, PromotionInputs.parse(new))
        against = standing(self._context, wanted, _recorded(old))
        case, verdicts = case_of(wanted, against.champion), self._verdicts(wanted)
        found = verdicts.find(case)
        verdict = (
            self._excused(wanted) or found.verdict or self._judge(wanted, against, case, verdicts, found)
        )
        decision = self._decision(wanted, against, verdict)
        self._context.progress.info(_told(wanted, against, decision, verdict))
        return new | decision

    def _named(self, new: Props, wanted: PromotionInputs) -> tuple[Props, PromotionInputs]:
        """With the data version of the candidate's own run: a pin names another than is asked for, and so may equal bytes."""
        candidate = wanted.candidate
        run, declared = self._ledger(wanted).at(candidate.address), candidate.data
        version = run.data_version if run else ""
        if not version and known(candidate.data_version):
            blobs = declared.blobs if isinstance(declared, DataReference) and known(declared) else ()
            version = which(candidate.data_version, blobs)
        if not version:
            return new, wanted
        named = replace(candidate, data_version=version)
        return new | {"candidate": new["candidate"] | {"dataVersion": version}}, replace(
            wanted, candidate=named
        )

    def _excused(self, wanted: PromotionInputs) -> Verdict | None:
        """A model that was served before the program isn't judged by its gate: it has no evaluation of ours, and going
        back to it must be possible.
        """
        if Endpoints(self._context, wanted).adopted(wanted.candidate.address) is None:
            return None
        return Verdict((Ruling("adopted", None, None, True, "served before this program: not judged"),))

    def _foresee(self, wanted: PromotionInputs, against: Standing) -> Verdict | None:
        """The verdict, where reading is all it takes."""
        look_at_holdout(self._context, wanted)
        learnt = learnt_rulings(self._context, wanted, against)
        metrics = wanted.candidate.metrics
        if wanted.holdout or metrics is None or not known(metrics):
            for ruling in learnt:
                self._context.progress.info(f"gate: {wanted.candidate}: {ruling.reason}")
            return None if all(ruling.passed for ruling in learnt) else Verdict(learnt)
        return with_rulings(by_evaluation(Endpoints(self._context, wanted), wanted, against), learnt)

    def _judge(
        self, wanted: PromotionInputs, against: Standing, case: Case, verdicts: Verdicts, found: Found
    ) -> Verdict:
        learnt = learnt_rulings(self._context, wanted, against)
        if wanted.holdout and all(ruling.passed for ruling in learnt):
            verdict = by_holdout(self._context, wanted, against)
        else:
            verdict = by_evaluation(Endpoints(self._context, wanted), wanted, against)
        verdict = with_rulings(verdict, learnt)
        self._context.guard.check()
        return verdicts.keep(case, verdict, self._context.clock.now().isoformat(), found)

    def _decision(self, wanted: PromotionInputs, against: Standing, verdict: Verdict | None) -> Props:
        """What follows from the verdict: ``champion``, ``verdict``, ``model``, ``rules``."""
        champion, gate = against.champion, wanted.gate
        said: Props = {"champion": None}
        if champion:
            said["champion"] = {"address": champion.address, "runKey": champion.key}
            if against.inherited and against.reigning:
                said["champion"]["reigning"] = True
        if against.first:
            said["first"] = True
        if verdict is None:
            return said | _undecided(wanted) | {"start": self._start(wanted, against)}
        said["rules"] = [asdict(ruling) for ruling in verdict.rulings]
        if verdict.passed and (against.reigning or gate.approves(wanted.candidate.run_key)):
            return said | {
                "start": self._start(wanted, against),
                "verdict": PASSED,
                "model": _model(wanted),
            }
        if not verdict.passed and not gate.hold:
            raise _refused(wanted, verdict, _unchanged(wanted, against))
        model = self._staying(wanted, against)
        return said | {
            "start": model["address"],
            "verdict": AWAITING if verdict.passed else HELD,
            "model": model,
        }

    def _start(self, wanted: PromotionInputs, against: Standing) -> str:
        """What endpoints are made with, that are still to be made: a rollout then goes from the champion to the candidate.

        Another attempt of the champion's own run is there because the champion's model is lost.
        """
        champion, candidate = against.champion, wanted.candidate
        if champion is None or against.first or against.reigning or champion.key == candidate.run_key:
            return wanted.candidate.address
        run = self._ledger(wanted).finished(champion.address)
        return champion.address if run and run.sha256 else wanted.candidate.address

    def _staying(self, wanted: PromotionInputs, against: Standing) -> Props:
        """The model that goes on serving."""
        champion = against.champion
        if against.vacant:
            return ModelRef("", "").props()
        if champion is None:
            return _model(wanted)
        run = self._ledger(wanted).finished(champion.address)
        return ModelRef(champion.address, run.sha256 if run else "").props()

    def _ledger(self, wanted: PromotionInputs) -> Ledger:
        return Ledger(self._context.registry(wanted.target))

    def _verdicts(self, wanted: PromotionInputs) -> Verdicts:
        return Verdicts(self._context.registry(wanted.target))


def _recorded(old: Props) -> PromotionInputs | None:
    return PromotionInputs.parse(old, recorded=True) if old else None


def _another(before: PromotionInputs, now: PromotionInputs) -> bool:
    """Whether there is another candidate, champion, gate or holdout, or no champion any more that could serve."""
    return (
        (now.first and not before.first)
        or before.candidate.address != now.candidate.address
        or _address(before.champion) != _address(now.champion)
        or before.gate != now.gate
        or before.holdout_digest != now.holdout_digest
    )


def _address(champion: Any) -> Any:
    return champion if champion is None or champion is UNKNOWN else champion.address


def _undecided(wanted: PromotionInputs) -> Props:
    return {"start": wanted.candidate.address, "verdict": PENDING, "model": _model(wanted)}


def _model(wanted: PromotionInputs) -> Props:
    """The candidate as the model to serve."""
    return wanted.candidate.ref.props()


def _refused(wanted: PromotionInputs, verdict: Verdict, consequence: str) -> GateRefused:
    return GateRefused(
        f"the gate refuses {wanted.candidate}: {verdict.reason}; {consequence}",
        "declare other data, another experiment or another rule; with gateOnRejected: hold the champion stays and the "
        "update goes on",
    )


def _unchanged(wanted: PromotionInputs, against: Standing) -> str:
    """What a refusal leaves as it is."""
    if against.vacant:
        return f"{wanted.endpoint} serves nothing until a model passes"
    return f"the endpoint{' that would be replaced' * against.inherited} is unchanged"


def _told(wanted: PromotionInputs, against: Standing, decision: Props, verdict: Verdict) -> str:
    """One line for a person."""
    stays = "the champion stays"
    if against.inherited:
        stays = f"{wanted.endpoint} is to serve the champion, {decision['model']['address']}"
    if against.vacant:
        stays = _unchanged(wanted, against)
    key, approve = wanted.candidate.run_key, wanted.gate.approve
    how = (
        f"`approve` is {approve}, which is another run: set it to {key}"
        if approve
        else f"set `approve` to {key}"
    )
    after = {
        PASSED: "passed",
        HELD: f"is held, {stays}",
        AWAITING: f"passed and waits, {stays}: {how}",
    }[decision["verdict"]]
    return f"gate: {wanted.candidate} {after}: {verdict.reason}"
