"""How a candidate is judged: by what its training run measured, or on the rows of a holdout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clients.errors import BindingFailed
from retrain_hooks.data.heads import Heads
from retrain_hooks.data.inputs import DataReference
from retrain_hooks.data.training_data import TrainingData
from retrain_hooks.gate.champion import Standing
from retrain_hooks.gate.inputs import PromotionInputs
from retrain_hooks.gate.measures import Measure
from retrain_hooks.gate.measuring.holdout import Holdout, look_at, refuse_lacking
from retrain_hooks.gate.measuring.own_metrics import OwnMetric
from retrain_hooks.gate.measuring.truths import OVER_CLASSES
from retrain_hooks.gate.overlap import gone, refused, shared_blobs, shared_rows
from retrain_hooks.gate.rules import Evidence, MetricRule, Verdict, evaluation, judge
from retrain_hooks.gate.settling import Settled, own_metrics, settled, unchanged
from retrain_hooks.host.lifecycle import Context, known
from retrain_hooks.registry.ledger import Ledger
from retrain_hooks.serving.endpoints import Endpoints
from retrain_hooks.serving.live import LiveEndpoint


def settled_for(wanted: PromotionInputs) -> Settled:
    """The gate, as its candidate's task has it. Raises ConfigurationError."""
    metrics = wanted.candidate.metrics if known(wanted.candidate.metrics) else None
    source = wanted.candidate.source if known(wanted.candidate.source) else ""
    return settled(wanted.gate, source, metrics, holdout=wanted.holdout is not None)


def by_evaluation(endpoints: Endpoints, wanted: PromotionInputs, against: Standing) -> Verdict:
    """Judge by what each training run measured itself."""
    run = Ledger(endpoints.registry).finished(against.champion.address) if against.champion else None
    return judge(
        wanted.gate.rule_set,
        evaluation(wanted.candidate.metrics),
        evaluation(run.metrics) if run and run.metrics is not None else None,
        alone=against.champion is None,
    )


def look_at_holdout(context: Context, wanted: PromotionInputs) -> None:
    """Hold the gate's label against the beginning of the holdout. Raises ConfigurationError where they don't go together."""
    if wanted.holdout is not None:
        data = context.data(wanted.target, wanted.holdout.container)
        heads = Heads(data, context.memory, wanted.holdout.blobs, "the holdout")
        gate = settled_for(wanted)
        truth = gate.truth
        look_at(heads, truth, gate.declared)
        trained = wanted.candidate.data
        averaged = [rule for rule in wanted.gate.rule_set.rules if rule.metric in OVER_CLASSES]
        if averaged and trained is not None and known(trained):
            seen = Heads(context.data(wanted.target, trained.container), context.memory, trained.blobs)
            refuse_lacking(heads, seen, truth, averaged[0].text, gate.declared)


def trained_from(endpoints: Endpoints, wanted: PromotionInputs) -> DataReference | None:
    """What the candidate was trained from: as its run has it, which a pin may have made another, else as it is declared."""
    declared, run = wanted.candidate.data, Ledger(endpoints.registry).finished(wanted.candidate.address)
    if run is None or not run.data.get("etags"):
        return declared
    found = run.data
    return DataReference(
        found["container"], found["version"], str(run.inputs.get("data", "")), tuple(found["etags"])
    )


def refuse_overlap(context: Context, wanted: PromotionInputs) -> None:
    """See in a check that the holdout and the training data share no blob, or that it is meant so.

    Raises ConfigurationError.
    """
    holdout, trained = wanted.holdout, trained_from(Endpoints(context, wanted), wanted)
    if holdout is None or trained is None or not known(holdout, trained):
        return
    found = shared_blobs(context, wanted.target, holdout, trained)
    if found and not wanted.gate.allow_holdout_overlap:
        raise refused(found)
    if found:
        context.progress.info(f"gate: the holdout overlaps the training data, which is allowed: {found}")
    elif lost := gone(context, wanted.target, trained):
        context.progress.info(
            f"gate: whether the holdout overlaps the training data cannot be told of what is gone: {lost}"
        )


def _refuse_seen(context: Context, wanted: PromotionInputs) -> None:
    """See that few rows of the holdout are in the training data. Raises ConfigurationError."""
    holdout, trained = wanted.holdout, trained_from(Endpoints(context, wanted), wanted)
    if holdout is None or trained is None or wanted.gate.allow_holdout_overlap:
        return
    if found := shared_rows(context, wanted.target, holdout, trained):
        raise refused(found)


def by_holdout(context: Context, wanted: PromotionInputs, against: Standing) -> Verdict:
    """Judge by the rows of the holdout, the same for both models; a model that isn't served borrows the staging endpoint.

    Raises ConfigurationError for a holdout that is not what it was, BindingFailed where a model cannot be scored.
    """
    declared = wanted.holdout
    assert declared is not None
    data = context.data(wanted.target, declared.container)
    planned = TrainingData(context, wanted.target, declared)
    rules = wanted.gate.rule_set.rules
    own = own_metrics(rules, wanted.candidate.source)
    unchanged(own, wanted.gate.functions)
    gate = settled_for(wanted)
    holdout = Holdout.read(data, planned.snapshot()["etags"], gate.truth, gate.declared)
    compared = against.champion if wanted.gate.rule_set.needs_champion else None
    _refuse_seen(context, wanted)

    def measured(address: str, asked: Sequence[MetricRule]) -> Evidence:
        return _measure(context, wanted, holdout, address, [rule.measure for rule in asked], own)

    # The champion first: where it is not served any more, the candidate then takes its place on staging.
    best = measured(compared.address, [rule for rule in rules if rule.champion]) if compared else None
    return judge(
        wanted.gate.rule_set,
        measured(wanted.candidate.address, rules),
        best,
        alone=against.champion is None,
    )


def _measure(
    context: Context,
    wanted: PromotionInputs,
    holdout: Holdout,
    address: str,
    measures: Sequence[Measure],
    own: Mapping[str, OwnMetric],
) -> Evidence:
    """The metrics of the model at *address*, on an endpoint that serves it; the staging endpoint if none does."""
    if holdout.problem:
        return Evidence(problem=holdout.problem)
    endpoints = Endpoints(context, wanted, address)
    known = {wanted.candidate.address: wanted.candidate.sha256}
    live, staging = (
        LiveEndpoint(endpoints, name, sha256=lambda one: known.get(one, ""))
        for name in (wanted.endpoint, wanted.staging)
    )
    there = [one for one in (live, staging) if one is staging or endpoints.served(one.name) is not None]
    endpoint = next((one for one in there if one.surely_serves(address)), None)
    if endpoint is None:
        endpoint = staging
        staging.write(address)
    context.progress.status(f"gate: scoring {len(holdout.rows):,} rows of the holdout on {endpoint.name}")
    scoring = endpoints.services.scoring(wanted.service.id, endpoint.name)
    evidence = holdout.measure(scoring, context.guard, measures, own)
    if (served := endpoint.serves()) != address:
        raise BindingFailed(
            f"the endpoint {endpoint.name!r} was to be scored with {address} and serves {served or 'nothing'} by now",
            "see who else binds models to it, then run the update again",
        )
    return evidence
