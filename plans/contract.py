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
from plans.promises import Promises, digest, promise
from plans.steps import steps_of

FORMAT: Final = "retraining-plan/1"


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
    promises: Promises
    """By urn: a digest of what the step is going to do, as far as that was known, by property."""
    made: str

    @property
    def key(self) -> str:
        """The digest that the file bears, without the time it was made."""
        plan = replace(self.plan, forecasts={}).json()
        return digest({"plan": plan, "basis": vars(self.basis), "promises": self.promises})

    def text(self) -> str:
        """The file."""
        body = {
            "form": FORMAT,
            "made": self.made,
            "basis": vars(self.basis),
            "plan": self.plan.json(),
            "promises": self.promises,
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
            return cls(Plan.read(body["plan"]), Basis(**body["basis"]), body["promises"], body["made"])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise NoPlan("it is not a plan that preview --save-plan has written") from None


def contract_of(plan: Plan, document: Mapping[str, Any], basis: Basis, made: str) -> Contract:
    """The contract of a plan that was made of the same document."""
    steps = steps_of(document)
    promises = {step.urn: promise(step) for step in steps if step.operation != "same" and step.custom}
    state = digest(sorted((step.urn, digest(step.old)) for step in steps if step.old))
    return Contract(plan, replace(basis, state=state), promises, made)


def differences(approved: Contract, now: Contract) -> list[str]:
    """What holds no more, each by its name; empty where an update does what was approved."""
    if approved.basis.stack != now.basis.stack:
        return [f"the stack: the plan is of {approved.basis.stack}, this is {now.basis.stack}"]
    found = [f"{name}: {told}" for name, differ in _PARTS.items() if (told := differ(approved, now))]
    if not found and approved.promises != now.promises:
        found.append("steps: " + ", ".join(_names(_differing(approved.promises, now.promises))))
    return found


def _version(approved: Contract, now: Contract) -> str:
    old, new = approved.basis.version, now.basis.version
    return "" if old == new else f"{old} made the plan, this is {new}"


def _config(approved: Contract, now: Contract) -> str:
    return ", ".join(_differing(approved.basis.config, now.basis.config))


def _state(approved: Contract, now: Contract) -> str:
    return "" if approved.basis.state == now.basis.state else "the stack was updated since"


def _program(approved: Contract, now: Contract) -> str:
    return "" if approved.basis.program == now.basis.program else "the program's files have changed"


def _facts(kind: str, *names: str) -> Callable[[Contract, Contract], str]:
    """What differs of these facts of all stages of one kind."""

    def differ(approved: Contract, now: Contract) -> str:
        old, new = _of(approved.plan, kind, names), _of(now.plan, kind, names)
        return ", ".join(_names(_differing(old, new)))

    return differ


def _of(plan: Plan, kind: str, names: tuple[str, ...]) -> dict[str, Any]:
    return {
        stage.urn: {name: stage.facts.get(name) for name in names}
        for stage in plan.stages
        if stage.kind == kind
    }


def _stages(approved: Contract, now: Contract) -> str:
    old = {stage.urn: stage.operation for stage in approved.plan.stages}
    new = {stage.urn: stage.operation for stage in now.plan.stages}
    return ", ".join(_names(_differing(old, new)))


def _code(approved: Contract, now: Contract) -> str:
    """Experiments and services whose text is another."""
    old, new = ({urn: each for urn, each in one.promises.items() if _is_code(urn)} for one in (approved, now))
    return ", ".join(_names(_differing(_coded(old), _coded(new))))


def _is_code(urn: str) -> bool:
    return urn.rpartition("::")[0].endswith(("TrainedModel", "StudioWebService"))


def _coded(promises: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    return {
        urn: [each.get("experiment"), each.get("graph"), each.get("package")]
        for urn, each in promises.items()
    }


_PARTS: Final[Mapping[str, Callable[[Contract, Contract], str]]] = {
    "the tool's version": _version,
    "configuration": _config,
    "the program": _program,
    "data": _facts("TrainedModel", "dataVersion", "dataDigest"),
    "holdout": _facts("Promotion", "holdout", "holdoutDigest"),
    "code": _code,
    "parameters": _facts("TrainedModel", "parameters"),
    "model": _facts("TrainedModel", "runKey", "model", "action"),
    "champion": _facts("Promotion", "champion", "championMetrics"),
    "rules": _facts("Promotion", "rules", "minimumRows", "onRejected", "approval", "approve"),
    "bindings": _facts("ModelBinding", "model", "oldModel", "rings", "shares", "changedByOthers"),
    "fleet": _facts("Fleet", "planKey", "plan"),
    "state": _state,
    "steps": _stages,
}


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def _names(urns: list[str]) -> list[str]:
    return [urn.rpartition("::")[2] for urn in urns]
