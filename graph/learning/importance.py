"""How much a model depends on each column: by how much it gets worse when the column's values are shuffled among rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graph.learning.scoring import measured, scored
from graph.libraries import np

if TYPE_CHECKING:
    from graph.data.datasets import Dataset
    from graph.models.ilearner import TrainedModel
    from tasks import Metric


def importance(
    model: TrainedModel, dataset: Dataset, metric: Metric, seed: int, columns: Sequence[str]
) -> dict[str, float]:
    """The loss of the metric by column, the most important first; greater for what the model needs more.

    It is positive for a loss whatever the metric's direction. The same seed shuffles alike.
    """
    sign = -1 if metric.better == "lower" else 1
    whole = measured(scored(model, dataset))[metric.name]
    generator = np.random.Generator(np.random.PCG64(seed))
    scores = {}
    for name in columns:
        shuffled = dataset.frame[name].array[generator.permutation(dataset.rows)]
        found = measured(scored(model, dataset.with_frame(dataset.frame.assign(**{name: shuffled}))))
        scores[name] = sign * (whole - found[metric.name])
    return dict(sorted(scores.items(), key=lambda each: -each[1]))
