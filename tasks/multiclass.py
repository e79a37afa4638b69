"""Several classes: which one is a row of.

Source of the list: Studio's Evaluate Model, "Metrics for classification models". Average accuracy is the mean, over the
classes, of how often "is it this class" is answered rightly; micro averages count all rows alike, macro averages all classes.
"""

from __future__ import annotations

import math
from typing import Final

from tasks.task import ROWS, Metric, Outcome, Task


def measure(outcome: Outcome) -> dict[str, float]:
    """`actual` and `predicted` are classes as text, `scores` a probability for each of `classes`; without these there is no
    log loss.
    """
    import numpy as np
    from sklearn import metrics as sk

    actual, predicted, classes = outcome.actual, outcome.predicted, list(outcome.classes)
    assert actual is not None
    right = float(sk.accuracy_score(actual, predicted))
    # Each wrong row is wrong for two classes: for its own, and for the one that was said.
    average = 1 - 2 * (1 - right) / len(classes)
    macro = {"labels": sorted({*actual, *predicted}), "average": "macro", "zero_division": math.nan}
    return {
        "overall_accuracy": right,
        "average_accuracy": average,
        "micro_precision": right,
        "macro_precision": float(sk.precision_score(actual, predicted, **macro)),
        "micro_recall": right,
        "macro_recall": float(sk.recall_score(actual, predicted, **macro)),
        "log_loss": math.nan
        if outcome.scores is None
        else _log_loss(np.asarray(actual), outcome.scores, classes),
        "rows": len(actual),
    }


def _log_loss(actual: object, probabilities: object, classes: list[str]) -> float:
    """Not finite where a row's class is none that the model knows."""
    import numpy as np

    position = {name: at for at, name in enumerate(classes)}
    at = [position.get(name, -1) for name in np.asarray(actual).tolist()]
    if -1 in at:
        return math.inf
    chances = np.asarray(probabilities, dtype=np.float64)[np.arange(len(at)), at]
    least = np.finfo(np.float64).eps
    return float(-np.log(np.clip(chances, least, 1 - least)).mean())


TASK: Final = Task(
    "multiclass",
    "multiclass classification",
    (
        Metric("overall_accuracy", "Overall accuracy"),
        Metric("average_accuracy", "Average accuracy"),
        Metric("micro_precision", "Micro-averaged precision"),
        Metric("macro_precision", "Macro-averaged precision"),
        Metric("micro_recall", "Micro-averaged recall"),
        Metric("macro_recall", "Macro-averaged recall"),
        Metric("log_loss", "Average Log Loss", 0, math.inf, "lower"),
        ROWS,
    ),
    ("macro_recall >= 0.5", "overall_accuracy >= champion - 0.01"),
    measure,
)
