from graph.columns import ColumnSelection
from graph.data.datasets import TASK_CLUSTERING, Dataset
from graph.errors import refused
from graph.learning.scoring import scored
from graph.learning.training import train
from graph.learning.untrained import UntrainedModel
from graph.spec import TRAINED, TRAINED_MODEL_PORT, UNTRAINED, Module, Parameter, Parameters, Port, Ports


class TrainClusteringModel(Module):
    """Finds clusters of rows, by the selected columns, and says which of them each row is in."""

    name = "Train Clustering Model"
    inputs = (Port("Untrained model", UNTRAINED), Port("Dataset"))
    outputs = (Port(TRAINED_MODEL_PORT, TRAINED), Port("Results dataset"))
    parameters = (
        Parameter("Column Set", "ColumnPicker", ColumnSelection.everything()),
        Parameter("Check for Append or Uncheck for Result Only", "Boolean", True),
    )
    trains = True

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        untrained: UntrainedModel = inputs["Untrained model"]
        dataset: Dataset = inputs["Dataset"]
        if untrained.task != TASK_CLUSTERING:
            raise refused("0013", f"{untrained.learner} does not find clusters")
        clusters = untrained.parameters["Number of Centroids"]
        if dataset.rows < clusters:
            raise refused("0021", f"{dataset.rows} rows for {clusters} clusters")
        columns = parameters["Column Set"].select(dataset.frame)
        model = train(untrained, dataset.frame[columns], None)
        append = parameters["Check for Append or Uncheck for Result Only"]
        return {TRAINED_MODEL_PORT: model, "Results dataset": scored(model, dataset, append=append)}
