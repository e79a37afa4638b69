from graph.data.datasets import TASK_ANOMALY, TASK_CLUSTERING, Dataset
from graph.errors import refused
from graph.learning.training import train, trainable
from graph.learning.untrained import UntrainedModel
from graph.spec import TRAINED, TRAINED_MODEL_PORT, UNTRAINED, Module, Parameter, Parameters, Port, Ports


class TrainModel(Module):
    """Fits the learner to the dataset: one column is the label, all others are features."""

    name = "Train Model"
    inputs = (Port("Untrained model", UNTRAINED), Port("Dataset"))
    outputs = (Port(TRAINED_MODEL_PORT, TRAINED),)
    parameters = (Parameter("Label column", "ColumnPicker"),)
    trains = True

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        untrained: UntrainedModel = inputs["Untrained model"]
        dataset: Dataset = inputs["Dataset"]
        if untrained.task in (TASK_CLUSTERING, TASK_ANOMALY):
            module = (
                f"Train {'Clustering' if untrained.task == TASK_CLUSTERING else 'Anomaly Detection'} Model"
            )
            raise refused("0013", f"{untrained.learner} is trained by {module}")
        label = parameters["Label column"].one(dataset.frame, "Label column")
        return {TRAINED_MODEL_PORT: train(untrained, trainable(dataset, label), label)}
