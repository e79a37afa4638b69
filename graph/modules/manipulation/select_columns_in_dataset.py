from graph.columns import ColumnSelection
from graph.data.datasets import Dataset
from graph.flow import Flow
from graph.spec import Module, Parameter, Parameters, Port, Ports


class SelectColumns(Module):
    """Keeps the selected columns, in the order they are selected."""

    name = "Select Columns in Dataset"
    inputs = (Port("Dataset"),)
    outputs = (Port("Results dataset"),)
    on_arrays = True
    parameters = (Parameter("Select columns", "ColumnPicker"),)

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        dataset: Dataset = inputs["Dataset"]
        selection: ColumnSelection = parameters["Select columns"]
        return {"Results dataset": dataset.with_frame(dataset.frame[selection.select(dataset.frame)])}

    def columns(self, inputs: Flow, parameters: Parameters) -> Flow:
        dataset = inputs["Dataset"]
        chosen = dataset.selected(parameters["Select columns"])
        if chosen is not None:
            return {"Results dataset": dataset.only(chosen)}
        left_out = [
            name for rule in parameters["Select columns"].rules if rule.exclude for name in rule.columns
        ]
        return {"Results dataset": dataset.without(left_out)}
