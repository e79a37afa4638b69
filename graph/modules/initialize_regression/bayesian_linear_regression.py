from graph.learning.linear import LinearLearner
from graph.learning.untrained import UNKNOWN_LEVELS
from graph.spec import Parameter


class BayesianLinearRegression(LinearLearner):
    """The most likely weights given a normal prior, whose precision is `Regularization weight` times that of the noise."""

    name = "Bayesian Linear Regression"
    parameters = (Parameter("Regularization weight", "Float", 1.0, above=0), UNKNOWN_LEVELS)

    model = "Ridge"
    arguments = {"alpha": "Regularization weight"}
