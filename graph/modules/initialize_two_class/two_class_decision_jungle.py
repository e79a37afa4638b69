from graph.learning.trees import DecisionJungle


class TwoClassDecisionJungle(DecisionJungle):
    """The nearest to a decision jungle for a label with two classes."""

    name = "Two-Class Decision Jungle"
