from typing import Any, Self

from graph.learning.linear import Linear, LinearLearner
from graph.libraries import learner, np
from graph.spec import Parameter, Parameters


class TwoClassBayesPointMachine(LinearLearner):
    """The nearest to a Bayes point: the mean of perceptrons, each trained on the rows in another order.

    As Herbrich, Graepel and Campbell approximate it (2001); Studio's module passes messages instead. There are as many
    perceptrons as training iterations, each with weights of length one.
    """

    name = "Two-Class Bayes Point Machine"
    parameters = (
        Parameter("Number of training iterations", "Int", 30, minimum=1, maximum=1000),
        Parameter("Include bias", "Boolean", True),
        Parameter("Allow unknown values in categorical features", "Boolean", True),
    )

    def estimator(self, parameters: Parameters) -> Any:
        return Linear(_Mean(parameters["Number of training iterations"], parameters["Include bias"]))


class _Mean:
    def __init__(self, count: int, bias: bool) -> None:
        self.count, self.bias = count, bias

    def fit(self, matrix: Any, target: Any) -> Self:
        kind = learner("linear_model.Perceptron")
        points = []
        for seed in range(self.count):
            one = kind(max_iter=10, tol=None, fit_intercept=self.bias, random_state=seed).fit(matrix, target)
            point = np.concatenate([np.ravel(one.coef_), np.ravel(one.intercept_)])
            points.append(point / (np.sqrt((point**2).sum()) or 1.0))
        mean = np.mean(points, axis=0)
        self.coef_, self.intercept_ = mean[:-1], mean[-1:]
        return self
