from graph.spec import Module, Parameters, Port, Ports


class ConvertToCsv(Module):
    """The dataset as it is: a table leaves a web service as the file that its output's name says."""

    name = "Convert to CSV"
    inputs = (Port("Dataset"),)
    outputs = (Port("Results dataset"),)
    passes = "all"
    on_arrays = True

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        return {"Results dataset": inputs["Dataset"]}
