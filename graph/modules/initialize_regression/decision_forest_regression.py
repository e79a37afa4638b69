from __future__ import annotations

from graph.learning.trees import RegressionForest


class DecisionForestRegression(RegressionForest):
    """A forest for a numeric label."""

    name = "Decision Forest Regression"
