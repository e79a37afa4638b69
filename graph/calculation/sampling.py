"""Rows at random and by strata, equally on each machine: what splits and samples have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from graph.columns import ColumnSelection
from graph.errors import ModuleFailure
from graph.spec import Parameter

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

SEED: Final = Parameter("Random seed", "Int", 0, minimum=0, maximum=2**31 - 1)


def generator(seed: int) -> np.random.Generator:
    """Random numbers that the seed alone determines."""
    import numpy as np

    return np.random.Generator(np.random.PCG64(seed))


def strata(
    frame: pd.DataFrame, parameters: Mapping[str, Any], suffix: str = ""
) -> list[np.ndarray[Any, Any]]:
    """Row positions of each stratum, or of all rows; a missing key is a stratum of its own."""
    import numpy as np
    import pandas as pd

    everything = np.arange(len(frame))
    if not parameters[f"Stratified split{suffix}"]:
        return [everything]
    name = f"Stratification key column{suffix}"
    selection: ColumnSelection | None = parameters[name]
    if selection is None:
        raise ModuleFailure("0003", f'Parameter "{name}" is null or empty.')
    codes = pd.factorize(frame[selection.one(frame, name)], sort=True)[0]
    return [everything[codes == code] for code in np.unique(codes)]
