from graph.flow import Flow
from graph.libraries import Table
from graph.spec import Module, Parameter, Parameters


class SelectColumns(Module):
    """Keeps the selected columns, in the order they are selected."""

    name = "Select Columns in Dataset"
    on_arrays = True
    parameters = (Parameter("Select columns", "ColumnPicker"),)

    def change(self, frame: Table, parameters: Parameters) -> Table:
        chosen: Table = frame[parameters["Select columns"].select(frame)]
        return chosen

    def columns(self, inputs: Flow, parameters: Parameters) -> Flow:
        dataset = inputs["Dataset"]
        chosen = dataset.selected(parameters["Select columns"])
        if chosen is not None:
            return {"Results dataset": dataset.only(chosen)}
        rules = parameters["Select columns"].rules
        left_out = (name for rule in rules if rule.exclude for name in rule.columns)
        return {"Results dataset": dataset.without(left_out)}
