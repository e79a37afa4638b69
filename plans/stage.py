"""Stages: one thing that an update does, with what there is to say of it.

A type of resource has its facts and words in the file of `plans.stages` that bears the type's name (`TrainedModel` →
`trained_model.py`): `facts(step)` takes from a step what matters, `words(facts)` says it. All others are declared, changed
and deleted without more words than their names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any, Protocol

from plans import stages
from plans.facts import Fact
from plans.phrases import Does, Words
from plans.promises import promise
from plans.steps import UNKNOWN, Step, has_unknowns

_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Kind(Protocol):
    """What a file of this room has."""

    TITLE: str
    """What the resource is, for people; its name follows."""
    FACTS: Mapping[str, Fact]
    """Every fact there may be, as the plan's schema describes it."""

    def facts(self, step: Step) -> dict[str, Any]:
        """What matters of the step, as JSON."""

    def does(self, facts: Mapping[str, Any]) -> Does:
        """What it comes to, in a word or two."""

    def words(self, facts: Mapping[str, Any]) -> Words:
        """The same for people: each line's title and text."""


@dataclass(frozen=True)
class Stage:
    """One thing that an update does: `operation` on the resource `urn`; `facts` say what that comes to."""

    operation: str
    urn: str
    name: str
    kind: str
    facts: Mapping[str, Any]
    unknown: tuple[str, ...] = ()
    """The facts that only the update finds out."""
    promised: Mapping[str, str] = field(default_factory=dict)
    """What providers are held to: the engine's operation, and digests of what it is given, by property."""

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Stage:
        """From JSON. Raises KeyError or TypeError for what is no stage."""
        return cls(**{**data, "unknown": tuple(data["unknown"])})

    @property
    def told(self) -> bool:
        """Whether there is more to say of it than its name."""
        return kind_of(self.kind) is not None

    @property
    def title(self) -> str:
        """What and whom it is about."""
        found = kind_of(self.kind)
        return f"{found.TITLE} {self.about}" if found else self.name

    @property
    def about(self) -> str:
        """Whom it is about: the endpoint, or the resource itself."""
        endpoint = self.facts.get("endpoint")
        return str(endpoint) if endpoint and endpoint != UNKNOWN else self.name

    @property
    def does(self) -> Does:
        """What it comes to, in a word or two."""
        found = kind_of(self.kind)
        return found.does(self.facts) if found else (self.operation, self.operation)

    def words(self) -> Words:
        """What it does, line by line."""
        found = kind_of(self.kind)
        return [(title, text) for title, text in found.words(self.facts) if text] if found else []


def stage_of(step: Step) -> Stage:
    """The stage that a step is."""
    kind = kind_of(step.kind) if step.ours else None
    gone = step.operation in ("delete", "leave", "delete-replaced", "discard", "discard-replaced")
    facts = {} if kind is None or gone else kind.facts(step)
    unknown = tuple(name for name, value in facts.items() if has_unknowns(value))
    name = step.kind if step.ours else step.type.partition(":")[0]
    return Stage(step.operation, step.urn, step.name, name, facts, unknown, promise(step))


@cache
def kind_of(name: str) -> Any:
    """The file of this room that tells of such resources (a `Kind`); None where nobody does."""
    module = f"plans.stages.{_CAPITAL.sub('_', name).lower()}"
    return import_module(module) if name.isidentifier() and find_spec(module) else None


def kinds() -> list[str]:
    """The names of the kinds that have a file in this room, in order."""
    found = (module.name.title().replace("_", "") for module in iter_modules(stages.__path__))
    return sorted(found)
