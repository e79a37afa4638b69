from graph.learning.trees import DecisionForest
from graph.models.answers import IDENTITY


class DecisionForestRegression(DecisionForest):
    """A forest whose leaves hold numbers."""

    name = "Decision Forest Regression"
    link = IDENTITY
