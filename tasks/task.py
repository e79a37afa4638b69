"""What a task is: the metrics of its models, and how they are measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class Metric:
    """A number that says how good a model is.

    `name` is what a gate's rule calls it, `title` what Studio's Evaluate Model does. It lies between `lowest` and
    `highest`, ends included; `better` is the direction in which models improve, empty where there is none.
    """

    name: str
    title: str
    lowest: float = 0.0
    highest: float = 1.0
    better: Literal["higher", "lower", ""] = "higher"

    @property
    def share(self) -> bool:
        """Whether it lies between two finite ends."""
        return math.isfinite(self.lowest) and math.isfinite(self.highest)


ROWS: Final = Metric("rows", "Number of examples", 0, math.inf, "")
"""On how many rows a model was measured: every task has it."""


@dataclass(frozen=True)
class Outcome:
    """What a model answered for rows, beside what came: arrays with one entry a row.

    `actual` and `predicted` are truth values (two classes, anomalies), numbers (regression) or texts (classes);
    clustering has `predicted` cluster numbers, from 0, and no `actual`. `scores` are the probability of the positive
    class, the score of an anomaly, a probability for each of `classes` (rows × classes), or the distance to each
    cluster's centre (rows × clusters); a regression has none.
    """

    predicted: npt.NDArray[Any]
    actual: npt.NDArray[Any] | None = None
    scores: npt.NDArray[np.float64] | None = None
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """A kind of learning: its metrics, the gate that a program without rules gets, and how its models are measured.

    `measure` gives each metric by name; NaN where it is not defined for these rows. `labelled`: whether rows have an
    outcome to compare with.
    """

    name: str
    title: str
    metrics: tuple[Metric, ...]
    default_rules: tuple[str, ...]
    measure: Callable[[Outcome], Mapping[str, float]]
    labelled: bool = True

    @property
    def one(self) -> str:
        """Its title with an article, as a sentence names it."""
        return f"{'an' if self.title[0] in 'aeiou' else 'a'} {self.title}"

    @property
    def headline(self) -> str:
        """The metric that tells most of a model, where one is all that there is room for: its default gate's first."""
        return self.default_rules[0].split()[0]

    def metric(self, name: str) -> Metric | None:
        """The metric of that name; None where the task has none."""
        return next((metric for metric in self.metrics if metric.name == name), None)
