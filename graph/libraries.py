"""numpy and pandas, each imported when something of it is first used: a graph is read where neither is installed."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__all__ = ["Array", "Numbers", "Series", "np", "npt", "pd"]


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

    Array = npt.NDArray[Any]
    Numbers = npt.NDArray[np.float64]
    Series = pd.Series[Any]
else:
    np, npt, pd = _Late("numpy"), _Late("numpy.typing"), _Late("pandas")
    Array = Numbers = Series = Any
