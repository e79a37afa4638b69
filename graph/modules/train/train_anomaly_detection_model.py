from graph.columns import ColumnSelection
from graph.data.datasets import TASK_ANOMALY, Dataset
from graph.errors import refused
from graph.learning.training import train, trainable
from graph.learning.untrained import UntrainedModel
from graph.spec import TRAINED, TRAINED_MODEL_PORT, UNTRAINED, Module, Parameter, Parameters, Port, Ports


class TrainAnomalyDetectionModel(Module):
    """Learns what rows are like.

    Studio's module has no label. With one here (the one that Edit Metadata marks, where none is chosen), it is no feature, scoring says its values (of the two the second is the
    anomaly, as of a two-class label), and Evaluate Model compares with it. All rows are trained on, whatever it says.
    """

    name = "Train Anomaly Detection Model"
    inputs = (Port("Untrained model", UNTRAINED), Port("Dataset"))
    outputs = (Port(TRAINED_MODEL_PORT, TRAINED),)
    parameters = (Parameter("Label column", "ColumnPicker", None),)
    trains = True

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        untrained: UntrainedModel = inputs["Untrained model"]
        dataset: Dataset = inputs["Dataset"]
        if untrained.task != TASK_ANOMALY:
            raise refused("0013", f"{untrained.learner} does not find anomalies")
        chosen = parameters["Label column"] or next(map(ColumnSelection.of, dataset.marked("Label")), None)
        label = chosen.one(dataset.frame, "Label column") if chosen is not None else None
        return {TRAINED_MODEL_PORT: train(untrained, trainable(dataset, label), label)}
