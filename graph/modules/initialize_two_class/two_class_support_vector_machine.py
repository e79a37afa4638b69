from typing import Any

from graph.learning.linear import NONE, STANDARD, Linear, LinearLearner
from graph.learning.untrained import SEED, UNKNOWN_LEVELS
from graph.spec import Parameter, Parameters


class TwoClassSupportVectorMachine(LinearLearner):
    """A linear support vector machine, trained row by row; the probability is the logistic of the score.

    Lambda weighs the L2 penalty, as in Pegasos, which Studio's module is. Rows are not projected to the unit sphere.
    """

    name = "Two-Class Support Vector Machine"
    parameters = (
        Parameter("Number of iterations", "Int", 1, minimum=1, sweep=(1, 10, 100)),
        Parameter("Lambda", "Float", 0.001, above=0, sweep=(0.00001, 0.0001, 0.001, 0.01, 0.1)),
        Parameter("Normalize features", "Boolean", True),
        SEED,
        UNKNOWN_LEVELS,
    )

    model = "SGDClassifier"
    settings = {"loss": "hinge", "tol": None}
    arguments = {"alpha": "Lambda", "max_iter": "Number of iterations", "random_state": "Random number seed"}

    def estimator(self, parameters: Parameters) -> Any:
        fitted = super().estimator(parameters)
        return Linear(fitted.model, STANDARD if parameters["Normalize features"] else NONE)
