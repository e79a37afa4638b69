from graph.libraries import Table
from graph.spec import Module, Parameters


class ConvertToCsv(Module):
    """The dataset as it is: a table leaves a web service as the file that its output's name says."""

    name = "Convert to CSV"
    passes = True
    on_arrays = True

    def change(self, frame: Table, parameters: Parameters) -> Table:
        return frame
