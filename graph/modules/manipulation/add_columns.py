from graph.data.datasets import Dataset, apart
from graph.data.frames import with_columns
from graph.errors import ModuleFailure
from graph.flow import Flow
from graph.spec import Module, Parameters, Port, Ports


class AddColumns(Module):
    """Puts the columns of two datasets with as many rows side by side; a name that both have gets a number: `name (1)`."""

    name = "Add Columns"
    inputs = (Port("Left dataset"), Port("Right dataset"))
    outputs = (Port("Combined dataset"),)
    on_arrays = True

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        left, right = (inputs[port.name] for port in self.inputs)
        if left.rows != right.rows:
            raise ModuleFailure(
                "0010", f"The datasets have {left.rows} and {right.rows} rows; they are to have as many."
            )
        more = {name: values.array for name, values in apart(right.frame, left.frame.columns).items()}
        combined: Dataset = left.with_frame(with_columns(left.frame, more))
        return {"Combined dataset": combined}

    def columns(self, inputs: Flow, parameters: Parameters) -> Flow:
        return {"Combined dataset": inputs["Left dataset"].beside(inputs["Right dataset"]).open()}
