"""Machine Learning / Evaluate: Evaluate Model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graph.errors import ModuleFailure, empty_input
from graph.models.ilearner import SCORED_LABELS, SCORED_PROBABILITIES
from graph.spec import EVALUATION_PORT, Module, Port
from graph.tables import TASK_BINARY, Dataset, Scored, is_numeric

if TYPE_CHECKING:
    import pandas as pd


class EvaluateModel(Module):
    """Metrics of one or two scored datasets: one row each, the first input's first.

    Two classes: the confusion counts, Accuracy, Precision, Recall, F-Score, AUC, Average Log Loss and Training
    Log Loss (how much better, in percent, than the log loss of always saying the share of positives), and the
    number of examples. Numeric label: Studio's five error measures. A metric that isn't defined for the rows
    (AUC with one class only) is NaN. Rows without a label are left out.
    """

    name = "Evaluate Model"
    inputs = (Port("Scored dataset"), Port("Scored dataset to compare", optional=True))
    outputs = (Port(EVALUATION_PORT),)

    def run(self, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """See the class."""
        import pandas as pd

        datasets: list[Dataset] = [inputs[port.name] for port in self.inputs if port.name in inputs]
        if len({dataset.scored.task for dataset in datasets if dataset.scored}) > 1:
            raise ModuleFailure("0062", "All models must have the same learner type.")
        rows = [_metrics(dataset) for dataset in datasets]
        return {EVALUATION_PORT: Dataset(pd.DataFrame(rows))}


def _metrics(dataset: Dataset) -> dict[str, Any]:
    scored = dataset.scored
    if scored is None or SCORED_LABELS not in dataset.frame.columns:
        raise ModuleFailure("0025", "There is no score column in the dataset.")
    if scored.label not in dataset.frame.columns:
        raise ModuleFailure("0024", f'There is no label column in the dataset: "{scored.label}" is missing.')
    frame = dataset.frame[dataset.frame[scored.label].notna()]
    if frame.empty:
        raise empty_input("Scored dataset")
    return _binary(frame, scored) if scored.task == TASK_BINARY else _regression(frame, scored)


def _binary(frame: pd.DataFrame, scored: Scored) -> dict[str, Any]:
    from sklearn.metrics import log_loss, roc_auc_score

    if SCORED_PROBABILITIES not in frame.columns:
        raise ModuleFailure("0025", "There is no score column in the dataset.")
    positive = scored.classes[1]
    actual = (frame[scored.label] == positive).to_numpy()
    predicted = (frame[SCORED_LABELS] == positive).to_numpy()
    probability = frame[SCORED_PROBABILITIES].to_numpy(dtype="float64")
    tp, fn = int((actual & predicted).sum()), int((actual & ~predicted).sum())
    fp, tn = int((~actual & predicted).sum()), int((~actual & ~predicted).sum())
    loss = float(log_loss(actual, probability, labels=[False, True]))
    share = actual.mean()
    prior = -sum(p * math.log(p) for p in (share, 1 - share) if p > 0)
    return {
        "True Positive": tp,
        "False Negative": fn,
        "False Positive": fp,
        "True Negative": tn,
        "Accuracy": (tp + tn) / len(frame),
        "Precision": _ratio(tp, tp + fp),
        "Recall": _ratio(tp, tp + fn),
        "F-Score": _ratio(2 * tp, 2 * tp + fp + fn),
        "AUC": float(roc_auc_score(actual, probability)) if 0 < share < 1 else math.nan,
        "Average Log Loss": loss,
        "Training Log Loss": 100 * (prior - loss) / prior if prior > 0 else math.nan,
        "Number of examples": len(frame),
    }


def _regression(frame: pd.DataFrame, scored: Scored) -> dict[str, Any]:
    if not is_numeric(frame[scored.label]):
        raise ModuleFailure("0024", f'There is no numeric label column "{scored.label}" in the dataset.')
    actual = frame[scored.label].to_numpy(dtype="float64")
    error = frame[SCORED_LABELS].to_numpy(dtype="float64") - actual
    spread = actual - actual.mean()
    relative_squared = _ratio(float((error**2).sum()), float((spread**2).sum()))
    return {
        "Mean Absolute Error": float(abs(error).mean()),
        "Root Mean Squared Error": math.sqrt(float((error**2).mean())),
        "Relative Absolute Error": _ratio(float(abs(error).sum()), float(abs(spread).sum())),
        "Relative Squared Error": relative_squared,
        "Coefficient of Determination": 1 - relative_squared,
        "Number of examples": len(frame),
    }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
