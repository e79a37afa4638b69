"""Machine Learning / Initialize Model: One-vs-All Multiclass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graph.data.datasets import TASK_MULTICLASS
from graph.learning.several import Several, SeveralLearner
from graph.models.answers import SHARE


class OneVsAllMulticlass(SeveralLearner):
    """A two-class model for each class, against all others; a class's probability is its part of their sum."""

    name = "One-vs-All Multiclass"
    task = TASK_MULTICLASS
    link = SHARE
    classes = 2

    def estimator(self, parameters: Mapping[str, Any]) -> Any:
        """See Learner."""
        return Several(
            self.inner(parameters), lambda target: [target == one for one in range(target.max() + 1)]
        )
