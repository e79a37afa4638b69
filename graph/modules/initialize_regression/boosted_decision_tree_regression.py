from __future__ import annotations

from graph.data.datasets import TASK_REGRESSION
from graph.learning.trees import BoostedTrees
from graph.models.answers import IDENTITY


class BoostedDecisionTreeRegression(BoostedTrees):
    """Boosted decision trees for a numeric label."""

    name = "Boosted Decision Tree Regression"
    task = TASK_REGRESSION
    link = IDENTITY
