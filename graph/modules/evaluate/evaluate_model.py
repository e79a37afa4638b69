import math
from typing import Any

from graph.data.datasets import TASK_ANOMALY, TASK_BINARY, TASK_CLUSTERING, Dataset
from graph.errors import ModuleFailure
from graph.learning.scoring import measured, outcome, task_of
from graph.libraries import pd
from graph.spec import EVALUATION_PORT, Module, Parameters, Port, Ports
from tasks import Outcome


class EvaluateModel(Module):
    """Metrics of one or two scored datasets: a row each, the first input's first; of clusters a row all in all, and one each.

    What is measured, the task says (`tasks`). Two classes and anomalies have the confusion counts too, and Training Log
    Loss (how much better, in percent, than the log loss of always saying the share of positives). A metric that isn't defined
    for the rows (AUC with one class only) is NaN. Rows without a label are left out.
    """

    name = "Evaluate Model"
    inputs = (Port("Scored dataset"), Port("Scored dataset to compare", optional=True))
    outputs = (Port(EVALUATION_PORT),)

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        datasets: list[Dataset] = [inputs[port.name] for port in self.inputs if port.name in inputs]
        if len({dataset.scored.task for dataset in datasets if dataset.scored}) > 1:
            raise ModuleFailure("0062", "All models must have the same learner type.")
        return {EVALUATION_PORT: Dataset(pd.DataFrame([row for one in datasets for row in rows(one)]))}


def rows(dataset: Dataset) -> list[dict[str, Any]]:
    """The metrics of a scored dataset by the titles that Studio gives them."""
    found = outcome(dataset)
    assert dataset.scored is not None
    task = dataset.scored.task
    if task == TASK_CLUSTERING:
        return _clusters(found)
    values = measured(dataset)
    titled = {metric.title: values[metric.name] for metric in task_of(task).metrics}
    if task not in (TASK_BINARY, TASK_ANOMALY):
        return [titled]
    examples = titled.pop("Number of examples")
    log_loss = titled.pop("Average Log Loss")
    auc = titled.pop("AUC")
    return [
        {
            **_confusion(found),
            **titled,
            "AUC": auc,
            "Average Log Loss": log_loss,
            "Training Log Loss": _gain(found, log_loss),
            "Number of examples": examples,
        }
    ]


def _confusion(found: Outcome) -> dict[str, int]:
    actual, predicted = found.actual, found.predicted
    assert actual is not None
    return {
        "True Positive": int((actual & predicted).sum()),
        "False Negative": int((actual & ~predicted).sum()),
        "False Positive": int((~actual & predicted).sum()),
        "True Negative": int((~actual & ~predicted).sum()),
    }


def _gain(found: Outcome, loss: float) -> float:
    assert found.actual is not None
    share = found.actual.mean()
    prior = -sum(p * math.log(p) for p in (share, 1 - share) if p > 0)
    return 100 * (prior - loss) / prior if prior > 0 else math.nan


def _clusters(found: Outcome) -> list[dict[str, Any]]:
    """All rows together, and those of each cluster that has some."""
    from tasks import TASKS, Outcome

    assert found.scores is not None
    parts = {"Combined Evaluation": found}
    for at in range(found.scores.shape[1]):
        inside = found.predicted == at
        if inside.any():
            parts[f"Evaluation For Cluster No.{at}"] = Outcome(
                found.predicted[inside], scores=found.scores[inside]
            )
    task = TASKS[TASK_CLUSTERING]
    result = []
    for name, part in parts.items():
        values = task.measure(part)
        result.append({"Result description": name, **{one.title: values[one.name] for one in task.metrics}})
    return result
