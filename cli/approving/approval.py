"""Approving what waits: a model that has passed its gate, or a retraining that `watch` has planned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.approving.keys import the_one
from cli.approving.settings import Act, Setting, present
from cli.errors import CliError

if TYPE_CHECKING:
    from cli.watching.records import Records

_AWAITING = "awaiting approval"


@dataclass(frozen=True)
class Waiting:
    """Something that waits for a person: the run (or a fleet's plan) with *key*, told of in *words*.

    *planned* by `watch`, and not trained yet; else trained, and let through by the gate.
    """

    key: str
    data_version: str
    words: tuple[str, ...]
    planned: bool = False


@dataclass(frozen=True)
class _Planned:
    """Approves the retraining that `watch` has planned: it does just that at its next look."""

    records: Records
    plan: Mapping[str, Any]
    about: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """See Act."""
        then = f"./dev watch carries it out at its next look; without it: {self.plan.get('approve')}"
        return (*self.about, then)

    def carry_out(self) -> None:
        """Mark the plan as approved. Raises CliError where another has come in its place."""
        if self.records.plan.get("approve") != self.plan.get("approve"):
            raise CliError(
                "the plan that waits is another one by now", "look at it, and approve that: ./dev approve"
            )
        self.records.plan = {**self.plan, "approved": True}


def waiting(stack: str) -> list[Waiting]:
    """What waits for an approval in a stack; reads its state and what `watch` has left. Raises CliError."""
    trained = [_trained(each) for each in _promotions(stack) if each.get("verdict") == _AWAITING]
    return trained + _planned(stack)


def approval(stack: str, key: str = "") -> Act:
    """Approving the run whose key begins with *key*; without one, of the only thing that waits.

    Raises:
        CliError: there is none, or it is not clear which.
    """
    there = {each.key: each for each in waiting(stack)}
    if not there:
        raise CliError(
            f"nothing in {stack} waits for an approval",
            f"see what an update would do: ./dev preview -s {stack}",
            exit_code=2,
        )
    if not key and len(there) > 1:
        known = ", ".join(f"{each.key[:12]} ({each.data_version})" for each in there.values())
        raise CliError(f"{len(there)} runs wait for an approval", f"say which: {known}", exit_code=2)
    found = there[
        the_one(key, {each.key: each.data_version for each in there.values()}, "runs that wait")
        if key
        else next(iter(there))
    ]
    if found.planned:
        records = _records(stack)
        return _Planned(records, records.plan, found.words)
    return Setting(stack, "approve", present(stack, "approve"), found.key, found.words)


def _trained(promotion: Mapping[str, Any]) -> Waiting:
    candidate = promotion.get("candidate") or {}
    key, version = str(candidate.get("runKey")), str(candidate.get("dataVersion") or "")
    told = "; ".join(str(rule.get("reason")) for rule in promotion.get("rules") or [])
    return Waiting(
        key,
        version,
        (
            f"run {key[:12]} of data version {version} passed its gate{': ' if told else ''}{told}",
            f"the next update binds it to {promotion.get('endpointName')}",
        ),
    )


def _planned(stack: str) -> list[Waiting]:
    plan = _records(stack).plan
    if not plan or plan.get("approved"):
        return []
    about = (
        *(f"because {each}" for each in plan.get("reasons") or []),
        *filter(None, plan.get("plan") or []),
    )
    keys = plan.get("runKeys") or {}
    return [
        Waiting(key, name, (f"trains {name} {key[:12]}", *about), planned=True) for name, key in keys.items()
    ]


def _promotions(stack: str) -> list[Mapping[str, Any]]:
    from cli.project import backend_of
    from cli.stacks.resources import of_kind

    if (backend := backend_of(stack)) is None:
        raise CliError(
            f"the state of {stack} is not on this machine, so it can't be told what waits",
            f"set the run's key: ./dev config set approve KEY -s {stack}",
        )
    return of_kind(backend.deployment().get("resources") or [], "Promotion")


def _records(stack: str) -> Records:
    from cli.project import ROOT
    from cli.watching.records import Records

    return Records(ROOT / ".local" / "watch" / stack)
