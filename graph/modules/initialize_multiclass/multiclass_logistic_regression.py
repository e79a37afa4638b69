"""Machine Learning / Initialize Model: Multiclass Logistic Regression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graph.data.datasets import TASK_MULTICLASS
from graph.learning.linear import LOGISTIC_PARAMETERS, Linear, layers, logistic_regression
from graph.learning.untrained import Fitted, Learner
from graph.models.answers import SOFTMAX


class MulticlassLogisticRegression(Learner):
    """Logistic regression with L2, and where wanted L1, regularisation for a label with several classes."""

    name = "Multiclass Logistic Regression"
    task = TASK_MULTICLASS
    link = SOFTMAX
    classes = 2
    parameters = LOGISTIC_PARAMETERS

    def estimator(self, parameters: Mapping[str, Any]) -> Any:
        """See Learner."""
        return Linear(logistic_regression(parameters))

    def export(self, fitted: Any, width: int) -> Fitted:
        """See Learner."""
        import numpy as np

        weights, offsets = fitted.model.coef_.T, np.asarray(fitted.model.intercept_)
        if len(offsets) == 1:
            weights, offsets = np.hstack([0 * weights, weights]), np.array([0.0, offsets[0]])
        return layers(fitted, [weights], [offsets])
