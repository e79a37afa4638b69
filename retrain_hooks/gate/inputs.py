"""The inputs of a promotion: the candidate, what the gate asks of it, the rows it is judged on, and where it would serve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from clients.errors import ConfigurationError
from retrain_hooks.data.inputs import DataReference
from retrain_hooks.gate.rules import MetricRule, RuleSet
from retrain_hooks.gate.verdicts import Model
from retrain_hooks.host.inputs import Inputs, prop
from retrain_hooks.host.lifecycle import known
from retrain_hooks.host.references import ModelRef
from retrain_hooks.registry.run_key import judge_key, key_of
from retrain_hooks.serving.endpoints import Place
from tasks import TASKS

PASSED, HELD, PENDING, AWAITING = "passed", "held", "pending", "awaiting approval"
FAIL, HOLD = "fail", "hold"


@dataclass(frozen=True)
class GateInputs(Inputs):
    """What a candidate must show, and what follows where it doesn't."""

    rules: tuple[str, ...] = prop(
        "what must hold: metric op number, or metric op champion [+|- number], the metric a task's, one `at` a threshold "
        "or `file.py: function`; empty: the default of the task",
        default=(),
        judge=MetricRule.parse,
        called="gateRules",
    )
    minimum_rows: int = prop(
        "on how many rows a model must have been measured; 0 asks for none",
        default=1,
        least=0,
        unit="rows",
        called="gateMinimumRows",
    )
    label: str = prop(
        "which rows of the holdout are positive: delay >= 15, or Diagnosis == malignant; of several classes and of a "
        "regression the column that tells; of a clustering nothing",
        default="",
        called="gateLabel",
    )
    task: str | None = prop(
        "what the models are trained for, where no graph tells it",
        default=None,
        choices=tuple(TASKS),
        called="task",
    )
    on_rejected: str = prop(
        "what a refused candidate does: the update fails, or it goes on and the champion stays",
        default=FAIL,
        choices=(FAIL, HOLD),
        called="gateOnRejected",
    )
    allow_holdout_overlap: bool = prop(
        "whether a candidate may be judged on rows that it was trained from",
        default=False,
        called="allowHoldoutOverlap",
    )
    allow_changed_classes: bool = prop(
        "whether a candidate may have other classes, columns or types than the champion, or the classes swapped",
        default=False,
        called="allowChangedClasses",
    )
    positive_class: str = prop(
        "the class that a candidate's probability has to be of; empty: whichever it is",
        default="",
        called="positiveClass",
    )
    approval: bool = prop(
        "whether a candidate that passed waits until it is approved", default=False, called="gateApproval"
    )
    approve: str = prop(
        "the run key that a person approves, or its first 7 digits at least",
        default="",
        judge=judge_key,
        called="approve",
    )
    functions: Mapping[str, Any] = prop(
        "the digests of the files of the team's own functions, by what rules call these",
        default={},
        output=True,
    )

    @cached_property
    def rule_set(self) -> RuleSet:
        """The rules as they are judged by."""
        return RuleSet.parse(self.rules, self.minimum_rows)

    @property
    def hold(self) -> bool:
        """Whether a refused candidate leaves the champion serving."""
        return self.on_rejected == HOLD

    def approves(self, run_key: str) -> bool:
        """Whether a candidate that passed may be served."""
        return not self.approval or bool(self.approve and run_key.startswith(self.approve))


@dataclass(frozen=True)
class Candidate(Inputs):
    """The trained model that is to be served."""

    address: str = prop("path of the model in the registry container")
    run_key: str = prop("key of the run that trained it, 64 hex digits")
    sha256: str = prop("SHA-256 of the model, 64 hex digits", default="")
    metrics: Any = prop("what its training run measured", default=None)
    data_version: str = prop("the data version that it was trained from", default="")
    data: DataReference | None = prop("what it was trained from, as its TrainedModel has it", default=None)
    source: str = prop(
        "the folder below experiments/ that trains it; empty where the service was there before", default=""
    )

    @property
    def model(self) -> Model:
        """As verdicts name it."""
        return Model(self.address, self.run_key)

    @property
    def ref(self) -> ModelRef:
        """As a binding takes it."""
        return ModelRef(self.address, self.sha256)

    def __str__(self) -> str:
        version = (
            f" (data version {self.data_version})" if self.data_version and known(self.data_version) else ""
        )
        return f"run {self.run_key[:12]}{version}"


@dataclass(frozen=True)
class ChampionRef(Inputs):
    """The model that a candidate is up against."""

    address: str = prop("path of the model in the registry container")
    run_key: str = prop("key of the run that trained it; empty where that is not known", default="")
    reigning: bool = prop("whether the endpoint that is replaced serves the candidate already", default=False)


@dataclass(frozen=True, kw_only=True)
class PromotionInputs(Place):
    """A promotion: which model an endpoint is to serve."""

    candidate: Candidate = prop("the model that is to be served")
    gate: GateInputs = prop("what it must show")
    holdout: DataReference | None = prop(
        "the rows that candidate and champion are judged on; none: each run's own evaluation", default=None
    )
    champion: ChampionRef | None = prop("the model that serves now", default=None, output=True)
    model: ModelRef | None = prop("the model to serve", default=None, output=True)
    verdict: str = prop(
        "passed, held, awaiting approval; pending in a preview that cannot know it", default="", output=True
    )
    first: bool = prop(
        "whether no model was let through before this one: there is no champion to fall back to",
        default=False,
        output=True,
    )
    start: str = prop(
        "address of the model that endpoints are made with; empty where no model has passed yet",
        default="",
        output=True,
    )

    def validate(self) -> None:
        """Refuse a holdout that cannot be judged on."""
        if self.holdout is None:
            return
        names = (self.staging, self.endpoint)
        if known(*names) and self.staging.strip().casefold() in ("", self.endpoint.strip().casefold()):
            raise ConfigurationError(
                "stagingEndpoint: a gate with a holdout needs a staging endpoint that is not the live one",
                "give the promotion a staging endpoint of its own",
            )

    @property
    def holdout_digest(self) -> Any:
        """What the holdout's rows are known by; None where there is no holdout."""
        return self.holdout.digest if isinstance(self.holdout, DataReference) else self.holdout

    @property
    def asks(self) -> dict[str, Any]:
        """What determines a verdict, as plain values in one form."""
        gate = self.gate
        allowed: dict[str, Any] = (
            {"allowHoldoutOverlap": True} if gate.allow_holdout_overlap and self.holdout else {}
        )
        if gate.allow_changed_classes:
            allowed["allowChangedClasses"] = True
        if gate.positive_class:
            allowed["positiveClass"] = gate.positive_class
        if gate.functions:
            allowed["functions"] = dict(gate.functions)
        if gate.task and self.holdout:
            allowed["task"] = gate.task
        return allowed | {
            "rules": [rule.text for rule in self.gate.rule_set.rules],
            "minimumRows": self.gate.minimum_rows,
            "holdout": self.holdout_digest,
            "label": self.gate.label if self.holdout else None,
        }

    @property
    def champion_model(self) -> Model | None:
        """The champion, where one is recorded."""
        return named(self.champion.address) if self.champion and known(self.champion) else None

    @property
    def chosen(self) -> str:
        """The address of the model to serve, as it was decided; empty where nothing was."""
        return self.model.address if isinstance(self.model, ModelRef) else ""


def named(address: str) -> Model | None:
    """The model at *address*, with its run's key where the address is the ledger's."""
    return Model(address, key_of(address)) if address else None
