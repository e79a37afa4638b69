"""What a model says of a row, by its task: from the raw scores of its arithmetic to the columns that scoring adds.

Every sum is made in order, column by column, and no function is of a library that adds in blocks: a row alone gets, to
the last bit, what it gets in a table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from graph.data.datasets import TASK_ANOMALY, TASK_BINARY, TASK_CLUSTERING, TASK_MULTICLASS, TASK_REGRESSION
from graph.libraries import Array, Numbers, np
from graph.models.features import level_text

LOGISTIC: Final = "logistic"
IDENTITY: Final = "identity"
EXPONENTIAL: Final = "exponential"
SOFTMAX: Final = "softmax"
SHARE: Final = "share"

LINKS: Final[Mapping[str, tuple[str, ...]]] = {
    TASK_BINARY: (LOGISTIC, SHARE),
    TASK_REGRESSION: (IDENTITY, EXPONENTIAL),
    TASK_MULTICLASS: (SOFTMAX, SHARE),
    TASK_CLUSTERING: (IDENTITY,),
    TASK_ANOMALY: (LOGISTIC, SHARE),
}
"""Which links a model of a task may have."""

SCORED_LABELS: Final = "Scored Labels"
SCORED_PROBABILITIES: Final = "Scored Probabilities"
ASSIGNMENTS: Final = "Assignments"
DISTANCES: Final = "DistancesToClusterCenter no."

_BEYOND: Final = 700
"""Where the exponential overflows a Double; a probability is 0 or 1 in double precision there anyway."""


def link(raw: Numbers, name: str) -> Numbers:
    """From raw scores to probabilities, values or distances. One score a row, or for `softmax` and `share` several."""
    return _LINKS[name](raw)


def _logistic(raw: Numbers) -> Numbers:
    return np.asarray(1.0 / (1.0 + np.exp(-np.minimum(np.maximum(raw, -_BEYOND), _BEYOND))))


def _exponential(raw: Numbers) -> Numbers:
    return np.asarray(np.exp(np.clip(raw, -_BEYOND, _BEYOND)))


def _softmax(raw: Numbers) -> Numbers:
    return _share(np.exp(np.clip(raw - raw.max(axis=1, keepdims=True), -_BEYOND, 0)))


def _share(raw: Numbers) -> Numbers:
    """One score a row is a share already; of several each is taken as its part of their sum."""
    if raw.ndim == 1:
        return np.asarray(np.clip(raw, 0.0, 1.0))
    whole = np.cumsum(raw, axis=1)[:, -1:]
    return np.where(whole > 0, raw / np.where(whole > 0, whole, 1.0), 1.0 / raw.shape[1])


_LINKS: Final[Mapping[str, Callable[[Numbers], Numbers]]] = {
    LOGISTIC: _logistic,
    IDENTITY: lambda raw: raw,
    EXPONENTIAL: _exponential,
    SOFTMAX: _softmax,
    SHARE: _share,
}


def class_column(value: Any) -> str:
    """The column with the probability of that class, as Studio calls it."""
    return f'{SCORED_PROBABILITIES} for Class "{level_text(value)}"'


def columns(
    task: str, label_type: str, classes: Sequence[Any], scores: Sequence[str]
) -> list[tuple[str, str]]:
    """The columns that scoring adds, with their .NET types."""
    double = [(name, "Double") for name in scores]
    match task:
        case "regression":
            return [*double, (SCORED_LABELS, "Double")]
        case "multiclass":
            return [*((class_column(one), "Double") for one in classes), (SCORED_LABELS, label_type)]
        case "clustering":
            return [(ASSIGNMENTS, "Int32"), *double]
        case _:
            return [(SCORED_LABELS, label_type), (SCORED_PROBABILITIES, "Double")]


def answer(
    values: Numbers, task: str, label_type: str, classes: Sequence[Any], scores: Sequence[str]
) -> dict[str, Array]:
    """The columns by name, from linked scores.

    The positive class is said where its probability is at least 0.5; of several classes the likeliest, of several
    quantiles that in the middle, of clusters the nearest; of equals the first.
    """
    names = np.array(classes, dtype=object if label_type == "String" else None)
    if scores:  # one of them too is a column of several
        values = values.reshape(len(values), len(scores))
    match task:
        case "regression" if scores:
            found = {name: values[:, at] for at, name in enumerate(scores)}
            return {**found, SCORED_LABELS: values[:, len(scores) // 2]}
        case "regression":
            return {SCORED_LABELS: values}
        case "multiclass":
            found = {class_column(one): values[:, at] for at, one in enumerate(classes)}
            return {**found, SCORED_LABELS: names[values.argmax(axis=1)]}
        case "clustering":
            nearest = values.argmin(axis=1).astype(np.int32)
            return {ASSIGNMENTS: nearest, **{name: values[:, at] for at, name in enumerate(scores)}}
        case _:
            return {SCORED_LABELS: names[(values >= 0.5).astype(int)], SCORED_PROBABILITIES: values}
