"""Regression: which number has a row.

Source of the list: Studio's Evaluate Model, "Metrics for regression models". The relative errors compare with a model that
always says the mean of the rows.
"""

from __future__ import annotations

import math
from typing import Final

from tasks.task import ROWS, Metric, Outcome, Task


def measure(outcome: Outcome) -> dict[str, float]:
    """`actual` and `predicted` are numbers."""
    import numpy as np

    actual = np.asarray(outcome.actual, dtype=np.float64)
    error = np.asarray(outcome.predicted, dtype=np.float64) - actual
    spread = actual - actual.mean()
    squared = _ratio(float((error**2).sum()), float((spread**2).sum()))
    return {
        "mae": float(abs(error).mean()),
        "rmse": math.sqrt(float((error**2).mean())),
        "rae": _ratio(float(abs(error).sum()), float(abs(spread).sum())),
        "rse": squared,
        "r2": 1 - squared,
        "rows": len(actual),
    }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _error(name: str, title: str) -> Metric:
    return Metric(name, title, 0, math.inf, "lower")


TASK: Final = Task(
    "regression",
    "regression",
    (
        _error("mae", "Mean Absolute Error"),
        _error("rmse", "Root Mean Squared Error"),
        _error("rae", "Relative Absolute Error"),
        _error("rse", "Relative Squared Error"),
        Metric("r2", "Coefficient of Determination", -math.inf),
        ROWS,
    ),
    ("r2 >= 0", "r2 >= champion - 0.01"),
    measure,
)
