"""Clustering: which group is a row of; nobody knows the right answer.

Source of the list: Studio's Evaluate Model, "Metrics for clustering models". The simplified silhouette (Hruschka and
others, 2004) compares the distance to a row's own centre with that to the next one: it has no unit, so that a gate can
ask for it.
"""

from __future__ import annotations

import math
from typing import Final

from tasks.task import ROWS, Metric, Outcome, Task


def measure(outcome: Outcome) -> dict[str, float]:
    """All rows together; `scores` are distances to the centres (rows × clusters)."""
    import numpy as np

    assert outcome.scores is not None
    distances = np.asarray(outcome.scores, dtype=np.float64)
    at = np.asarray(outcome.predicted, dtype=np.int64)
    own = distances[np.arange(len(at)), at]
    others = distances.copy()
    others[np.arange(len(at)), at] = np.inf
    other = others.min(axis=1)
    several = distances.shape[1] > 1
    larger = np.maximum(own, other)
    silhouette = np.where(larger > 0, (other - own) / np.where(larger > 0, larger, 1), 0.0)
    return {
        "average_distance_to_cluster_center": float(own.mean()),
        "average_distance_to_other_center": float(other.mean()) if several else math.nan,
        "maximal_distance_to_cluster_center": float(own.max()),
        "simplified_silhouette": float(silhouette.mean()) if several else math.nan,
        "rows": len(at),
    }


TASK: Final = Task(
    "clustering",
    "clustering",
    (
        Metric(
            "average_distance_to_cluster_center", "Average Distance to Cluster Center", 0, math.inf, "lower"
        ),
        Metric("average_distance_to_other_center", "Average Distance to Other Center", 0, math.inf),
        Metric(
            "maximal_distance_to_cluster_center", "Maximal Distance to Cluster Center", 0, math.inf, "lower"
        ),
        Metric("simplified_silhouette", "Simplified Silhouette", -1.0),
        ROWS,
    ),
    ("simplified_silhouette >= 0.1", "simplified_silhouette >= champion - 0.02"),
    measure,
    labelled=False,
)
