from typing import Any

from graph.learning.linear import Linear
from graph.learning.untrained import Fitted, Learner
from graph.libraries import learner, np
from graph.spec import Parameter, Parameters


class OneClassSupportVectorMachine(Learner):
    """The border around the rows that were trained on, with a radial kernel; outside of it a row is an anomaly.

    Columns are standardised. The probability is the logistic of the distance to the border, in parts of its offset.
    """

    name = "One-Class Support Vector Machine"
    parameters = (
        Parameter("nu", "Float", 0.1, above=0, maximum=1, sweep=(0.001, 0.01, 0.1)),
        Parameter("epsilon", "Float", 0.001, above=0, sweep=(0.001, 0.01, 0.1)),
    )

    def estimator(self, parameters: Parameters) -> Any:
        return Linear(
            learner("svm.OneClassSVM")(
                kernel="rbf", gamma="scale", nu=parameters["nu"], tol=parameters["epsilon"]
            )
        )

    def export(self, fitted: Any, width: int) -> Fitted:
        from graph.models.arrays import write

        model = fitted.model
        offset = float(-model.intercept_[0]) or 1.0
        arrays = {
            "missing": fitted.mean,
            "scale": fitted.scale,
            "vectors": model.support_vectors_,
            "weights": -model.dual_coef_[0] / offset,
            "gamma": np.array([model._gamma]),
            "offset": np.array([1.0]),
        }
        return Fitted(write(arrays), "kernel")
