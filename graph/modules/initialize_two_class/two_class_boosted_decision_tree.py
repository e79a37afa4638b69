from graph.learning.trees import BoostedTrees


class TwoClassBoostedDecisionTree(BoostedTrees):
    """Boosted decision trees for a label with two classes."""

    name = "Two-Class Boosted Decision Tree"
