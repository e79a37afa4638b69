from __future__ import annotations

from typing import Any

from graph.data.datasets import TASK_BINARY
from graph.learning.linear import Linear, LinearLearner
from graph.learning.untrained import SEED, UNKNOWN_LEVELS, swept
from graph.spec import Parameter, Parameters


class TwoClassAveragedPerceptron(LinearLearner):
    """The mean of all the weights that a perceptron has on its way; the probability is the logistic of the score."""

    name = "Two-Class Averaged Perceptron"
    task = TASK_BINARY
    classes = 2
    parameters = (
        *swept(
            (Parameter("Learning rate", "Float", 1.0, above=0), (0.1, 0.5, 1.0)),
            (Parameter("Maximum number of iterations", "Int", 10, minimum=1), (1, 10)),
        ),
        SEED,
        UNKNOWN_LEVELS,
    )

    def estimator(self, parameters: Parameters) -> Any:
        from sklearn.linear_model import SGDClassifier

        kind: Any = SGDClassifier
        return Linear(
            kind(
                loss="perceptron",
                penalty=None,
                learning_rate="constant",
                eta0=parameters["Learning rate"],
                max_iter=parameters["Maximum number of iterations"],
                tol=None,
                average=True,
                random_state=parameters["Random number seed"],
            )
        )
