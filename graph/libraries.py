"""numpy, pandas and others, each imported when something of it is first used: a graph is read where none is installed."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__all__ = ["Array", "Numbers", "Series", "Table", "learner", "np", "npt", "pd", "special"]


def learner(path: str) -> Any:
    """scikit-learn's class at that path, such as `linear_model.Ridge`; its types are not told."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(f"sklearn.{module}"), name)


class _Late:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        found = getattr(importlib.import_module(self._name), name)
        setattr(self, name, found)
        return found


if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    from scipy import special

    Array = npt.NDArray[Any]
    Numbers = npt.NDArray[np.float64]
    Series = pd.Series[Any]
    Table = pd.DataFrame
else:
    np, npt, pd, special = map(_Late, ("numpy", "numpy.typing", "pandas", "scipy.special"))
    Array = Numbers = Series = Table = Any
