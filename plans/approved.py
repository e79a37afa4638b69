"""The stages of an approved plan, as the update carries them out: the list that was explained, and no other.

A step that is none of them is refused where it would be made: by the provider, just before it writes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from plans.promises import OPERATION, digest
from plans.stage import Stage
from plans.steps import UNKNOWN

APPROVED: Final = "RETRAIN_APPROVED_PLAN"
"""The environment variable that names the folder of the plan that an update carries out."""
_STAGES: Final = "stages.json"
_NOTHING: Final = digest(None)
_CALLS: Final = {
    "create": "create",
    "create-replacement": "create",
    "update": "update",
    "delete": "delete",
    "delete-replaced": "delete",
}
"""Which of a provider's methods an engine's operation calls."""


class Approved:
    """The stages of an approved plan, as providers carry them out: each once, after those that it rests on."""

    def __init__(self, stages: Sequence[Stage], folder: Path) -> None:
        self.stages, self._folder = tuple(stages), folder

    @classmethod
    def read(cls, folder: str) -> Approved:
        """Those that `written` has written there."""
        stages = json.loads(Path(folder, _STAGES).read_text(encoding="utf-8"))
        return cls([Stage.read(each) for each in stages], Path(folder))

    def written(self) -> str:
        """The folder, with the stages in it, by which providers find them."""
        text = json.dumps([asdict(each) for each in self.stages])
        Path(self._folder, _STAGES).write_text(text, encoding="utf-8")
        return str(self._folder)

    def claim(self, kind: str, call: str, given: Mapping[str, Any]) -> Stage | None:
        """The stage that a provider's *call* (create, update, delete) on what is *given* is, taken for this call alone;
        None where it is none, was carried out already, or comes before what it rests on.
        """
        found = {name: digest(value) for name, value in given.items()}
        for stage in self.stages:
            if stage.kind == kind and _is(stage.promised, call, found) and self._may(stage):
                with suppress(FileExistsError):
                    self._mark(stage, "begun").touch(exist_ok=False)
                    return stage
        return None

    def carried_out(self, stage: Stage) -> None:
        """What rests on the stage may begin."""
        self._mark(stage, "done").touch()

    def _may(self, stage: Stage) -> bool:
        before = [each for each in self.stages if _rests(stage, each)]
        # Two models may be of one run: who judges it waits for one of them.
        return not before or any(self._mark(each, "done").exists() for each in before)

    def _mark(self, stage: Stage, what: str) -> Path:
        return self._folder / f"{digest([stage.urn, stage.promised[OPERATION]])}.{what}"


def _is(promised: Mapping[str, str], call: str, found: Mapping[str, str]) -> bool:
    if _CALLS.get(promised[OPERATION]) != call:
        return False
    told = {name: value for name, value in promised.items() if name != OPERATION}
    if call == "delete":  # a provider is given outputs, the plan has inputs, too
        return all(found.get(name, value) == value for name, value in told.items())
    return all(found.get(name, _NOTHING) == value for name, value in told.items())


def _rests(stage: Stage, other: Stage) -> bool:
    """Whether a stage comes after the other: judged is what was trained, bound is what was judged."""
    if _CALLS.get(other.promised[OPERATION]) not in ("create", "update"):
        return False
    if (other.kind, stage.kind) == ("TrainedModel", "Promotion"):
        return bool(other.facts.get("runKey") == stage.facts.get("candidate") != UNKNOWN)
    if (other.kind, stage.kind) == ("Promotion", "ModelBinding"):
        return bool(other.facts.get("endpoint") == stage.facts.get("endpoint") != UNKNOWN)
    return False
