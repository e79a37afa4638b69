"""Boosted decision trees and forests: the common parts of their modules."""

from __future__ import annotations

import math
from typing import Any, Final

from graph.data.datasets import TASK_BINARY, TASK_REGRESSION
from graph.learning.untrained import SEED, UNKNOWN_LEVELS, Fitted, Learner
from graph.libraries import learner, np
from graph.models.answers import SHARE
from graph.models.features import ORDINAL
from graph.spec import Parameter, Parameters, choice


class BoostedTrees(Learner):
    """Common part of the two boosted decision trees (scikit-learn's histogram gradient boosting)."""

    encoding = ORDINAL
    threads = True
    parameters = (
        Parameter(
            "Maximum number of leaves per tree", "Int", 20, minimum=2, maximum=4096, sweep=(2, 8, 32, 128)
        ),
        Parameter("Minimum number of samples per leaf node", "Int", 10, minimum=1, sweep=(1, 10, 50)),
        Parameter("Learning rate", "Float", 0.2, above=0, maximum=1, sweep=(0.025, 0.05, 0.1, 0.2, 0.4)),
        Parameter("Number of trees constructed", "Int", 100, minimum=1, maximum=10_000, sweep=(20, 100, 500)),
        SEED,
        UNKNOWN_LEVELS,
    )

    def estimator(self, parameters: Parameters) -> Any:
        kind = "Classifier" if self.task == TASK_BINARY else "Regressor"
        return learner(f"ensemble.HistGradientBoosting{kind}")(
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

    def export(self, fitted: Any, width: int) -> Fitted:
        from graph.models import onnx_models

        # The fitted trees have no public accessor; the test that compares every held-out row guards these names.
        nodes = [iteration[0].nodes for iteration in fitted._predictors]
        return Fitted(onnx_models.trees(nodes, float(np.ravel(fitted._baseline_prediction)[0]), width))


FOREST_UNKNOWN: Final = Parameter("Allow unknown values for categorical features", "Boolean", True)
RESAMPLING: Final = choice("Resampling method", "Bagging", "Replicate")


class DecisionForest(Learner):
    """Common part of the decision forests (scikit-learn's random forest).

    Bagging trains each tree on rows drawn with replacement, Replicate all on the same rows. Of the columns as many as the
    root of the number of random splits are tried at a node, each at all its values. The mean of the trees is the answer.
    """

    encoding = ORDINAL
    link = SHARE
    parameters = (
        RESAMPLING,
        Parameter("Number of decision trees", "Int", 8, minimum=1, maximum=10_000, sweep=(1, 8, 32)),
        Parameter(
            "Maximum depth of the decision trees", "Int", 32, minimum=1, maximum=500, sweep=(1, 16, 64)
        ),
        Parameter("Number of random splits per node", "Int", 128, minimum=1, sweep=(1, 128, 1024)),
        Parameter("Minimum number of samples per leaf node", "Int", 1, minimum=1, sweep=(1, 4, 16)),
        SEED,
        FOREST_UNKNOWN,
    )

    def estimator(self, parameters: Parameters) -> Any:
        return Forest(
            self.task,
            n_estimators=parameters["Number of decision trees"],
            max_depth=parameters["Maximum depth of the decision trees"],
            min_samples_leaf=parameters["Minimum number of samples per leaf node"],
            splits=parameters["Number of random splits per node"],
            bootstrap=parameters["Resampling method"] == "Bagging",
            random_state=parameters["Random number seed"],
        )

    def export(self, fitted: Any, width: int) -> Fitted:
        from graph.models import onnx_models
        from graph.models.forms.forest import export

        trees = [estimator.tree_ for estimator in fitted.forest.estimators_]
        values = [tree.value[:, 0, :] for tree in trees]  # shares of the classes, or the mean
        if self.task in (TASK_BINARY, TASK_REGRESSION):
            return Fitted(onnx_models.forest(trees, [each[:, -1] for each in values], width))
        return Fitted(export(trees, values), "forest")


class DecisionJungle(DecisionForest):
    """Common part of the decision jungles.

    scikit-learn has no graphs whose branches join again. The nearest there is: a forest whose trees have at most as many
    leaves as the graphs may be wide; the optimisation steps have no effect.
    """

    parameters = (
        RESAMPLING,
        Parameter("Number of decision DAGs", "Int", 8, minimum=1, maximum=10_000, sweep=(1, 8, 32)),
        Parameter("Maximum depth of the decision DAGs", "Int", 32, minimum=1, maximum=500, sweep=(1, 16, 64)),
        Parameter("Maximum width of the decision DAGs", "Int", 128, minimum=8, sweep=(8, 32, 128)),
        Parameter("Number of optimization steps per decision DAG layer", "Int", 2048, minimum=1000),
        SEED,
        FOREST_UNKNOWN,
    )

    def estimator(self, parameters: Parameters) -> Any:
        return Forest(
            self.task,
            n_estimators=parameters["Number of decision DAGs"],
            max_depth=parameters["Maximum depth of the decision DAGs"],
            max_leaf_nodes=parameters["Maximum width of the decision DAGs"],
            bootstrap=parameters["Resampling method"] == "Bagging",
            random_state=parameters["Random number seed"],
        )


class Forest:
    """A random forest that tries at a node as many columns as the root of *splits*, or that *share* of them."""

    def __init__(self, task: str, *, splits: int = 128, share: float = 0.0, **settings: Any) -> None:
        self.task, self.splits, self.share, self.settings = task, splits, share, settings

    def fit(self, matrix: Any, target: Any) -> Forest:
        """Fit; values beyond single precision are its ends."""
        columns = min(matrix.shape[1], max(1, math.isqrt(self.splits)))
        kind = "Regressor" if self.task == TASK_REGRESSION else "Classifier"
        forest = learner(f"ensemble.RandomForest{kind}")
        self.forest = forest(max_features=self.share or columns, **self.settings)
        self.forest.fit(single(matrix), target)
        return self


def single(matrix: Any) -> Any:
    """The matrix with what no number of single precision holds at the ends of these."""
    ends = np.finfo(np.float32)
    return np.clip(matrix, float(ends.min), float(ends.max))
