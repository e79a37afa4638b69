from __future__ import annotations

from typing import Any

from graph.learning.linear import Linear, LinearLearner
from graph.learning.untrained import MODE, SEED, UNKNOWN_LEVELS, swept
from graph.libraries import learner
from graph.spec import Parameter, Parameters

LEAST_SQUARES, GRADIENT = "Ordinary Least Squares", "Online Gradient Descent"
_L2, _MODE, _L2_RANGE = swept(
    (Parameter("L2 regularization weight", "Float", 0.001, minimum=0), (0.001, 0.01, 0.1))
)


class LinearRegression(LinearLearner):
    """Least squares with L2 regularisation for a numeric label: solved, or by gradient descent, row by row."""

    name = "Linear Regression"
    parameters = (
        Parameter("Solution method", "Enumerated", LEAST_SQUARES, (LEAST_SQUARES, GRADIENT)),
        _L2,
        SEED,
        UNKNOWN_LEVELS,
        Parameter("Learning rate", "Float", 0.1, above=0, later=True),
        Parameter("Number of training epochs", "Int", 10, minimum=1, later=True),
        Parameter("Decrease learning rate", "Boolean", True, later=True),
        Parameter("Average final hypothesis", "Boolean", True, later=True),
        Parameter("Include intercept term", "Boolean", True, later=True),
        MODE,
        _L2_RANGE,
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
