from typing import Any, Self

from graph.learning.linear import Linear, LinearLearner
from graph.learning.untrained import UNKNOWN_LEVELS
from graph.libraries import learner
from graph.models.answers import EXPONENTIAL
from graph.spec import Parameter, Parameters


class PoissonRegression(LinearLearner):
    """Counts, whose logarithm is linear in the columns, with L2 regularisation; the label has no negative values."""

    name = "Poisson Regression"
    link = EXPONENTIAL
    parameters = (
        Parameter("Optimization tolerance", "Float", 1e-7, above=0, sweep=(1e-5, 1e-8)),
        Parameter("L2 regularization weight", "Float", 1.0, minimum=0, sweep=(0.01, 0.1, 1.0)),
        UNKNOWN_LEVELS,
    )

    def estimator(self, parameters: Parameters) -> Any:
        return Linear(_Poisson(parameters["L2 regularization weight"], parameters["Optimization tolerance"]))

    def unfit(self, target: Any) -> str:
        return "it has negative values" if (target < 0).any() else ""


class _Poisson:
    """The weight is that of the sum over the rows, as in the other learners; scikit-learn's is that of their mean."""

    def __init__(self, weight: float, tolerance: float) -> None:
        self.weight, self.tolerance = weight, tolerance

    def fit(self, matrix: Any, target: Any) -> Self:
        model = learner("linear_model.PoissonRegressor")
        fitted = model(alpha=self.weight / len(matrix), tol=self.tolerance, max_iter=1000).fit(matrix, target)
        self.coef_, self.intercept_ = fitted.coef_, fitted.intercept_
        return self
