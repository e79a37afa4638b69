"""A plan: the stages of an update in their order, and what stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from plans.expected import expected
from plans.forecasts import Forecast
from plans.phrases import Words
from plans.stage import Stage, stage_of
from plans.steps import steps_of

FORMAT = 1
_ORDER = ("Fleet", "DataVersion", "TrainedModel", "Promotion", "ModelBinding")
_QUIET = ("same", "read", "refresh")


@dataclass
class Section:
    """What is said of one stage, or of several alike: two models of one run, say."""

    stages: list[Stage]
    words: Words

    @property
    def title(self) -> str:
        """What and whom it is about."""
        return ", ".join([self.stages[0].title, *(stage.about for stage in self.stages[1:])])

    def is_like(self, stage: Stage, words: Words) -> bool:
        """Whether the same is said of a stage."""
        first = self.stages[0]
        return (first.kind, first.operation, self.words) == (stage.kind, stage.operation, words)


@dataclass(frozen=True)
class Plan:
    """What an update of a stack does. `done`: it was carried out, and facts that only it could find out are there."""

    stack: str
    stages: tuple[Stage, ...]
    unchanged: int
    drifted: tuple[str, ...] = ()
    """Resources that a refresh found other than the last update left them."""
    done: bool = False
    forecasts: Mapping[str, Forecast] = field(default_factory=dict)
    """By urn of the stage that it is about; no part of what is promised."""

    @cached_property
    def shown(self) -> list[Stage]:
        """The stages as people are told of them: of a replacement one, none of what is held back until a model has passed."""
        groups: dict[str, list[Stage]] = {}
        for stage in self.stages:
            if stage.operation != "withhold":
                groups.setdefault(stage.urn, []).append(stage)
        return [_one(group) for group in groups.values()]

    @cached_property
    def told(self) -> list[Stage]:
        """The stages that have words of their own, in the order in which a retraining goes."""
        told = [stage for stage in self.shown if stage.told and stage.facts]
        return sorted(told, key=lambda stage: _ORDER.index(stage.kind))

    @cached_property
    def sections(self) -> list[Section]:
        """The same, those of which the same is to be said as one."""
        found: list[Section] = []
        for stage in self.told:
            words = self.words(stage)
            alike = next((each for each in found if each.is_like(stage, words)), None)
            if alike:
                alike.stages.append(stage)
            else:
                found.append(Section([stage], words))
        return found

    @cached_property
    def others(self) -> dict[str, list[Stage]]:
        """All other stages by their operations, deletions last."""
        groups: dict[str, list[Stage]] = {}
        for stage in self.shown:
            if not (stage.told and stage.facts):
                groups.setdefault(stage.operation, []).append(stage)
        return dict(sorted(groups.items(), key=lambda group: "delete" in group[0]))

    @property
    def deletes(self) -> list[Stage]:
        """What is deleted, or replaced."""
        return [stage for stage in self.shown if stage.operation in ("delete", "replace")]

    def json(self) -> dict[str, Any]:
        """As JSON, of the form that `schemas/plan.schema.json` describes."""
        return {
            "format": FORMAT,
            **asdict(replace(self, stages=())),
            "stages": [asdict(each) for each in self.stages],
        }

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Plan:
        """From JSON. Raises ValueError, KeyError or TypeError for what is no plan."""
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']!r}")
        stages = tuple(map(Stage.read, data["stages"]))
        rest = {name: data[name] for name in ("stack", "unchanged", "done")}
        forecasts = {urn: Forecast.read(each) for urn, each in data.get("forecasts", {}).items()}
        return cls(**rest, drifted=tuple(data["drifted"]), stages=stages, forecasts=forecasts)

    def words(self, stage: Stage) -> Words:
        """What a stage does, line by line, and what is expected of it."""
        more = expected(stage, self.forecasts.get(stage.urn))
        told = [
            (title, text.partition(",")[0] if more and title == "does" else text)
            for title, text in stage.words()
        ]
        return [*told, *more]


def made_of(stack: str, document: Mapping[str, Any], *, done: bool = False) -> Plan:
    """The plan in what an engine tells of a preview, or, `done`, of an update: a document as `preview --json` prints it."""
    steps = [step for step in steps_of(document) if step.custom]
    drifted = tuple(step.name for step in steps if step.operation == "refresh" and step.old != step.new)
    stages = tuple(stage_of(step) for step in steps if step.operation not in _QUIET)
    unchanged = sum(step.operation == "same" for step in steps)
    return Plan(stack, stages, unchanged, drifted, done)


def _one(group: Sequence[Stage]) -> Stage:
    """One stage for all that an engine does to a resource in turn: creates its replacement, deletes the replaced."""
    if len(group) == 1 and group[0].operation not in ("delete-replaced", "remove-pending-replace"):
        return group[0]
    told = next((stage for stage in group if stage.facts), group[0])
    made = any(stage.operation in ("replace", "create-replacement") for stage in group)
    return replace(told, operation="replace" if made else "delete")


def is_refused_change(error: str) -> bool:
    """Whether an engine's *error* is that something changes where nothing was to: the plan is whole then."""
    return "no changes were expected" in error
