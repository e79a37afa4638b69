from graph.learning.linear import LinearLearner
from graph.learning.untrained import SEED, UNKNOWN_LEVELS
from graph.spec import Parameter


class TwoClassAveragedPerceptron(LinearLearner):
    """The mean of all the weights that a perceptron has on its way; the probability is the logistic of the score."""

    name = "Two-Class Averaged Perceptron"
    parameters = (
        Parameter("Learning rate", "Float", 1.0, above=0, sweep=(0.1, 0.5, 1.0)),
        Parameter("Maximum number of iterations", "Int", 10, minimum=1, sweep=(1, 10)),
        SEED,
        UNKNOWN_LEVELS,
    )

    model = "SGDClassifier"
    settings = {
        "loss": "perceptron",
        "penalty": None,
        "learning_rate": "constant",
        "tol": None,
        "average": True,
    }
    arguments = {
        "eta0": "Learning rate",
        "max_iter": "Maximum number of iterations",
        "random_state": "Random number seed",
    }
