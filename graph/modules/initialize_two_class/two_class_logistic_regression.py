from typing import Any

from graph.learning.linear import LOGISTIC_PARAMETERS, Linear, LinearLearner, logistic_regression
from graph.spec import Parameters


class TwoClassLogisticRegression(LinearLearner):
    """Logistic regression with L2, and where wanted L1, regularisation for a label with two classes."""

    name = "Two-Class Logistic Regression"
    parameters = LOGISTIC_PARAMETERS

    def estimator(self, parameters: Parameters) -> Any:
        return Linear(logistic_regression(parameters))
