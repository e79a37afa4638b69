"""An untrained model: a learner with its settings, which says how to fit and how to write what was fitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from graph.spec import UNTRAINED, Parameter, Port

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SMALL_MATRIX: Final = 2_000_000  # cells: about a year of flights

SEED: Final = Parameter("Random number seed", "Int", 0, minimum=0, maximum=2**31 - 1)
UNKNOWN_LEVELS: Final = Parameter("Allow unknown categorical levels", "Boolean", True)
OUTPUTS: Final = (Port("Untrained model", UNTRAINED),)


@dataclass(frozen=True)
class UntrainedModel:
    """A learner with its settings. `estimator()` gives a new scikit-learn estimator; `export` writes it as ONNX."""

    learner: str
    task: str
    encoding: str
    unknown_levels: bool
    estimator: Callable[[], Any]
    export: Callable[[Any, int], bytes]

    def fit(self, matrix: npt.NDArray[np.float64], target: npt.NDArray[Any]) -> Any:
        """A fitted estimator.

        A small matrix is fitted on one thread. The trees' OpenMP threads wait for each other by spinning, so
        that a second busy process on the machine makes a fit 10 to 100 times slower, while on an idle one a
        second thread gains a tenth (measured on a month of flights). BLAS always has one thread: its sums
        differ in the last bits by the number of threads. Trees come out the same either way.
        """
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        estimator = self.estimator()
        limits = {"blas": 1, "openmp": 1} if matrix.size < SMALL_MATRIX else {"blas": 1}
        with threadpool_limits(limits=limits):
            return estimator.fit(matrix, target)
