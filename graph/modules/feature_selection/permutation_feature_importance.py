from collections.abc import Mapping
from typing import Final

from graph.data.datasets import TASK_REGRESSION, Dataset
from graph.errors import ModuleFailure
from graph.learning.importance import importance
from graph.learning.scoring import task_of
from graph.learning.validation import CLASSIFICATION, metric_of
from graph.libraries import pd
from graph.models.ilearner import TrainedModel
from graph.spec import TRAINED, Module, Parameter, Parameters, Port, Ports, choice

_REGRESSION: Final[Mapping[str, str]] = {
    "Mean Absolute Error": "Mean absolute error",
    "Root Mean Squared Error": "Root of mean squared error",
    "Relative Absolute Error": "Relative absolute error",
    "Relative Squared Error": "Relative squared error",
    "Coefficient of Determination": "Coefficient of determination",
}


class PermutationFeatureImportance(Module):
    """How much worse a model gets when the values of a column are shuffled among the rows; the most important first.

    The score is the loss of the metric, so that it is greater for what the model needs more, whatever the metric's direction.
    """

    name = "Permutation Feature Importance"
    inputs = (Port("Trained model", TRAINED), Port("Test data"))
    outputs = (Port("Feature importance"),)
    parameters = (
        Parameter("Random seed", "Int", 0, minimum=0, maximum=2**31 - 1),
        choice(
            "Metric for measuring performance",
            *(f"Classification - {one}" for one in CLASSIFICATION),
            *(f"Regression - {one}" for one in _REGRESSION),
        ),
    )

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        model: TrainedModel = inputs["Trained model"]
        dataset: Dataset = inputs["Test data"]
        kind, _, chosen = parameters["Metric for measuring performance"].partition(" - ")
        if (model.task == TASK_REGRESSION) != (kind == "Regression"):
            raise ModuleFailure(
                "0062",
                f"The metric is one of {kind.lower()}, and the model is for {task_of(model.task).title}.",
            )
        metric = metric_of(model.task, chosen, _REGRESSION.get(chosen, ""))
        names = [feature.name for feature in model.features]
        scores = importance(model, dataset, metric, parameters["Random seed"], names)
        table = pd.DataFrame({"Feature": list(scores), "Score": list(scores.values())})
        return {"Feature importance": Dataset(table)}
