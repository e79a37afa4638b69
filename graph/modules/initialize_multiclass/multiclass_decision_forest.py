from __future__ import annotations

from graph.data.datasets import TASK_MULTICLASS
from graph.learning.trees import DecisionForest


class MulticlassDecisionForest(DecisionForest):
    """A forest for a label with several classes."""

    name = "Multiclass Decision Forest"
    task = TASK_MULTICLASS
    classes = 2
