from graph.learning.trees import DecisionJungle


class MulticlassDecisionJungle(DecisionJungle):
    """The nearest to a decision jungle for a label with several classes."""

    name = "Multiclass Decision Jungle"
