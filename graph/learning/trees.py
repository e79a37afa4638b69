"""Boosted decision trees: the common part of their modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from graph.learning.untrained import OUTPUTS, SEED, UNKNOWN_LEVELS, UntrainedModel
from graph.models.features import ORDINAL
from graph.spec import Module, Parameter
from graph.tables import TASK_BINARY

TREE_PARAMETERS: Final = (
    Parameter("Maximum number of leaves per tree", "Int", 20, minimum=2, maximum=4096),
    Parameter("Minimum number of samples per leaf node", "Int", 10, minimum=1),
    Parameter("Learning rate", "Float", 0.2, above=0, maximum=1),
    Parameter("Number of trees constructed", "Int", 100, minimum=1, maximum=10_000),
    SEED,
    UNKNOWN_LEVELS,
)


class BoostedTrees(Module):
    """Common part of the two boosted decision trees (scikit-learn's histogram gradient boosting)."""

    inputs = ()
    outputs = OUTPUTS
    parameters = TREE_PARAMETERS
    task: str

    def run(self, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """See the class."""

        def estimator() -> Any:
            from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

            kind = (
                HistGradientBoostingClassifier if self.task == TASK_BINARY else HistGradientBoostingRegressor
            )
            return kind(
                max_iter=parameters["Number of trees constructed"],
                learning_rate=parameters["Learning rate"],
                max_leaf_nodes=parameters["Maximum number of leaves per tree"],
                min_samples_leaf=parameters["Minimum number of samples per leaf node"],
                random_state=parameters["Random number seed"],
                early_stopping=False,
                # Codes of levels are ordered numbers to the trees: for the flights that scores better than
                # splits by sets of levels, and unknown levels go where missing values go.
                categorical_features=None,
            )

        unknown = parameters["Allow unknown categorical levels"]
        return {
            "Untrained model": UntrainedModel(
                self.name, self.task, ORDINAL, unknown, estimator, _export_trees
            )
        }


def _export_trees(fitted: Any, width: int) -> bytes:
    import numpy as np

    from graph.models import onnx_models

    # The fitted trees have no public accessor; the test that compares every held-out row guards these names.
    nodes = [iteration[0].nodes for iteration in fitted._predictors]
    return onnx_models.trees(nodes, float(np.ravel(fitted._baseline_prediction)[0]), width)
