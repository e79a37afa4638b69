"""What really happened to the rows of a holdout, and what a model answered for them: a class for each form of it.

A *truth* is over one column of the data, which no endpoint is sent; a clustering has none. It makes of the column's cells
and of the rows that an endpoint answered what its task measures (`tasks.Outcome`).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from clients.errors import ConfigurationError, ServiceError
from clients.names import likeliest
from graph.models.features import level_text
from tables import number
from tasks import TASKS, Outcome, Task

# Studio's names of what Score Model and Assign Data to Clusters add.
LABELS = "Scored Labels"
PROBABILITIES = "Scored Probabilities"
ASSIGNMENTS = "Assignments"

CORRECT = "correct the gate's label, or the holdout's path and version"
_ALIKE = 0.5

# What is a mean over classes, and so undefined where one of them has no row.
OVER_CLASSES = ("macro_precision", "macro_recall")

Answers = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Measured:
    """An *outcome* to be measured; the *problem* that makes it worthless, and why a metric is not told by these rows."""

    outcome: Outcome | None = None
    problem: str = ""
    undefined: Mapping[str, str] = field(default_factory=dict)


class Truth(ABC):
    """What really happened to a row, by its cell in *column*; empty where nobody knows."""

    column: str
    task: ClassVar[Task]
    wanted: ClassVar[str] = "numbers"

    @abstractmethod
    def of(self, value: str) -> Any:
        """What a cell stands for. Raises ValueError for one that is none."""

    @abstractmethod
    def outcome(self, actual: Sequence[Any], answers: Answers) -> Measured:
        """What the rows and their *answers* come to. Raises ServiceError for an answer that is none."""

    def find(self, columns: Sequence[str], holdout: str) -> None:
        """Raise ConfigurationError, with the nearest, where the column is not one of the *columns* of *holdout*."""
        if self.column and self.column not in columns:
            raise ConfigurationError(
                f"the holdout {holdout} has no column {self.column!r}" + nearest(self.column, columns),
                CORRECT,
            )

    def find_value(self, values: Collection[str], holdout: str) -> None:
        """Raise ConfigurationError where none of the *values* of the column is what is looked for."""
        return

    def problem(self, actual: Sequence[Any]) -> str:
        """Why nothing can be measured on rows to which *actual* happened, where that is so."""
        return "" if actual else "the holdout has no rows"


@dataclass(frozen=True)
class NumberTruth(Truth):
    """Of a regression: a column of numbers."""

    column: str
    task: ClassVar[Task] = TASKS["regression"]

    def of(self, value: str) -> float:
        """See Truth."""
        return finite(value)

    def outcome(self, actual: Sequence[Any], answers: Answers) -> Measured:
        """See Truth."""
        import numpy as np

        predicted = np.array([_number(row, LABELS) for row in answers])
        if wrong := int((~np.isfinite(predicted)).sum()):
            return Measured(problem=f"{wrong} of {len(actual)} answers are no finite number")
        why = f"{self.column} is the same in all rows of the holdout"
        same = len(set(actual)) == 1
        return Measured(
            Outcome(predicted, np.array(actual)), "", dict.fromkeys(("rae", "rse", "r2"), why) if same else {}
        )


@dataclass(frozen=True)
class ClassTruth(Truth):
    """Of several classes: a column of them."""

    column: str
    task: ClassVar[Task] = TASKS["multiclass"]

    def of(self, value: str) -> str:
        """See Truth."""
        return class_text(value)

    def outcome(self, actual: Sequence[Any], answers: Answers) -> Measured:
        """See Truth."""
        import numpy as np

        predicted = np.array([class_text(_cell(row, LABELS)) for row in answers])
        given = [name for name in answers[0] if _class_of(name) is not None]
        classes = tuple(class_text(_class_of(name) or "") for name in given)
        undefined, scores = {}, None
        if given:
            scores = np.array([[_number(row, name) for name in given] for row in answers])
            if wrong := int((~((scores >= 0) & (scores <= 1))).any(axis=1).sum()):
                return Measured(problem=f"{wrong} of {len(actual)} answers have a probability that is none")
        else:
            undefined["log_loss"] = f"the endpoint's answer has no '{PROBABILITIES} for Class …'"
        if lacking := sorted(set(classes) - set(actual)):
            shown = ", ".join(map(repr, lacking))
            why = f"no row of the holdout is of the class {shown}, which the model knows"
            undefined |= dict.fromkeys(OVER_CLASSES, why)
        if strange := sorted(set(actual) - set(classes)) if given else []:
            undefined["log_loss"] = (
                f"the model does not know the holdout's class {', '.join(map(repr, strange))}"
            )
        known = classes or tuple(sorted({*actual, *predicted.tolist()}))
        return Measured(Outcome(predicted, np.array(actual), scores, known), "", undefined)


@dataclass(frozen=True)
class NoTruth(Truth):
    """Of a clustering: nobody knows which group a row belongs to."""

    column = ""
    task: ClassVar[Task] = TASKS["clustering"]

    def of(self, value: str) -> None:
        """See Truth."""

    def outcome(self, actual: Sequence[Any], answers: Answers) -> Measured:
        """See Truth."""
        import numpy as np

        names = sorted((name for name in answers[0] if _cluster_of(name) >= 0), key=_cluster_of)
        if not names:
            raise unusable("DistancesToClusterCenter no.0", "the distance to each cluster's centre")
        distances = np.array([[_number(row, name) for name in names] for row in answers])
        predicted = np.array([_number(row, ASSIGNMENTS) for row in answers])
        fits = (predicted >= 0) & (predicted < len(names)) & (predicted == np.floor(predicted))
        fits &= np.isfinite(distances).all(axis=1) & (distances >= 0).all(axis=1)
        if wrong := int((~fits).sum()):
            return Measured(
                problem=f"{wrong} of {len(answers)} answers name no cluster, or no distance to it"
            )
        return Measured(Outcome(predicted.astype(np.int64), None, distances))


def class_text(value: str) -> str:
    """A class as it is written: 1 and 1.0 are the same, and so are true and True."""
    text = value.strip()
    if text.lower() in ("true", "false"):
        return text.lower()
    try:
        return level_text(finite(text))
    except ValueError:
        return text


def finite(text: str) -> float:
    """A number as training reads it. Raises ValueError."""
    value = float(number(text))
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def nearest(name: str, names: Collection[str]) -> str:
    """The likeliest of *names*, in brackets; empty where none is."""
    near = likeliest(name, names, _ALIKE)
    return f" (the nearest is {near!r})" if near else ""


def unusable(column: str, wanted: str) -> ServiceError:
    """That an answer has not what the gate needs."""
    return ServiceError(
        f"the endpoint's answer has no {column!r} that can be used",
        f"the gate needs {wanted}: score with Score Model",
    )


def _class_of(name: str) -> str | None:
    """The class that a column of an answer has the probability of."""
    start, end = f'{PROBABILITIES} for Class "', '"'
    return name[len(start) : -len(end)] if name.startswith(start) and name.endswith(end) else None


def _cluster_of(name: str) -> int:
    """The cluster that a column of an answer has the distance to; -1 where it has none."""
    start = "DistancesToClusterCenter no."
    at = name.removeprefix(start)
    return int(at) if name.startswith(start) and at.isdecimal() else -1


def _cell(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    if value is None:
        raise unusable(column, "a column of classes")
    return str(value).strip()


def _number(row: Mapping[str, Any], column: str) -> float:
    try:
        return float(str(row.get(column)).strip())
    except ValueError:
        raise unusable(column, "a column of numbers") from None
