"""When a metric of the model that is served drops on rows whose outcome is known by now.

The rows are scored by the endpoint and measured as a gate measures a holdout (``gate/measuring``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from clients.errors import ConfigurationError
from retrain_hooks.data.datasets import matching
from retrain_hooks.gate.inputs import GateInputs
from retrain_hooks.gate.measuring.holdout import Holdout
from retrain_hooks.gate.rules import Evidence, MetricRule, RuleSet, judge
from retrain_hooks.gate.settling import own_metrics, settled
from retrain_hooks.host.inputs import Duration, Inputs, prop
from retrain_hooks.registry.run_key import digest
from retrain_hooks.triggers.trigger import Decision, Scene

NAME = "feedback"


def _rule(rule: str) -> None:
    if MetricRule.parse(rule).champion:
        raise ConfigurationError(
            f"{rule!r} compares with a champion, and there is one model only", "write a number: auc >= 0.6"
        )


@dataclass(frozen=True)
class Settings(Inputs):
    """Rows with their outcome, and what must hold on them."""

    path: str = prop("the tables in the data container: `*` and {…} stand for any text")
    rule: str = prop("what the model that is served must show, such as auc >= 0.6", judge=_rule)
    label: str = prop(
        "which rows are positive, or which column tells, where it is not gateLabel",
        default="",
    )
    minimum_rows: int = prop("on how many rows it is measured at least", default=100, least=1)
    every: Duration = prop("how often they are scored", default=Duration(3600), least=1)


@dataclass(frozen=True)
class Facts:
    """What the model showed on the rows. *cause* identifies these."""

    evidence: Evidence = field(default_factory=Evidence)
    cause: str = ""


def look(settings: Settings, scene: Scene) -> Facts:
    """Score the rows. Raises RetrainError."""
    container = scene.context.data(scene.target)
    blobs = {blob.name: blob.etag for blob in matching(container, settings.path)}
    if not blobs:
        return Facts(Evidence(problem=f"there is nothing at {settings.path}"))
    service, endpoint = scene.outputs.get("service"), scene.outputs.get("endpointName")
    if not (isinstance(service, dict) and endpoint and scene.address):
        return Facts(Evidence(problem="the stack's outputs name no endpoint that serves a model"))
    source, task = str(scene.config.get("experiment") or ""), scene.config.get("task") or None
    label = settings.label or str(scene.config.get("gateLabel") or "")
    gate = settled(GateInputs((settings.rule,), label=label, task=task), source, holdout=True)
    rules = gate.gate.rule_set.rules
    scoring = scene.context.services(scene.target, service).scoring(service["id"], str(endpoint))
    holdout = Holdout.read(container, blobs, gate.truth, gate.declared)
    evidence = holdout.measure(
        scoring, scene.context.guard, [rule.measure for rule in rules], own_metrics(rules, source)
    )
    return Facts(evidence, digest(blobs))


def decide(settings: Settings, facts: Facts, now: datetime) -> Decision:
    """Fire where the rule is broken on enough rows. What can't be measured is no reason to train."""
    again = now + timedelta(seconds=settings.every)
    if facts.evidence.problem:
        return Decision(False, facts.evidence.problem, again)
    rows = int(facts.evidence.metrics.get("rows") or 0)
    if rows < settings.minimum_rows:
        return Decision(
            False, f"{rows} rows of feedback are too few, {settings.minimum_rows} are wanted", again
        )
    verdict = judge(RuleSet.parse([settings.rule], 0), facts.evidence, None)
    told = f"on {rows} rows of feedback: {verdict.reason}"
    return Decision(not verdict.passed, told, again, "" if verdict.passed else facts.cause)
