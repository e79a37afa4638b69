"""Rows at random and by strata, equally on each machine: what splits and samples have in common."""

from __future__ import annotations

from typing import Final

from graph.columns import ColumnSelection
from graph.errors import ModuleFailure
from graph.libraries import Array, Table, np, pd
from graph.spec import Parameter, Parameters

SEED: Final = Parameter("Random seed", "Int", 0, minimum=0, maximum=2**31 - 1)


def generator(seed: int) -> np.random.Generator:
    """Random numbers that the seed alone determines."""
    return np.random.Generator(np.random.PCG64(seed))


def strata(frame: Table, parameters: Parameters, suffix: str = "") -> list[Array]:
    """Row positions of each stratum, or of all rows; a missing key is a stratum of its own."""
    everything = np.arange(len(frame))
    if not parameters[f"Stratified split{suffix}"]:
        return [everything]
    name = f"Stratification key column{suffix}"
    selection: ColumnSelection | None = parameters[name]
    if selection is None:
        raise ModuleFailure("0003", f'Parameter "{name}" is null or empty.')
    codes = pd.factorize(frame[selection.one(frame, name)], sort=True)[0]
    return [everything[codes == code] for code in np.unique(codes)]
