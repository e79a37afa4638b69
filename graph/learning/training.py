"""Fitting a learner to a dataset with a label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graph.errors import ModuleFailure, bad_target
from graph.learning.untrained import UntrainedModel
from graph.models.features import Feature, describe, encode, width
from graph.models.ilearner import IDENTITY, LOGISTIC, Label, TrainedModel
from graph.tables import TASK_BINARY, is_numeric, net_type

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd


def train(untrained: UntrainedModel, frame: pd.DataFrame, label: str) -> TrainedModel:
    """Fit and export; rows without a label are left out.

    Raises 0134 when no row is labelled, 0023 for a label the learner can't be trained on, 0017 for a column
    that is neither numeric nor categorical.
    """
    described, matrix, target, features = prepare(untrained, frame, label)
    fitted = untrained.fit(matrix, target)
    return TrainedModel(
        learner=untrained.learner,
        task=untrained.task,
        link=LOGISTIC if untrained.task == TASK_BINARY else IDENTITY,
        encoding=untrained.encoding,
        unknown_levels=untrained.unknown_levels,
        label=described,
        features=features,
        example={feature.name: _plain(frame[feature.name].iloc[0]) for feature in features},
        onnx=untrained.export(fitted, width(features, untrained.encoding)),
    )


def prepare(
    untrained: UntrainedModel, frame: pd.DataFrame, label: str
) -> tuple[Label, npt.NDArray[np.float64], npt.NDArray[Any], tuple[Feature, ...]]:
    """The label, feature matrix, target vector and features that the learner is fitted to."""
    import numpy as np

    missing = frame[label].isna()
    if missing.any():
        frame = frame[~missing]
    if frame.empty:
        raise ModuleFailure(
            "0134", f'Label column "{label}" is missing or has insufficient number of labeled rows.'
        )
    described, target = _target(frame[label], untrained)
    features = describe(frame, label)
    matrix = encode(frame, features, untrained.encoding)
    # scikit-learn's binning fails on a column without a single value; as a constant it is never split on.
    matrix[:, np.isnan(matrix).all(axis=0)] = 0.0
    return described, matrix, target, features


def _target(values: pd.Series[Any], untrained: UntrainedModel) -> tuple[Label, npt.NDArray[Any]]:
    import numpy as np
    import pandas as pd

    name = str(values.name)
    if untrained.task != TASK_BINARY:
        if not is_numeric(values):
            raise bad_target(name, untrained.learner, f"it is {net_type(values)}, not numeric")
        target = values.to_numpy(dtype=np.float64)
        if not np.isfinite(target).all():
            raise bad_target(name, untrained.learner, "it has infinite values")
        return Label(name, "Double"), target
    codes, found = pd.factorize(values, sort=True)
    classes = [_plain(value) for value in found]
    if len(classes) != 2:
        seen = ", ".join(str(value) for value in classes[:5])
        raise bad_target(
            name, untrained.learner, f"it needs two distinct values and has {len(classes)} ({seen})"
        )
    return Label(name, net_type(values), tuple(classes)), codes


def _plain(value: Any) -> Any:
    """A cell as a JSON value; missing and infinite ones as null."""
    import numpy as np

    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if isinstance(value, str | int | float) else None
