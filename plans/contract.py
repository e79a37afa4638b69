"""A plan as a file: what was approved, and what of it holds no more.

The file has no secret: of configuration there are digests, secret values as they are encrypted in the stack's file. A seal over
everything tells whether somebody has edited it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from plans.plan import Plan
from plans.promises import digest
from plans.stage import Stage
from plans.steps import steps_of

FORMAT: Final = "retraining-plan/2"
PASSING: Final = ("plan", "why", "verdict", "judged", "metrics")
"""Facts that tell of the moment, or are found out by the update: they are not held against each other."""
Alone = Callable[[Mapping[str, Any]], bool]


class NoPlan(Exception):
    """The file is no plan, or not the one that was saved."""


@dataclass(frozen=True)
class Basis:
    """What a plan rests on beside its stages: digests by what they are of."""

    stack: str
    version: str
    config: Mapping[str, str]
    program: str
    state: str


@dataclass(frozen=True)
class Contract:
    """A plan, what it rests on, and when it was made (UTC, ISO 8601)."""

    plan: Plan
    basis: Basis
    made: str

    @property
    def key(self) -> str:
        """The digest that the file bears, without the time it was made."""
        plan = replace(self.plan, forecasts={}).json()
        return digest({"plan": plan, "basis": vars(self.basis)})

    def text(self) -> str:
        """The file."""
        body = {
            "form": FORMAT,
            "made": self.made,
            "basis": vars(self.basis),
            "plan": self.plan.json(),
        }
        return json.dumps(body | {"seal": digest(body)}, indent=1, ensure_ascii=False, sort_keys=True) + "\n"

    @classmethod
    def read(cls, text: str) -> Contract:
        """From a file. Raises NoPlan."""
        try:
            body = json.loads(text)
            seal = body.pop("seal")
            if body["form"] != FORMAT:
                raise NoPlan(f"its form is {body['form']!r}, which this version does not read")
            if seal != digest(body):
                raise NoPlan("somebody has edited it")
            return cls(Plan.read(body["plan"]), Basis(**body["basis"]), body["made"])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise NoPlan("it is not a plan that preview --save-plan has written") from None


def contract_of(plan: Plan, document: Mapping[str, Any], basis: Basis, made: str) -> Contract:
    """The contract of a plan that was made of the same document."""
    steps = steps_of(document)
    state = digest(sorted((step.urn, digest(step.old)) for step in steps if step.old))
    return Contract(plan, replace(basis, state=state), made)


def differences(approved: Contract, now: Contract) -> list[str]:
    """What holds no more, each by its name; empty where an update does what was approved."""
    if told := other_stack(approved, now.basis.stack):
        return [told]
    found = [f"{name}: {told}" for name, differ in _PARTS.items() if (told := differ(approved, now))]
    if not found:
        old, new = _promised(approved.plan), _promised(now.plan)
        found += [f"steps: {', '.join(_names(each))}" for each in [_differing(old, new)] if each]
    return found


def departures(approved: Plan, done: Plan) -> list[str]:
    """The resources to which an update did what the approved plan does not say: each stage is one of it, with what it promises."""
    promised = {(stage.urn, stage.operation): stage.promised for stage in approved.stages}
    return _names(
        [
            stage.urn
            for stage in done.stages
            if not promised.get((stage.urn, stage.operation), {"": ""}).items() <= stage.promised.items()
        ]
    )


def left(approved: Plan, done: Plan) -> list[str]:
    """The resources to which an update did less than the approved plan says, as where a gate has held a candidate."""
    carried_out = {(stage.urn, stage.operation) for stage in done.stages}
    return _names([each.urn for each in approved.stages if (each.urn, each.operation) not in carried_out])


def other_stack(approved: Contract, stack: str) -> str:
    """That the plan is another stack's; empty where it is this one's."""
    return (
        ""
        if approved.basis.stack == stack
        else f"the stack: the plan is of {approved.basis.stack}, this is {stack}"
    )


def _version(approved: Contract, now: Contract) -> str:
    old, new = approved.basis.version, now.basis.version
    return "" if old == new else f"{old} made the plan, this is {new}"


def _config(approved: Contract, now: Contract) -> str:
    return ", ".join(_differing(approved.basis.config, now.basis.config))


def _state(approved: Contract, now: Contract) -> str:
    return "" if approved.basis.state == now.basis.state else "the stack was updated since"


def _program(approved: Contract, now: Contract) -> str:
    return "" if approved.basis.program == now.basis.program else "the program's files have changed"


def _facts(kind: str, *names: str, alone: Alone | None = None) -> Callable[[Contract, Contract], str]:
    """What differs of these facts of all stages of one kind; stages that only one plan has are told of by `steps`, and here
    where `alone` says so.
    """

    def differ(approved: Contract, now: Contract) -> str:
        old, new = (
            {each.urn: each for each in one.plan.stages if each.kind == kind} for one in (approved, now)
        )
        differing = [urn for urn in old.keys() & new.keys() if _of(old[urn], names) != _of(new[urn], names)]
        lonely = [urn for urn in old.keys() ^ new.keys() if alone and alone((old | new)[urn].facts)]
        return ", ".join(_names(sorted(differing + lonely)))

    return differ


def _of(stage: Stage, names: tuple[str, ...]) -> list[Any]:
    return [stage.facts.get(name) for name in names]


def _why(word: str) -> Alone:
    return lambda facts: word in str(facts.get("why"))


def _stages(approved: Contract, now: Contract) -> str:
    old = {stage.urn: stage.operation for stage in approved.plan.stages}
    new = {stage.urn: stage.operation for stage in now.plan.stages}
    return ", ".join(_names(_differing(old, new)))


def _code(approved: Contract, now: Contract) -> str:
    """Experiments and services whose text is another."""
    old, new = _coded(approved.plan), _coded(now.plan)
    differing = [urn for urn in old.keys() & new.keys() if old[urn] != new[urn]]
    trained = _facts("TrainedModel", alone=_why("CODE"))(approved, now)
    return ", ".join([*_names(sorted(differing)), *([trained] if trained else [])])


def _coded(plan: Plan) -> dict[str, Any]:
    return {
        stage.urn: [stage.promised.get(name) for name in ("experiment", "graph", "package")]
        for stage in plan.stages
        if stage.kind in ("TrainedModel", "StudioWebService") and "delete" not in stage.operation
    }


def _promised(plan: Plan) -> dict[str, list[Any]]:
    """By urn what the stages say and promise, in their order."""
    found: dict[str, list[Any]] = {}
    for stage in plan.stages:
        said = {name: value for name, value in stage.facts.items() if name not in PASSING}
        found.setdefault(stage.urn, []).append((said, stage.promised))
    return found


_PARTS: Final[Mapping[str, Callable[[Contract, Contract], str]]] = {
    "the tool's version": _version,
    "configuration": _config,
    "the program": _program,
    "data": _facts("TrainedModel", "dataVersion", "dataDigest", alone=_why("DATA")),
    "holdout": _facts("Promotion", "holdout", "holdoutDigest"),
    "code": _code,
    "parameters": _facts("TrainedModel", "parameters", alone=_why("PARAMETERS")),
    "model": _facts("TrainedModel", "runKey", "model", "action", alone=_why("LOST")),
    "champion": _facts("Promotion", "champion", "championMetrics"),
    "rules": _facts("Promotion", "rules", "minimumRows", "onRejected", "approval", "approve"),
    "bindings": _facts(
        "ModelBinding",
        *("model", "oldModel", "rings", "shares", "changedByOthers"),
        alone=lambda facts: "changedByOthers" in facts,
    ),
    "fleet": _facts("Fleet", "planKey", "plan"),
    "state": _state,
    "steps": _stages,
}


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def _names(urns: list[str]) -> list[str]:
    return [urn.rpartition("::")[2] for urn in urns]
