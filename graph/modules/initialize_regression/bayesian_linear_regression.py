from __future__ import annotations

from typing import Any

from graph.data.datasets import TASK_REGRESSION
from graph.learning.linear import Linear, LinearLearner
from graph.learning.untrained import UNKNOWN_LEVELS
from graph.models.answers import IDENTITY
from graph.spec import Parameter, Parameters


class BayesianLinearRegression(LinearLearner):
    """The most likely weights given a normal prior, whose precision is `Regularization weight` times that of the noise."""

    name = "Bayesian Linear Regression"
    task = TASK_REGRESSION
    link = IDENTITY
    parameters = (Parameter("Regularization weight", "Float", 1.0, above=0), UNKNOWN_LEVELS)

    def estimator(self, parameters: Parameters) -> Any:
        from sklearn.linear_model import Ridge

        kind: Any = Ridge
        return Linear(kind(alpha=parameters["Regularization weight"]))
