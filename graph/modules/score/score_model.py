from graph.learning.scoring import scored
from graph.spec import TRAINED, Module, Parameter, Parameters, Port, Ports


class ScoreModel(Module):
    """Adds what the model says of each row to the dataset.

    Two classes and anomalies: Scored Labels and Scored Probabilities (of the positive class, which is said where it is at
    least 0.5). Several classes: `Scored Probabilities for Class "x"` for each, and Scored Labels. A number: Scored Labels;
    before it a column for each quantile, where these are estimated. Clusters: Assignments and the distances to the centres.
    """

    name = "Score Model"
    inputs = (Port("Trained model", TRAINED), Port("Dataset"))
    outputs = (Port("Scored dataset"),)
    on_arrays = True
    parameters = (Parameter("Append score columns to output", "Boolean", True),)

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        append = parameters["Append score columns to output"]
        return {"Scored dataset": scored(inputs["Trained model"], inputs["Dataset"], append=append)}
