"""Fitting a learner to a dataset with a label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from graph.data.datasets import (
    TASK_ANOMALY,
    TASK_BINARY,
    TASK_MULTICLASS,
    Dataset,
    is_numeric,
    net_type,
    plain,
)
from graph.errors import InvalidModel, ModuleFailure, bad_target
from graph.learning.untrained import UntrainedModel
from graph.libraries import Array, Numbers, Series, Table, np, pd
from graph.models.features import Feature, describe, encode, width
from graph.models.ilearner import Label, TrainedModel


def train(untrained: UntrainedModel, frame: Table, label: str | None) -> TrainedModel:
    """Fit and export; rows without a label are left out.

    Raises 0134 when no row is labelled, 0023 for a label the learner can't be trained on, 0017 for a column
    that is neither numeric nor categorical.
    """
    described, matrix, target, features = prepare(untrained, frame, label)
    fitted = untrained.export(untrained.fit(matrix, target), width(features, untrained.encoding))
    model = TrainedModel(
        learner=untrained.learner,
        task=untrained.task,
        link=untrained.module.link,
        encoding=untrained.encoding,
        unknown_levels=untrained.unknown_levels,
        label=described,
        features=features,
        example={feature.name: plain(frame[feature.name].iloc[0]) for feature in features},
        arithmetic=fitted.data,
        form=fitted.form,
        scores=fitted.scores,
    )
    try:
        return model.prepare()
    except InvalidModel:
        raise ModuleFailure(
            "1000",
            f"Library exception: {untrained.learner} found no finite model; bring the columns to a common scale first.",
        ) from None


def trainable(dataset: Dataset, label: str | None) -> Table:
    """The dataset without the columns that are marked as no features, which the label need not be."""
    return dataset.frame.drop(columns=[n for n in dataset.marked("Nothing", "Weight") if n != label])


def prepare(
    untrained: UntrainedModel, frame: Table, label: str | None
) -> tuple[Label, Numbers, Array, tuple[Feature, ...]]:
    """The label, feature matrix, target vector and features that the learner is fitted to."""
    if label is not None:
        missing = frame[label].isna()
        if missing.any():
            frame = frame[~missing]
        if frame.empty:
            raise ModuleFailure(
                "0134", f'Label column "{label}" is missing or has insufficient number of labeled rows.'
            )
        described, target = _target(frame[label], untrained)
    else:
        described, target = UNLABELLED.get(untrained.task, Label("", "Double")), np.zeros(len(frame))
    features = describe(frame, label)
    matrix = encode(frame, features, untrained.encoding)
    # scikit-learn's binning fails on a column without a single value; as a constant it is never split on.
    matrix[:, np.isnan(matrix).all(axis=0)] = 0.0
    return described, matrix, target, features


UNLABELLED: Final[Mapping[str, Label]] = {TASK_ANOMALY: Label("", "Int32", (0, 1))}
"""What a model that is trained without a label says instead of one."""


def _target(values: Series, untrained: UntrainedModel) -> tuple[Label, Array]:
    """The label and what is fitted: numbers, or positions among its classes in their order."""
    name, wanted = str(values.name), _CLASSES.get(untrained.task)
    if wanted is None:
        if not is_numeric(values):
            raise bad_target(name, untrained.learner, f"it is {net_type(values)}, not numeric")
        target = values.to_numpy(dtype=np.float64)
        if not np.isfinite(target).all():
            raise bad_target(name, untrained.learner, "it has infinite values")
        if why := _constant(target) or untrained.module.unfit(target):
            raise bad_target(name, untrained.learner, why)
        return Label(name, "Double"), target
    codes, found = pd.factorize(values, sort=True)
    classes = [plain(value) for value in found]
    if None in classes:
        odd = found[classes.index(None)]
        raise bad_target(name, untrained.learner, f"it has the value {odd}, which is no class")
    if len(classes) not in wanted:
        seen = ", ".join(str(value) for value in classes[:5])
        least = "two" if wanted == range(2, 3) else "two or more (at most 1000)"
        raise bad_target(
            name, untrained.learner, f"it needs {least} distinct values and has {len(classes)} ({seen})"
        )
    return Label(name, net_type(values), tuple(classes)), codes


_CLASSES: Final = {TASK_BINARY: range(2, 3), TASK_ANOMALY: range(2, 3), TASK_MULTICLASS: range(2, 1001)}
"""How many classes the label of a task may have."""


def _constant(target: Array) -> str:
    return f"all its values are {target[0]:g}" if target.min() == target.max() else ""
