from graph.data.datasets import Dataset
from graph.errors import ModuleFailure
from graph.fitting import Fits
from graph.models.ilearner import TrainedModel
from graph.modules import find
from graph.spec import TRANSFORMATION, Module, Parameter, Parameters, Port, Ports
from graph.steps import Step


class ApplyTransformation(Module):
    """Does to a dataset what another module learnt from the data that it was fitted to.

    The transformation is that of a module, or comes with a trained model: then the fitted steps of the data that the model
    was trained on are applied, all of them, or the one of that number, the first being 1. Where a web service has a
    trained model, a retrained one thus brings its transformations with it.
    """

    name = "Apply Transformation"
    inputs = (Port("Transformation", TRANSFORMATION), Port("Dataset"))
    outputs = (Port("Transformed dataset"),)
    on_arrays = True
    parameters = (Parameter("Fitted step", "Int", 0, minimum=0, maximum=1000),)

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        given: Step | TrainedModel = inputs["Transformation"]
        dataset: Dataset = inputs["Dataset"]
        frame = dataset.frame
        for step in [given] if isinstance(given, Step) else _steps(given, parameters["Fitted step"]):
            module = find(step.module)
            if isinstance(module, Fits) and step.values:
                frame = module.apply(frame, step.values)
        return {"Transformed dataset": dataset.with_frame(frame)}


def _steps(model: TrainedModel, number: int) -> tuple[Step, ...]:
    """A model in whose data there was nothing to learn has none, whatever the number."""
    if number > len(model.steps) and model.steps:
        raise ModuleFailure(
            "0018", f"The trained model brings {len(model.steps)} fitted steps; there is no number {number}."
        )
    return model.numbered(number)
