from graph.learning.trees import BoostedTrees


class BoostedDecisionTreeRegression(BoostedTrees):
    """Boosted decision trees for a numeric label."""

    name = "Boosted Decision Tree Regression"
