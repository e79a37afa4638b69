"""Machine Learning / Score: Assign Data to Clusters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graph.data.datasets import TASK_CLUSTERING
from graph.errors import ModuleFailure
from graph.learning.scoring import scored
from graph.models.ilearner import TrainedModel
from graph.spec import TRAINED, Module, Parameter, Port


class AssignDataToClusters(Module):
    """Adds Assignments, the number of the nearest cluster, and `DistancesToClusterCenter no.n` for each."""

    name = "Assign Data to Clusters"
    inputs = (Port("Trained model", TRAINED), Port("Dataset"))
    outputs = (Port("Results dataset"),)
    on_arrays = True
    parameters = (Parameter("Append or Result Only", "Boolean", True),)

    def run(self, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """See the class."""
        model: TrainedModel = inputs["Trained model"]
        if model.task != TASK_CLUSTERING:
            raise ModuleFailure(
                "0013", f"Learner of invalid type is passed to the module: {model.learner} has no clusters."
            )
        append = parameters["Append or Result Only"]
        return {"Results dataset": scored(model, inputs["Dataset"], append=append)}
