from typing import Any, Final

from graph.learning.linear import NONE, RANGE_0_1, STANDARD, Linear
from graph.learning.local_tree import LocalTree
from graph.learning.untrained import SEED, UNKNOWN_LEVELS, Fitted, Learner
from graph.libraries import np
from graph.models.forms.local_tree import MOST_LEVELS
from graph.spec import Parameter, Parameters

_WEIGHTS: Final = (0.1, 0.01, 0.001)


class TwoClassLocallyDeepSupportVectorMachine(Learner):
    """A tree of linear classifiers, those on a row's way added up; the probability is the logistic of the score.

    After Jose et al. (2013), by stochastic gradient descent on 64 rows a step. The tree has at most 12 levels below its root.
    Studio's binning normalizer is not offered.
    """

    name = "Two-Class Locally-Deep Support Vector Machine"
    parameters = (
        Parameter("Depth of the tree", "Int", 3, minimum=1, maximum=MOST_LEVELS, sweep=(1, 3, 5, 7)),
        Parameter("Lambda W", "Float", 0.1, above=0, sweep=_WEIGHTS),
        Parameter("Lambda Theta", "Float", 0.01, above=0, sweep=_WEIGHTS),
        Parameter("Lambda Theta Prime", "Float", 0.01, above=0, sweep=_WEIGHTS),
        Parameter("Sigmoid sharpness", "Float", 1.0, above=0, sweep=(1.0, 0.1, 0.01)),
        Parameter("Number of iterations", "Int", 15_000, minimum=1, sweep=(10_000, 15_000, 20_000)),
        Parameter("Feature normalizer", "Enumerated", RANGE_0_1, (STANDARD, RANGE_0_1, NONE)),
        SEED,
        UNKNOWN_LEVELS,
    )

    def estimator(self, parameters: Parameters) -> Any:
        return Linear(LocalTree(parameters), parameters["Feature normalizer"])

    def export(self, fitted: Any, width: int) -> Fitted:
        from graph.models.arrays import write

        tree = fitted.model
        weights = tree.weights / fitted.scale[:, None]
        arrays = {
            "missing": fitted.mean,
            "weights": weights,
            "offsets": tree.offsets - (weights * fitted.shift[:, None]).sum(axis=0),
            "sharpness": np.array([tree.sharpness]),
            "depth": np.array([tree.depth], np.int32),
        }
        return Fitted(write(arrays), "local_tree")
