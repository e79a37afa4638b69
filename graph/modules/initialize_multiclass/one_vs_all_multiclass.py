from typing import Any

from graph.learning.several import Several, SeveralLearner
from graph.models.answers import SHARE
from graph.spec import Parameters


class OneVsAllMulticlass(SeveralLearner):
    """A two-class model for each class, against all others; a class's probability is its part of their sum."""

    name = "One-vs-All Multiclass"
    link = SHARE

    def estimator(self, parameters: Parameters) -> Any:
        return Several(
            self.inner(parameters), lambda target: [target == one for one in range(target.max() + 1)]
        )
