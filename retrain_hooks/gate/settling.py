"""What a gate asks once it is known what the models are trained for: rules, label and functions, judged by the task.

The task is the one that the experiment's graph tells. Of a team's own code, and of a service that was there before, it is
the one that is declared, or that of the metrics that a run has logged, or of the metrics that the rules name; else it is the
one with two classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from clients.errors import ConfigurationError
from clients.names import likeliest
from graph.data.declared import NOTHING, Declared
from retrain_hooks.experiments.task import aim_of
from retrain_hooks.gate.inputs import GateInputs
from retrain_hooks.gate.measuring.labels import truth_of
from retrain_hooks.gate.measuring.own_metrics import OwnMetric
from retrain_hooks.gate.measuring.truths import Truth
from retrain_hooks.gate.rules import MetricRule, evaluation
from tasks import TASKS, Task, measured_as

_TWO_CLASSES = TASKS["two-class"]
_ALIKE = 0.5


@dataclass(frozen=True)
class Settled:
    """A gate with all that it leaves open filled in, the *task* that it is for, and the *label* that it has, or would have
    with a holdout. *declared* is what the experiment's input says of its columns.
    """

    gate: GateInputs
    task: Task
    label: str = ""
    declared: Declared = NOTHING

    @property
    def truth(self) -> Truth:
        """What its label says of a holdout. Raises ConfigurationError."""
        return truth_of(self.task, self.gate.label)


def settled(gate: GateInputs, source: str, metrics: Any = None, *, holdout: bool) -> Settled:
    """*gate* for the models of the experiment *source* (empty: not known), of which a run measured *metrics*, if any did.

    Without rules it gets those of its task; with a *holdout* and no label, that of the graph.
    Raises ConfigurationError for what the task, or a gate without a holdout, does not have, and for a function that cannot be called.
    """
    aim = aim_of(source)
    if aim.task and gate.task not in (None, aim.task.name):
        raise ConfigurationError(
            f"task: the experiment {source!r} is for {aim.task.title}, and `task` says {gate.task}",
            "leave out `task`, which is for experiments whose graph is not known, or name another experiment",
        )
    rules = tuple(MetricRule.parse(rule) for rule in gate.rules)
    logged = set(evaluation(metrics).metrics) if metrics else set()
    named = {rule.measure.metric.name for rule in rules if not rule.measure.function}
    declared = TASKS[gate.task] if gate.task else None
    task = aim.task or declared or measured_as(logged) or measured_as(named) or _TWO_CLASSES
    if not rules:
        rules = tuple(MetricRule.parse(rule) for rule in task.default_rules)
    _refuse_foreign(rules, task, logged)
    if task.name not in ("two-class", "anomaly") and gate.positive_class:
        raise ConfigurationError(
            f"positiveClass: {task.one} has no positive class", "leave out positiveClass"
        )
    label = gate.label.strip() or aim.label
    if holdout or label:
        truth_of(task, label)
    own = own_metrics(rules, source)
    if not holdout and (on_rows := next((rule for rule in rules if rule.measure.on_rows), None)):
        raise ConfigurationError(
            f"gateRules: the rule `{on_rows.text}` is measured on rows, and the gate has no holdout",
            "set holdoutDataVersion to data of which the outcome is known",
        )
    found = replace(
        gate,
        rules=tuple(rule.text for rule in rules),
        label=label if holdout else "",
        functions={name: one.digest for name, one in own.items()},
    )
    return Settled(found, task, label, aim.declared)


def own_metrics(rules: Iterable[MetricRule], source: str) -> dict[str, OwnMetric]:
    """The team's own functions that *rules* name, by what they are called there. Raises ConfigurationError."""
    measures = {rule.metric: rule.measure for rule in rules if rule.measure.function}
    return {name: OwnMetric.find(one.file, one.function, source) for name, one in measures.items()}


def unchanged(own: Mapping[str, OwnMetric], digests: Mapping[str, str]) -> None:
    """See that functions are those that were looked at before. Raises ConfigurationError."""
    for name, one in own.items():
        if digests.get(name, one.digest) != one.digest:
            raise ConfigurationError(f"{one.file} was changed during the update", "run the update again")


def _refuse_foreign(rules: Iterable[MetricRule], task: Task, logged: set[str]) -> None:
    """Refuse a rule on a metric that the task does not have, and that no run has logged. Raises ConfigurationError."""
    names = [one.name for one in task.metrics]
    for rule in rules:
        name = rule.measure.metric.name
        if rule.measure.function or name in names or (name in logged and rule.measure.threshold is None):
            continue
        near = likeliest(name, names, _ALIKE)
        raise ConfigurationError(
            f"gateRules: the rule `{rule.text}` asks for {name}, and {task.one} has none"
            f"{f' (did you mean {near}?)' if near else ''}; it has: {', '.join(names)}",
            f"write it like {task.default_rules[0]}",
        )
