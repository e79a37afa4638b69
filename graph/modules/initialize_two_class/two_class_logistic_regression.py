"""Machine Learning / Initialize Model: Two-Class Logistic Regression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graph.data.datasets import TASK_BINARY
from graph.learning.linear import LOGISTIC_PARAMETERS, Linear, LinearLearner, logistic_regression


class TwoClassLogisticRegression(LinearLearner):
    """Logistic regression with L2, and where wanted L1, regularisation for a label with two classes."""

    name = "Two-Class Logistic Regression"
    task = TASK_BINARY
    classes = 2
    parameters = LOGISTIC_PARAMETERS

    def estimator(self, parameters: Mapping[str, Any]) -> Any:
        """See Learner."""
        return Linear(logistic_regression(parameters))
