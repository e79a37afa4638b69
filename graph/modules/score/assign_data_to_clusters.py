from graph.data.datasets import TASK_CLUSTERING
from graph.errors import refused
from graph.learning.scoring import scored
from graph.models.ilearner import TrainedModel
from graph.spec import TRAINED, Module, Parameter, Parameters, Port, Ports


class AssignDataToClusters(Module):
    """Adds Assignments, the number of the nearest cluster, and `DistancesToClusterCenter no.n` for each."""

    name = "Assign Data to Clusters"
    inputs = (Port("Trained model", TRAINED), Port("Dataset"))
    on_arrays = True
    parameters = (Parameter("Append or Result Only", "Boolean", True),)

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        model: TrainedModel = inputs["Trained model"]
        if model.task != TASK_CLUSTERING:
            raise refused("0013", f"{model.learner} has no clusters")
        append = parameters["Append or Result Only"]
        return {"Results dataset": scored(model, inputs["Dataset"], append=append)}
