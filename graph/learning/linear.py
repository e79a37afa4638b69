"""Linear models and networks: fitted to scaled columns, written for the columns as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from graph.errors import refused, unparsed
from graph.learning.untrained import SEED, UNKNOWN_LEVELS, Fitted, Learner
from graph.libraries import Array, Numbers, learner, np
from graph.models.answers import SOFTMAX
from graph.spec import Parameter, Parameters, choice

STANDARD, RANGE_0_1, NONE = "Gaussian normalizer", "Min-Max normalizer", "Do not normalize"
SCALE: Final = "scale alone"


def completed(matrix: Numbers) -> tuple[Numbers, Numbers]:
    """The mean of each column, and the matrix with it where a value is missing. Raises 0018 where these are not finite."""
    known = ~np.isnan(matrix)
    count = np.maximum(known.sum(axis=0), 1)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.where(known, matrix, 0).sum(axis=0) / count
        filled = np.where(known, matrix, mean)
        finite = np.isfinite(np.square(filled - mean).sum(axis=0)).all()
    if not finite:
        raise refused("0018", "a column has values that are infinite or too large to be added up")
    return mean, filled


class Linear:
    """Scales the columns, fits a scikit-learn linear model or network, and folds the scaling into its weights."""

    def __init__(self, model: Any, normalizer: str = STANDARD) -> None:
        self.model, self.normalizer = model, normalizer

    def fit(self, matrix: Numbers, label: Array) -> Linear:
        """Fit; a missing value stands for its column's mean."""
        self.mean, filled = completed(matrix)
        self.shift, scale = self.mean, filled.std(axis=0)
        if self.normalizer == RANGE_0_1:
            self.shift, scale = filled.min(axis=0), np.ptp(filled, axis=0)
        elif self.normalizer in (NONE, SCALE):
            self.shift = np.zeros_like(scale)
            scale = np.ones_like(scale) if self.normalizer == NONE else scale
        self.scale = np.where(scale > 0, scale, 1.0)
        if hasattr(self.model, "batch_size"):
            self.model.batch_size = max(1, min(200, len(matrix) // 100))
        self.model.fit((filled - self.shift) / self.scale, label)
        return self

    def weights(self) -> tuple[Numbers, float]:
        """Weights and intercept for the columns as they are."""
        weights = np.ravel(self.model.coef_) / self.scale
        return weights, float(np.ravel(self.model.intercept_)[0] - weights @ self.shift)


class LinearLearner(Learner):
    """Common part of the learners with one linear score.

    `model` is that of scikit-learn, `settings` are its arguments, `arguments` the parameters that others are set to.
    """

    model: ClassVar[str]
    settings: ClassVar[Mapping[str, Any]] = {}
    arguments: ClassVar[Mapping[str, str]]

    def estimator(self, parameters: Parameters) -> Any:
        given = {name: parameters[parameter] for name, parameter in self.arguments.items()}
        return Linear(learner(f"linear_model.{self.model}")(**self.settings, **given))

    def export(self, fitted: Any, width: int) -> Fitted:
        from graph.models import onnx_models

        weights, intercept = fitted.weights()
        return Fitted(onnx_models.linear(weights, intercept, fitted.mean))


def layers(fitted: Linear, weights: list[Numbers], offsets: list[Numbers]) -> Fitted:
    """Layers (inputs × outputs) that were fitted to scaled columns, as data."""

    from graph.models.forms.network import export

    first = weights[0] / fitted.scale[:, None]
    offset = offsets[0] - (first * fitted.shift[:, None]).sum(axis=0)
    return Fitted(export(fitted.mean, [first, *weights[1:]], [np.asarray(offset), *offsets[1:]]), "network")


LOGISTIC_PARAMETERS: Final = (
    Parameter("Optimization tolerance", "Float", 1e-7, above=0, sweep=(1e-4, 1e-7)),
    Parameter("L2 regularization weight", "Float", 1.0, above=0, sweep=(0.01, 0.1, 1.0)),
    SEED,
    UNKNOWN_LEVELS,
    Parameter("L1 regularization weight", "Float", 0.0, minimum=0, later=True),
)


def logistic_regression(parameters: Parameters) -> Any:
    """scikit-learn's, for two classes or several."""
    one, two = parameters["L1 regularization weight"], parameters["L2 regularization weight"]
    mixed = {"solver": "saga", "l1_ratio": one / (one + two)} if one else {}
    return learner("linear_model.LogisticRegression")(
        C=1 / (one + two),
        tol=parameters["Optimization tolerance"],
        random_state=parameters["Random number seed"],
        max_iter=1000,
        **mixed,
    )


FULLY_CONNECTED: Final = "Fully-connected case"
_RATE: Final = Parameter("Learning rate", "Float", 0.1, above=0, maximum=1, sweep=(0.01, 0.1, 0.4))


def network_parameters(rate: Parameter = _RATE) -> tuple[Parameter, ...]:
    """The parameters of the three neural networks, whose learning rates differ."""
    return (
        choice("Hidden layer specification", FULLY_CONNECTED),
        Parameter("Number of hidden nodes", "String", "100"),
        rate,
        Parameter("Number of learning iterations", "Int", 100, minimum=1, sweep=(20, 40, 80, 160)),
        Parameter("The momentum", "Float", 0.0, minimum=0, maximum=1),
        choice("The type of normalizer", RANGE_0_1, STANDARD, NONE),
        Parameter("Shuffle examples", "Boolean", True),
        SEED,
        UNKNOWN_LEVELS,
    )


class Network(Learner):
    """Common part of the neural networks: logistic hidden nodes, trained by stochastic gradient descent.

    The number of hidden nodes is a list for several layers. Weights begin as scikit-learn draws them.
    """

    rate = "Learning rate"

    def estimator(self, parameters: Parameters) -> Any:
        kind = "Regressor" if self.task == "regression" else "Classifier"
        return Linear(
            learner(f"neural_network.MLP{kind}")(
                hidden_layer_sizes=_sizes(parameters["Number of hidden nodes"]),
                activation="logistic",
                solver="sgd",
                learning_rate_init=parameters[self.rate],
                momentum=min(parameters["The momentum"], 0.999999),
                max_iter=parameters["Number of learning iterations"],
                shuffle=parameters["Shuffle examples"],
                random_state=parameters["Random number seed"],
                nesterovs_momentum=False,
            ),
            parameters["The type of normalizer"],
        )

    def export(self, fitted: Any, width: int) -> Fitted:
        """See Learner. Of two classes a network with several has one score, which is doubled for `softmax`."""
        weights, offsets = list(fitted.model.coefs_), list(fitted.model.intercepts_)
        if self.link == SOFTMAX and weights[-1].shape[1] == 1:
            weights[-1] = np.hstack([np.zeros_like(weights[-1]), weights[-1]])
            offsets[-1] = np.concatenate([[0.0], offsets[-1]])
        return layers(fitted, weights, offsets)


def _sizes(text: str) -> tuple[int, ...]:
    try:
        sizes = tuple(int(part) for part in text.replace(";", ",").split(",") if part.strip())
    except ValueError:
        sizes = ()
    if not sizes or not all(0 < size <= 10_000 for size in sizes) or len(sizes) > 10:
        raise unparsed("Number of hidden nodes", text, "use whole numbers")
    return sizes
