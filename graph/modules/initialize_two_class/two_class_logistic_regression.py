"""Machine Learning / Initialize Model: Two-Class Logistic Regression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graph.learning.linear import Linear, export_linear
from graph.learning.untrained import OUTPUTS, SEED, UNKNOWN_LEVELS, UntrainedModel
from graph.models.features import ONE_HOT
from graph.spec import Module, Parameter
from graph.tables import TASK_BINARY


class TwoClassLogisticRegression(Module):
    """Logistic regression with L2 regularisation for a label with two classes."""

    name = "Two-Class Logistic Regression"
    classes = 2
    inputs = ()
    outputs = OUTPUTS
    parameters = (
        Parameter("Optimization tolerance", "Float", 1e-7, above=0),
        Parameter("L2 regularization weight", "Float", 1.0, above=0),
        SEED,
        UNKNOWN_LEVELS,
    )

    def run(self, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """See the class."""

        def estimator() -> Any:
            from sklearn.linear_model import LogisticRegression

            kind: Any = LogisticRegression
            return Linear(
                kind(
                    C=1 / parameters["L2 regularization weight"],
                    tol=parameters["Optimization tolerance"],
                    random_state=parameters["Random number seed"],
                    max_iter=1000,
                )
            )

        unknown = parameters["Allow unknown categorical levels"]
        return {
            "Untrained model": UntrainedModel(
                self.name, TASK_BINARY, ONE_HOT, unknown, estimator, export_linear
            )
        }
