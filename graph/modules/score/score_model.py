"""Machine Learning / Score: Score Model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graph.models.ilearner import SCORED_LABELS, SCORED_PROBABILITIES, TrainedModel
from graph.spec import TRAINED, Module, Parameter, Port
from graph.tables import TASK_BINARY, Dataset, Scored


class ScoreModel(Module):
    """Adds Scored Labels and, for two classes, Scored Probabilities (of the positive class) to the dataset.

    The positive class is scored when its probability is at least 0.5.
    """

    name = "Score Model"
    inputs = (Port("Trained model", TRAINED), Port("Dataset"))
    outputs = (Port("Scored dataset"),)
    parameters = (Parameter("Append score columns to output", "Boolean", True),)

    def run(self, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """See the class."""
        import numpy as np
        import pandas as pd

        model: TrainedModel = inputs["Trained model"]
        dataset: Dataset = inputs["Dataset"]
        values = model.score(dataset.frame)
        scored: dict[str, Any] = {SCORED_LABELS: values}
        if model.task == TASK_BINARY:
            classes = np.array(model.label.classes, dtype=object if model.label.type == "String" else None)
            scored = {SCORED_LABELS: classes[(values >= 0.5).astype(int)], SCORED_PROBABILITIES: values}
        if parameters["Append score columns to output"]:
            frame = dataset.frame.assign(**scored)
        else:
            frame = pd.DataFrame(scored, index=dataset.frame.index)
        about = Scored(model.task, model.label.name, model.label.classes, model.learner)
        return {"Scored dataset": Dataset(frame, about)}
