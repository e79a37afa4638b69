"""Machine Learning / Initialize Model: the learners.

A learner is a module without inputs whose output, an untrained model, says how to fit and how to write what was
fitted. To add one: a class here with its Studio name and parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from graph.models.features import ONE_HOT, ORDINAL
from graph.spec import UNTRAINED, Module, Parameter, Port
from graph.tables import TASK_BINARY, TASK_REGRESSION

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class UntrainedModel:
    """A learner with its settings. `estimator()` gives a new scikit-learn estimator; `export` writes it as ONNX."""

    learner: str
    task: str
    encoding: str
    unknown_levels: bool
    estimator: Callable[[], Any]
    export: Callable[[Any, int], bytes]

    def fit(self, matrix: npt.NDArray[np.float64], target: npt.NDArray[Any]) -> Any:
        """A fitted estimator.

        A small matrix is fitted on one thread. The trees' OpenMP threads wait for each other by spinning, so
        that a second busy process on the machine makes a fit 10 to 100 times slower, while on an idle one a
        second thread gains a tenth (measured on a month of flights). BLAS always has one thread: its sums
        differ in the last bits by the number of threads. Trees come out the same either way.
        """
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        estimator = self.estimator()
        limits = {"blas": 1, "openmp": 1} if matrix.size < SMALL_MATRIX else {"blas": 1}
        with threadpool_limits(limits=limits):
            return estimator.fit(matrix, target)


SMALL_MATRIX: Final = 2_000_000  # cells: about a year of flights

SEED: Final = Parameter("Random number seed", "Int", 0, minimum=0, maximum=2**31 - 1)
UNKNOWN_LEVELS: Final = Parameter("Allow unknown categorical levels", "Boolean", True)
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
    outputs = (Port("Untrained model", UNTRAINED),)
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


class TwoClassBoostedDecisionTree(BoostedTrees):
    """Boosted decision trees for a label with two classes."""

    name = "Two-Class Boosted Decision Tree"
    task = TASK_BINARY
    classes = 2


class BoostedDecisionTreeRegression(BoostedTrees):
    """Boosted decision trees for a numeric label."""

    name = "Boosted Decision Tree Regression"
    task = TASK_REGRESSION


class Linear:
    """Standardises the columns, fits a scikit-learn linear model, and folds the scaling into its weights."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, matrix: npt.NDArray[np.float64], label: npt.NDArray[Any]) -> Linear:
        """Fit; a missing value stands for its column's mean."""
        import numpy as np

        known = ~np.isnan(matrix)
        count = np.maximum(known.sum(axis=0), 1)
        self.mean = np.where(known, matrix, 0).sum(axis=0) / count
        filled = np.where(known, matrix, self.mean)
        scale = filled.std(axis=0)
        self.scale = np.where(scale > 0, scale, 1.0)
        self.model.fit((filled - self.mean) / self.scale, label)
        return self

    def weights(self) -> tuple[npt.NDArray[np.float64], float]:
        """Weights and intercept for the columns as they are."""
        import numpy as np

        weights = np.ravel(self.model.coef_) / self.scale
        return weights, float(np.ravel(self.model.intercept_)[0] - weights @ self.mean)


def _export_linear(fitted: Linear, width: int) -> bytes:
    from graph.models import onnx_models

    weights, intercept = fitted.weights()
    return onnx_models.linear(weights, intercept, fitted.mean)


class TwoClassLogisticRegression(Module):
    """Logistic regression with L2 regularisation for a label with two classes."""

    name = "Two-Class Logistic Regression"
    classes = 2
    inputs = ()
    outputs = (Port("Untrained model", UNTRAINED),)
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
                self.name, TASK_BINARY, ONE_HOT, unknown, estimator, _export_linear
            )
        }


class LinearRegression(Module):
    """Least squares with L2 regularisation for a numeric label."""

    name = "Linear Regression"
    inputs = ()
    outputs = (Port("Untrained model", UNTRAINED),)
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
                self.name, TASK_REGRESSION, ONE_HOT, unknown, estimator, _export_linear
            )
        }
