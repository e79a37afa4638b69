"""What a model says of the rows of a dataset, beside them or alone; and how good that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graph.data.datasets import (
    TASK_BINARY,
    TASK_CLUSTERING,
    TASK_MULTICLASS,
    TASK_REGRESSION,
    Dataset,
    Scored,
    is_numeric,
)
from graph.data.frames import made_like, with_columns
from graph.errors import ModuleFailure, empty_input
from graph.libraries import Table, np
from graph.models.answers import (
    ASSIGNMENTS,
    DISTANCES,
    SCORED_LABELS,
    SCORED_PROBABILITIES,
    class_column,
)
from graph.models.features import level_text
from tasks import TASKS, Outcome, Task

if TYPE_CHECKING:
    from graph.models.ilearner import TrainedModel


def scored(model: TrainedModel, dataset: Dataset, *, append: bool = True) -> Dataset:
    """The dataset with the columns that scoring adds, or these alone."""
    columns = model.scored(dataset.frame)
    about = Scored(model.task, model.label.name, model.label.classes, model.learner)
    return Dataset((with_columns if append else made_like)(dataset.frame, columns), about)


def task_of(name: str) -> Task:
    """The task that models call so."""
    return TASKS["two-class" if name == TASK_BINARY else name]


def measured(dataset: Dataset) -> dict[str, float]:
    """The metrics of a scored dataset, by name; see its task. Rows without a label are left out."""
    assert dataset.scored is not None
    return dict(task_of(dataset.scored.task).measure(outcome(dataset)))


def outcome(dataset: Dataset) -> Outcome:
    """What was said of the rows of a scored dataset, beside what is so.

    Raises 0025 where there are no scores, 0039 where one is no number, 0024 where there is no label, 0003 where no row has
    one.
    """
    scored, frame = dataset.scored, dataset.frame
    task = scored.task if scored else ""
    if scored is None or (ASSIGNMENTS if task == TASK_CLUSTERING else SCORED_LABELS) not in frame.columns:
        raise ModuleFailure("0025", "There is no score column in the dataset.")
    if task == TASK_CLUSTERING:
        distances = [name for name in frame.columns if str(name).startswith(DISTANCES)]
        return Outcome(frame[ASSIGNMENTS].to_numpy(), scores=_numbers(frame, distances))
    if not scored.label or scored.label not in frame.columns:
        which = f'"{scored.label}" is missing' if scored.label else "the model was trained without one"
        raise ModuleFailure("0024", f"There is no label column in the dataset: {which}.")
    frame = frame[frame[scored.label].notna()]
    if frame.empty:
        raise empty_input("Scored dataset")
    if task == TASK_REGRESSION:
        if not is_numeric(frame[scored.label]):
            raise ModuleFailure("0024", f'There is no numeric label column "{scored.label}" in the dataset.')
        return Outcome(_numbers(frame, [SCORED_LABELS])[:, 0], frame[scored.label].to_numpy(dtype=np.float64))
    if task == TASK_MULTICLASS:
        actual, predicted = (
            frame[name].map(level_text).to_numpy(dtype=object) for name in (scored.label, SCORED_LABELS)
        )
        names = tuple(level_text(one) for one in scored.classes)
        return Outcome(predicted, actual, _numbers(frame, map(class_column, scored.classes)), names)
    actual, predicted = (
        (frame[name] == scored.classes[1]).to_numpy() for name in (scored.label, SCORED_LABELS)
    )
    return Outcome(predicted, actual, _numbers(frame, [SCORED_PROBABILITIES])[:, 0])


def _numbers(frame: Table, columns: Any) -> Any:
    names = list(columns)
    if not names or not set(names) <= set(frame.columns):
        raise ModuleFailure("0025", "There is no score column in the dataset.")
    found = frame[names].to_numpy(dtype="float64")
    if not np.isfinite(found).all():
        name = names[int((~np.isfinite(found)).any(axis=0).argmax())]
        raise ModuleFailure(
            "0039",
            f'Error while completing operation: column "{name}" has scores that are no numbers. '
            "The features are too large for the model: normalize them before it is trained.",
        )
    return found
