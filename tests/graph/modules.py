"""Calling one module on tables, as a graph would."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from graph.data.datasets import Dataset
from graph.modules import find
from graph.spec import REQUIRED
from graph.steps import Step

FRAME = pd.DataFrame(
    {
        "n": [1.0, np.nan, 3.0, 4.0, 5.0, 6.0],
        "i": [1, 2, 3, 4, 5, 6],
        "s": ["a", "b", None, "b", "c", "c"],
        "c": pd.Categorical(["u", "v", "u", None, "v", "u"]),
        "d": ["2015-10-08", "10/09/2015 14:30", None, "2016-02-29T23:59:59", "2017-01-01", "2018-12-31"],
        "y": [0, 1, 0, 1, 1, 1],
    }
)
"""A column of each kind, with missing values."""


def call(module: str, *tables: Any, check: bool = True, **given: Any) -> dict[str, Any]:
    """Its outputs by port; tables by its ports in order, parameters by name with `_` for blanks and `__` for `-`."""
    found = find(module)
    assert found is not None, module
    values = {p.name: p.default for p in found.parameters}
    names = {p.name.replace(" ", "_").replace("-", "__"): p for p in found.parameters}
    for name, value in given.items():
        values[names[name].name] = names[name].parse(value)
    assert not [name for name, value in values.items() if value is REQUIRED]
    if check:
        found.check(values)
    inputs = {
        port.name: Dataset(table) if isinstance(table, pd.DataFrame) else table
        for port, table in zip(found.inputs, tables, strict=False)
        if table is not None
    }
    return dict(found.run(inputs, values))


def table(module: str, *tables: Any, **given: Any) -> pd.DataFrame:
    """The first output's table."""
    first = next(iter(call(module, *tables, **given).values()))
    assert isinstance(first, Dataset)
    return first.frame


def refit(outputs: dict[str, Any], frame: pd.DataFrame) -> pd.DataFrame:
    """What was learnt, done to another table."""
    step = next(value for value in outputs.values() if isinstance(value, Step))
    return table("Apply Transformation", Step.read(step.data()), frame)
