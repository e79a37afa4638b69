"""Learners: modules whose output, an untrained model, says how to fit and how to write what was fitted.

A learner's file has its name, its parameters, `estimator` and, where its base has none, `export`. A parameter that Tune
Model Hyperparameters varies has a `sweep`: the default of a further parameter, which counts in the mode Parameter Range.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from graph.data.datasets import TASK_ANOMALY, TASK_BINARY, TASK_CLUSTERING, TASK_MULTICLASS, TASK_REGRESSION
from graph.errors import ModuleFailure
from graph.libraries import Array, Numbers
from graph.models.answers import IDENTITY, LOGISTIC, SOFTMAX
from graph.models.features import ONE_HOT
from graph.models.forms import ONNX
from graph.spec import UNTRAINED, Module, Parameter, Parameters, ParameterType, Port, Ports, choice

SMALL_MATRIX: Final = 2_000_000  # cells: about a year of flights

_MOST: Final = 1_000_000
SINGLE, RANGE = "Single Parameter", "Parameter Range"
MODE: Final = choice("Create trainer mode", SINGLE, RANGE, later=True)
SEED: Final = Parameter("Random number seed", "Int", 0, minimum=0, maximum=2**31 - 1)
UNKNOWN_LEVELS: Final = Parameter("Allow unknown categorical levels", "Boolean", True)
OUTPUTS: Final = (Port("Untrained model", UNTRAINED),)

_ROOMS: Final = {
    "initialize_two_class": (TASK_BINARY, 2, LOGISTIC),
    "initialize_multiclass": (TASK_MULTICLASS, 2, SOFTMAX),
    "initialize_regression": (TASK_REGRESSION, 0, IDENTITY),
    "initialize_clustering": (TASK_CLUSTERING, 0, IDENTITY),
    "initialize_anomaly": (TASK_ANOMALY, 0, LOGISTIC),
}
"""The task of a room's learners, the classes that a label has at least, and their link."""


@dataclass(frozen=True)
class Fitted:
    """What was fitted, as data: its form, its bytes, and the names of scores that the task does not tell."""

    data: bytes
    form: str = ONNX
    scores: tuple[str, ...] = ()


class Learner(Module):
    """Base of all learners. Its `estimator` has `fit(matrix, target)` and whatever `export` reads."""

    inputs: ClassVar[tuple[Port, ...]] = ()
    outputs = OUTPUTS
    task: ClassVar[str]
    """What it is trained for: the room that it is in says so, which also has what these mostly have."""
    link: ClassVar[str] = ""
    encoding: ClassVar[str] = ONE_HOT
    threads: ClassVar[bool] = False
    """Whether what it learns does not depend on the number of threads."""

    def __init_subclass__(cls) -> None:
        """Take from the room what the class does not say, and declare the ranges of what may be varied."""
        ranges = [_range(one) for one in cls.parameters if one.sweep]
        if ranges and MODE not in cls.parameters:
            cls.parameters = (*cls.parameters, MODE, *ranges)
        if found := _ROOMS.get(cls.__module__.split(".")[-2]):
            cls.task, cls.classes, link = found
            cls.link = cls.link or link

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        return {"Untrained model": UntrainedModel(self, parameters)}

    def encoded(self, parameters: Parameters) -> str:
        """How columns become a matrix."""
        return self.encoding

    def estimator(self, parameters: Parameters) -> Any:
        """A new estimator with these parameters."""
        raise TypeError(f"{type(self).__name__} does not define estimator()")

    def export(self, fitted: Any, width: int) -> Fitted:
        """The fitted estimator as data."""
        raise TypeError(f"{type(self).__name__} does not define export()")

    def unfit(self, target: Array) -> str:
        """Why it cannot be trained on this target; empty where it can."""
        return ""


def _range(one: Parameter) -> Parameter:
    kind: ParameterType = "IntRange" if one.type == "Int" else "FloatRange"
    return replace(one, name=f"{one.name} range", type=kind, default=one.sweep, sweep=(), later=True)


@dataclass(frozen=True)
class UntrainedModel:
    """A learner with its parameters."""

    module: Learner
    parameters: Parameters

    @property
    def learner(self) -> str:
        """The learner's name."""
        return self.module.name

    @property
    def task(self) -> str:
        """What it is trained for."""
        return self.module.task

    @property
    def encoding(self) -> str:
        """How columns become a matrix."""
        return self.module.encoded(self.parameters)

    @property
    def unknown_levels(self) -> bool:
        """Whether levels may come that training has not seen."""
        found = (value for name, value in self.parameters.items() if name.startswith("Allow unknown"))
        return bool(next(found, True))

    def estimator(self) -> Any:
        """A new estimator."""
        return self.module.estimator(self.parameters)

    def fit(self, matrix: Numbers, target: Array) -> Any:
        """A fitted estimator.

        A small matrix is fitted on one thread. The trees' OpenMP threads wait for each other by spinning, so
        that a second busy process on the machine makes a fit 10 to 100 times slower, while on an idle one a
        second thread gains a tenth (measured on a month of flights). BLAS always has one thread: its sums
        differ in the last bits by the number of threads, as do those of K-means. Trees come out the same either way.
        """
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        estimator = self.estimator()
        several = self.module.threads and matrix.size >= SMALL_MATRIX
        limits = {"blas": 1} if several else {"blas": 1, "openmp": 1}
        with threadpool_limits(limits=limits), _quiet():
            return estimator.fit(matrix, target)

    def export(self, fitted: Any, width: int) -> Fitted:
        """What was fitted, as data."""
        return self.module.export(fitted, width)

    def grid(self) -> dict[str, tuple[Any, ...]]:
        """The values of each parameter that is to be varied; none in the mode Single Parameter."""
        if self.parameters.get(MODE.name) != RANGE:
            return {}
        return {
            name.removesuffix(" range"): values
            for name, values in self.parameters.items()
            if name.endswith(" range")
        }

    @property
    def combinations(self) -> int:
        """How many combinations of the grid's values there are. Raises 0008 for more than a million."""
        found = math.prod(len(values) for values in self.grid().values())
        if found > _MOST:
            raise ModuleFailure("0008", f"The ranges have {found} combinations, more than {_MOST}.")
        return found

    def combination(self, number: int) -> tuple[dict[str, Any], UntrainedModel]:
        """The values of that combination, and the untrained model that has them."""
        chosen = {}
        for name, values in reversed(self.grid().items()):
            number, at = divmod(number, len(values))
            chosen[name] = values[at]
        ordered = dict(reversed(chosen.items()))
        return ordered, self.having(ordered)

    def having(self, values: Mapping[str, Any]) -> UntrainedModel:
        """With these parameters."""
        return replace(self, parameters={**self.parameters, **values, MODE.name: SINGLE})


def _quiet() -> Any:
    """That an iteration was stopped at the number of steps that its user asked for is no warning."""
    import contextlib
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    stack = contextlib.ExitStack()
    stack.enter_context(warnings.catch_warnings())
    warnings.simplefilter("ignore", ConvergenceWarning)
    return stack
