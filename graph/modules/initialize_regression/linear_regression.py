"""Machine Learning / Initialize Model: Linear Regression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graph.learning.linear import Linear, export_linear
from graph.learning.untrained import OUTPUTS, SEED, UNKNOWN_LEVELS, UntrainedModel
from graph.models.features import ONE_HOT
from graph.spec import Module, Parameter
from graph.tables import TASK_REGRESSION


class LinearRegression(Module):
    """Least squares with L2 regularisation for a numeric label."""

    name = "Linear Regression"
    inputs = ()
    outputs = OUTPUTS
    parameters = (
        Parameter("Solution method", "Enumerated", "Ordinary Least Squares", ("Ordinary Least Squares",)),
        Parameter("L2 regularization weight", "Float", 0.001, minimum=0),
        SEED,
        UNKNOWN_LEVELS,
    )

    def run(self, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """See the class."""

        def estimator() -> Any:
            from sklearn.linear_model import Ridge

            kind: Any = Ridge
            return Linear(kind(alpha=parameters["L2 regularization weight"]))

        unknown = parameters["Allow unknown categorical levels"]
        return {
            "Untrained model": UntrainedModel(
                self.name, TASK_REGRESSION, ONE_HOT, unknown, estimator, export_linear
            )
        }
