from __future__ import annotations

from typing import Any

from graph.data.datasets import TASK_BINARY
from graph.learning.linear import NONE, STANDARD, Linear, LinearLearner
from graph.learning.untrained import SEED, UNKNOWN_LEVELS, swept
from graph.spec import Parameter, Parameters


class TwoClassSupportVectorMachine(LinearLearner):
    """A linear support vector machine, trained row by row; the probability is the logistic of the score.

    Lambda weighs the L2 penalty, as in Pegasos, which Studio's module is. Rows are not projected to the unit sphere.
    """

    name = "Two-Class Support Vector Machine"
    task = TASK_BINARY
    classes = 2
    parameters = (
        *swept(
            (Parameter("Number of iterations", "Int", 1, minimum=1), (1, 10, 100)),
            (Parameter("Lambda", "Float", 0.001, above=0), (0.00001, 0.0001, 0.001, 0.01, 0.1)),
        ),
        Parameter("Normalize features", "Boolean", True),
        SEED,
        UNKNOWN_LEVELS,
    )

    def estimator(self, parameters: Parameters) -> Any:
        from sklearn.linear_model import SGDClassifier

        kind: Any = SGDClassifier
        return Linear(
            kind(
                loss="hinge",
                alpha=parameters["Lambda"],
                max_iter=parameters["Number of iterations"],
                tol=None,
                random_state=parameters["Random number seed"],
            ),
            STANDARD if parameters["Normalize features"] else NONE,
        )
