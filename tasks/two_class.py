"""Two classes: is a row of the positive one.

Metrics as scikit-learn defines them. Source of the list: Studio's Evaluate Model, "Metrics for classification models".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from tasks.task import ROWS, Metric, Outcome, Task


def measure(outcome: Outcome) -> dict[str, float]:
    """`actual` and `predicted` are truth values, `scores` the probability of the positive class."""
    from sklearn import metrics as sk

    labels, predicted, probabilities = outcome.actual, outcome.predicted, outcome.scores
    assert labels is not None
    assert probabilities is not None
    undefined: Mapping[str, float] = {"zero_division": math.nan}
    both = len(set(map(bool, labels))) == 2
    return {
        "auc": float(sk.roc_auc_score(labels, probabilities)) if both else math.nan,
        "accuracy": float(sk.accuracy_score(labels, predicted)),
        "precision": float(sk.precision_score(labels, predicted, **undefined)),
        "recall": float(sk.recall_score(labels, predicted, **undefined)),
        "f1": float(sk.f1_score(labels, predicted, **undefined)),
        "log_loss": float(sk.log_loss(labels, probabilities, labels=[False, True])),
        "rows": len(labels),
    }


METRICS: Final = (
    Metric("auc", "AUC"),
    Metric("accuracy", "Accuracy"),
    Metric("precision", "Precision"),
    Metric("recall", "Recall"),
    Metric("f1", "F-Score"),
    Metric("log_loss", "Average Log Loss", 0, math.inf, "lower"),
    ROWS,
)
AT_THRESHOLD: Final = ("accuracy", "precision", "recall", "f1")
"""The metrics that depend on how probable a row has to be, to be called positive."""

TASK: Final = Task(
    "two-class",
    "two-class classification",
    METRICS,
    ("auc >= 0.65",),
    measure,
)
