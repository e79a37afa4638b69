from graph.learning.trees import DecisionForest


class MulticlassDecisionForest(DecisionForest):
    """A forest for a label with several classes."""

    name = "Multiclass Decision Forest"
