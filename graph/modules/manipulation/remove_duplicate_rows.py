from typing import Any

from graph.data.datasets import Dataset
from graph.spec import InScoring, Module, Parameter, Parameters, Port, Ports


class RemoveDuplicateRows(Module):
    """Keeps of the rows with equal values in all key columns the first, or the last; missing values are equal."""

    name = "Remove Duplicate Rows"
    inputs = (Port("Dataset"),)
    outputs = (Port("Results dataset"),)
    passes = "all"
    rows = "chosen"
    parameters = (
        Parameter("Key column selection filter expression", "ColumnPicker"),
        Parameter("Retain first duplicate row", "Boolean", True),
    )

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        dataset: Dataset = inputs["Dataset"]
        keys = parameters["Key column selection filter expression"].select(dataset.frame)
        keep: Any = "first" if parameters["Retain first duplicate row"] else "last"
        return {"Results dataset": dataset.with_frame(dataset.frame.drop_duplicates(keys, keep=keep))}

    def in_scoring(self, parameters: Parameters) -> InScoring:
        return "left out"
