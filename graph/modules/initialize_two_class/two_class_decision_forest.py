"""Machine Learning / Initialize Model: Two-Class Decision Forest."""

from __future__ import annotations

from graph.learning.trees import DecisionForest
from graph.tables import TASK_BINARY


class TwoClassDecisionForest(DecisionForest):
    """A forest for a label with two classes."""

    name = "Two-Class Decision Forest"
    task = TASK_BINARY
    classes = 2
