"""Learners that are made of another one, for two classes, that they are connected to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graph.data.datasets import TASK_BINARY
from graph.errors import refused
from graph.learning.untrained import Fitted, Learner, UntrainedModel
from graph.libraries import Array, Numbers
from graph.spec import UNTRAINED, Parameters, Port, Ports

_INNER = "Untrained binary classification model"


class Several:
    """Fits the inner learner once for each two-class target that *targets* makes of the label."""

    def __init__(
        self, inner: UntrainedModel, targets: Callable[[Array], list[Any]], *, ranks: bool = False
    ) -> None:
        self.inner, self.targets, self.ranked = inner, targets, ranks

    def fit(self, matrix: Numbers, target: Array) -> Several:
        """Fit them all."""
        self.fitted = [self.inner.fit(matrix, one.astype("int64")) for one in self.targets(target)]
        self.ranks = sorted(set(target.tolist())) if self.ranked else []
        return self


class SeveralLearner(Learner):
    """Base of these learners."""

    inputs = (Port(_INNER, UNTRAINED),)

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        """See Module. Columns are as the inner learner has them."""
        inner: UntrainedModel = inputs[_INNER]
        if inner.task != TASK_BINARY:
            raise refused("0013", f"{inner.learner} is not for two classes")
        unknown = {"Allow unknown categorical levels": inner.unknown_levels}
        return {"Untrained model": UntrainedModel(self, {**parameters, **unknown, _INNER: inner})}

    def inner(self, parameters: Parameters) -> UntrainedModel:
        """The learner that it is connected to."""
        found: UntrainedModel = parameters[_INNER]
        return found

    def encoded(self, parameters: Parameters) -> str:
        return self.inner(parameters).encoding

    def export(self, fitted: Several, width: int) -> Fitted:
        from graph.models.forms.several import export

        parts = [fitted.inner.export(one, width) for one in fitted.fitted]
        link = fitted.inner.module.link
        return Fitted(export(parts[0].form, link, [one.data for one in parts], fitted.ranks), "several")
