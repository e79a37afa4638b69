from graph.data.datasets import Dataset
from graph.fitting import Fits, Learnt
from graph.libraries import Table
from graph.spec import TRANSFORMATION, Parameters, Port, Ports


class SelectColumnsTransform(Fits):
    """A transformation that selects the columns that a dataset has; those that another one lacks are passed over."""

    name = "Select Columns Transform"
    inputs = (Port("Dataset with desired columns"),)
    outputs = (Port("Columns selection transformation", TRANSFORMATION),)
    learns = {"columns": {"*": {}}}

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        dataset: Dataset = inputs["Dataset with desired columns"]
        return {
            self.outputs[0].name: self.step(
                dataset.frame, {"columns": {name: {} for name in dataset.frame.columns}}
            )
        }

    def apply(self, frame: Table, learnt: Learnt) -> Table:
        return frame[[name for name in learnt["columns"] if name in frame.columns]]
