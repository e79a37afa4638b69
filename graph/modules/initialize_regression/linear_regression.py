from typing import Any

from graph.learning.linear import Linear, LinearLearner
from graph.learning.untrained import SEED, UNKNOWN_LEVELS
from graph.libraries import learner
from graph.spec import Parameter, Parameters, choice

LEAST_SQUARES, GRADIENT = "Ordinary Least Squares", "Online Gradient Descent"


class LinearRegression(LinearLearner):
    """Least squares with L2 regularisation for a numeric label: solved, or by gradient descent, row by row."""

    name = "Linear Regression"
    parameters = (
        choice("Solution method", LEAST_SQUARES, GRADIENT),
        Parameter("L2 regularization weight", "Float", 0.001, minimum=0, sweep=(0.001, 0.01, 0.1)),
        SEED,
        UNKNOWN_LEVELS,
        Parameter("Learning rate", "Float", 0.1, above=0, later=True),
        Parameter("Number of training epochs", "Int", 10, minimum=1, later=True),
        Parameter("Decrease learning rate", "Boolean", True, later=True),
        Parameter("Average final hypothesis", "Boolean", True, later=True),
        Parameter("Include intercept term", "Boolean", True, later=True),
    )

    model = "Ridge"
    arguments = {"alpha": "L2 regularization weight", "fit_intercept": "Include intercept term"}

    def estimator(self, parameters: Parameters) -> Any:
        if parameters["Solution method"] == LEAST_SQUARES:
            return super().estimator(parameters)
        return Linear(
            learner("linear_model.SGDRegressor")(
                alpha=parameters["L2 regularization weight"],
                eta0=parameters["Learning rate"],
                max_iter=parameters["Number of training epochs"],
                learning_rate="invscaling" if parameters["Decrease learning rate"] else "constant",
                average=parameters["Average final hypothesis"],
                fit_intercept=parameters["Include intercept term"],
                tol=None,
                random_state=parameters["Random number seed"],
            )
        )
