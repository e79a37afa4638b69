"""Machine Learning / Initialize Model: Multiclass Decision Forest."""

from __future__ import annotations

from graph.learning.trees import DecisionForest
from graph.tables import TASK_MULTICLASS


class MulticlassDecisionForest(DecisionForest):
    """A forest for a label with several classes."""

    name = "Multiclass Decision Forest"
    task = TASK_MULTICLASS
    classes = 2
