from typing import Any, Self

from graph.learning.linear import SCALE, STANDARD, Linear
from graph.learning.untrained import Fitted, Learner
from graph.libraries import np
from graph.models.answers import SHARE
from graph.spec import Parameter, Parameters


class PCABasedAnomalyDetection(Learner):
    """How far rows are from the space of the principal components of those that were trained on.

    Columns are scaled to standard deviation one, and brought to mean zero where wanted. A row is an anomaly whose distance
    is greater than that of 95 in 100 rows of the training; its probability is then above 0.5.
    """

    name = "PCA-Based Anomaly Detection"
    link = SHARE
    parameters = (
        Parameter("Number of components to use in PCA", "Int", 2, minimum=1, sweep=(2, 4, 6, 8, 10)),
        Parameter("Oversampling parameter for randomized PCA", "Int", 2, minimum=1, sweep=(2, 4, 6, 8, 10)),
        Parameter("Enable input feature mean normalization", "Boolean", False),
    )

    def estimator(self, parameters: Parameters) -> Any:
        model = _Components(
            parameters["Number of components to use in PCA"],
            parameters["Oversampling parameter for randomized PCA"],
        )
        return Linear(model, STANDARD if parameters["Enable input feature mean normalization"] else SCALE)

    def export(self, fitted: Any, width: int) -> Fitted:
        from graph.models.arrays import write

        arrays = {
            "missing": fitted.mean,
            "shift": fitted.shift,
            "scale": fitted.scale,
            "components": fitted.model.components,
            "usual": np.array([fitted.model.usual]),
        }
        return Fitted(write(arrays), "components")


class _Components:
    def __init__(self, count: int, oversampling: int) -> None:
        self.count, self.oversampling = count, oversampling

    def fit(self, matrix: Any, _target: Any) -> Self:
        from sklearn.utils.extmath import randomized_svd

        count = min(self.count, *matrix.shape)
        _, _, self.components = randomized_svd(
            matrix, count, n_oversamples=self.oversampling, n_iter=7, random_state=0
        )
        left = matrix - (matrix @ self.components.T) @ self.components
        self.usual = float(np.quantile((left**2).sum(axis=1), 0.95)) or float(np.finfo(np.float64).tiny)
        return self
