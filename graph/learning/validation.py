"""Judging a learner by rows that it was not trained on: folds, metrics by the names that Studio's modules offer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from graph.data.datasets import TASK_CLUSTERING, TASK_MULTICLASS, TASK_REGRESSION, Dataset
from graph.errors import ModuleFailure, refused
from graph.learning.scoring import measured, scored, task_of
from graph.learning.training import train, trainable
from graph.learning.untrained import UntrainedModel
from graph.libraries import np, npt, pd
from tasks import Metric

FOLDS: Final = 10

CLASSIFICATION: Final[Mapping[str, tuple[str, str]]] = {
    "Accuracy": ("accuracy", "overall_accuracy"),
    "Precision": ("precision", "macro_precision"),
    "Recall": ("recall", "macro_recall"),
    "F-score": ("f1", ""),
    "AUC": ("auc", ""),
    "Average Log Loss": ("log_loss", "log_loss"),
}
"""The metrics that Studio offers: what they are called for two classes, and for several."""

REGRESSION: Final[Mapping[str, str]] = {
    "Mean absolute error": "mae",
    "Root of mean squared error": "rmse",
    "Relative absolute error": "rae",
    "Relative squared error": "rse",
    "Coefficient of determination": "r2",
}


def metric_of(task: str, classification: str, regression: str) -> Metric:
    """The metric that was chosen for models of this task. Raises 0013 for a task that has none, 0002 for one it lacks."""
    if task == TASK_CLUSTERING:
        raise refused("0013", f"{task_of(task).title} is not supervised")
    name = REGRESSION[regression] if task == TASK_REGRESSION else ""
    if task != TASK_REGRESSION:
        name = CLASSIFICATION[classification][task == TASK_MULTICLASS]
    found = task_of(task).metric(name)
    if found is None:
        raise ModuleFailure(
            "0002", f'"{classification}" is not measured where there are several classes; use Accuracy.'
        )
    return found


def better(metric: Metric, value: float, than: float) -> bool:
    """Whether a value is better; one that is not defined is the worst."""
    if value != value or than != than:
        return value == value
    return value < than if metric.better == "lower" else value > than


def folds(
    dataset: Dataset, label: str, task: str, seed: int, count: int = FOLDS
) -> list[npt.NDArray[np.intp]]:
    """The rows of each fold, by position: as Partition and Sample has assigned them, or else at random.

    Classes are spread over the folds alike. Raises 0021 for fewer labelled rows than folds.
    """
    if dataset.folds:
        return [np.asarray(rows) for rows in dataset.folds if len(rows)]
    values = dataset.frame[label]
    known = np.flatnonzero(values.notna().to_numpy())
    if len(known) < count:
        raise refused("0021", f"{len(known)} rows with a label for {count} folds")
    order = np.random.Generator(np.random.PCG64(seed)).permutation(known)
    if task != TASK_REGRESSION:
        codes = pd.factorize(values, sort=True)[0][order]
        order = order[np.argsort(codes, kind="stable")]
    return [np.sort(order[at::count]) for at in range(count)]


def validated(untrained: UntrainedModel, dataset: Dataset, label: str, fold: npt.NDArray[np.intp]) -> Dataset:
    """The rows of a fold, scored by a model that is trained on all others."""
    inside = np.zeros(dataset.rows, dtype=bool)
    inside[fold] = True
    return scored(train(untrained, trainable(dataset, label)[~inside], label), Dataset(dataset.frame[inside]))


def judged(
    untrained: UntrainedModel,
    dataset: Dataset,
    label: str,
    against: Dataset | list[npt.NDArray[np.intp]],
) -> dict[str, float]:
    """All metrics on a validation dataset, or their means over folds."""
    if isinstance(against, Dataset):
        return measured(scored(train(untrained, trainable(dataset, label), label), against))
    found = [measured(validated(untrained, dataset, label, fold)) for fold in against]
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


def titled(task: str, values: Mapping[str, float]) -> dict[str, Any]:
    """Metrics by the titles that Studio gives them."""
    return {metric.title: values[metric.name] for metric in task_of(task).metrics}
