from typing import Any

from graph.learning.linear import LOGISTIC_PARAMETERS, Linear, layers, logistic_regression
from graph.learning.untrained import Fitted, Learner
from graph.libraries import np
from graph.spec import Parameters


class MulticlassLogisticRegression(Learner):
    """Logistic regression with L2, and where wanted L1, regularisation for a label with several classes."""

    name = "Multiclass Logistic Regression"
    parameters = LOGISTIC_PARAMETERS

    def estimator(self, parameters: Parameters) -> Any:
        return Linear(logistic_regression(parameters))

    def export(self, fitted: Any, width: int) -> Fitted:
        weights, offsets = fitted.model.coef_.T, np.asarray(fitted.model.intercept_)
        if len(offsets) == 1:
            weights, offsets = np.hstack([0 * weights, weights]), np.array([0.0, offsets[0]])
        return layers(fitted, [weights], [offsets])
