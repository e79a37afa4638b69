from graph.learning.trees import DecisionForest


class TwoClassDecisionForest(DecisionForest):
    """A forest for a label with two classes."""

    name = "Two-Class Decision Forest"
