"""Anomaly detection: is a row unlike those that the model has learnt from.

Studio's Evaluate Model measures it as a classification with two classes, the anomalies being the positive one.
"""

from __future__ import annotations

from typing import Final

from tasks.task import Task
from tasks.two_class import METRICS, measure

TASK: Final = Task(
    "anomaly",
    "anomaly detection",
    METRICS,
    ("auc >= 0.6", "auc >= champion - 0.01"),
    measure,
)
