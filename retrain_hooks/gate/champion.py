"""The champion: the model that a candidate is up against.

It is what the endpoint serves now. What replaces an endpoint (another name, another service) inherits its champion: then
it is what the replaced one serves, or served when it is gone. The same goes for a replacement that was interrupted before
the new endpoint was ever bound: it still has what it was created with, and that is nobody's choice.

At first there is no endpoint, and so no champion: a candidate is compared with the service's baseline, and where it does
not pass nothing is served. The baseline is nothing to fall back to: nobody has judged it.
"""

from __future__ import annotations

from dataclasses import dataclass

from clients.errors import CredentialError, NotFound
from clients.protocols import DEFAULT_ENDPOINT
from retrain_hooks.gate.inputs import PENDING, PromotionInputs, named
from retrain_hooks.gate.verdicts import Case, Model, Verdicts
from retrain_hooks.host.lifecycle import Context, known
from retrain_hooks.registry.ledger import Ledger
from retrain_hooks.registry.markers import Markers
from retrain_hooks.registry.run_key import key_of
from retrain_hooks.serving.endpoints import Endpoints


@dataclass(frozen=True)
class Standing:
    """Whom a candidate is up against: the *champion*, None where there is no other model than the candidate.

    *reigning*: the endpoint serves the candidate already, and this stack let it through. *inherited*: that is so of the
    endpoint that is replaced. *first*: no model was let through before this one; the champion is compared with only.
    """

    champion: Model | None
    reigning: bool
    inherited: bool = False
    first: bool = False

    @property
    def vacant(self) -> bool:
        """Whether there is no model that could go on serving."""
        return self.first and not self.reigning


def standing(context: Context, wanted: PromotionInputs, old: PromotionInputs | None) -> Standing:
    """Who the champion is. *old* are the promotion's last inputs or outputs, be they of an endpoint that is replaced."""
    candidate = wanted.candidate.address
    endpoints = Endpoints(context, wanted, candidate)
    if old is None:
        served = endpoints.served(wanted.endpoint)
        if not served:
            return _first(endpoints, candidate)
        return Standing(None, True) if served == candidate else Standing(named(served), False)
    served, inherited = _served(context, wanted, old)
    if not served:
        return _first(endpoints, candidate)
    if served != candidate:
        return Standing(named(served), False, inherited)
    champion = old.champion_model
    if old.candidate.address == candidate and old.asks == wanted.asks:
        return Standing(champion, old.chosen == candidate, inherited, old.first)
    chosen = (old.chosen, champion.address if champion and not old.first else "")
    if candidate in chosen or key_of(candidate) in {key_of(one) for one in chosen} - {""}:
        return Standing(None, True, inherited)  # also where it was lost, and is trained again
    if not old.chosen:
        return _first(endpoints, candidate)
    # Somebody else bound it: what this stack chose last is what it has to be better than.
    return Standing(named(old.chosen), False, inherited)


def case_of(wanted: PromotionInputs, champion: Model | None) -> Case:
    """What a verdict on the candidate is about."""
    candidate = wanted.candidate
    sha256 = candidate.sha256 if known(candidate.sha256) else ""
    return Case(candidate.model, champion, wanted.asks, sha256 or None)


def _first(endpoints: Endpoints, candidate: str) -> Standing:
    """No model was let through yet: the service's baseline, where that is another model, is compared with."""
    baseline = endpoints.served(DEFAULT_ENDPOINT) if endpoints.place.placed else None
    return Standing(named(baseline or "") if baseline != candidate else None, False, first=True)


def _served(context: Context, wanted: PromotionInputs, old: PromotionInputs) -> tuple[str, bool]:
    """The model that the champion is taken from, empty where there is none, and whether that is inherited."""
    champion = old.champion_model
    models = wanted.candidate.address, old.candidate.address, old.chosen, champion.address if champion else ""
    endpoints, moved = Endpoints(context, old, *models), bool(wanted.moved(old))
    try:
        served = endpoints.served(old.endpoint)
    except (NotFound, CredentialError):
        if not moved:
            raise
        served = None  # gone with its workspace
    if served is None:
        return _left(endpoints, _decided(endpoints, old)), moved
    if served == old.chosen or Markers(endpoints.registry).there(old.marker(old.endpoint, served)):
        return (_left(endpoints, served) or served) if moved else served, moved
    if old.first:
        return _decided(endpoints, old), moved
    return _before(old) or served, True


def _left(endpoints: Endpoints, address: str) -> str:
    """Where a model is that no endpoint serves any more: where it was, or, lost there, where its run was trained again;
    empty where it is nowhere.
    """
    ledger, run = Ledger(endpoints.registry), Ledger(endpoints.registry).at(address)
    if not key_of(address) or (run and run.state == "finished" and ledger.intact(run)):
        return address
    again = ledger.usable(key_of(address))
    return again.address if again and again.state == "finished" else ""


def _before(old: PromotionInputs) -> str:
    """What an endpoint was to go on serving, that has replaced another one and was not bound yet."""
    if old.first:
        return ""
    champion = old.champion_model
    if champion is None or (old.champion and old.champion.reigning):
        return old.chosen
    return champion.address


def _decided(endpoints: Endpoints, old: PromotionInputs) -> str:
    """What an endpoint that is gone served; inputs say nothing of what was decided only after them."""
    if old.verdict != PENDING:
        return old.chosen
    verdict = Verdicts(endpoints.registry).find(case_of(old, old.champion_model)).verdict
    passed = verdict is not None and verdict.passed and old.gate.approves(old.candidate.run_key)
    return old.chosen if passed else _before(old)
