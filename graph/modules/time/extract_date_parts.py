"""Time: Extract Date Parts, which Studio did not have; there it took a script or SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from graph.data.datasets import Dataset, with_columns
from graph.data.dates import dates
from graph.errors import ModuleFailure
from graph.flow import Column, Columns
from graph.spec import Module, Parameter, Port

PARTS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "Year": lambda at: at.year,
    "Quarter": lambda at: at.quarter,
    "Month": lambda at: at.month,
    "Day": lambda at: at.day,
    "Weekday": lambda at: at.day_of_week + 1,
    "Day of year": lambda at: at.day_of_year,
    "Hour": lambda at: at.hour,
    "Minute": lambda at: at.minute,
    "Second": lambda at: at.second,
    "Days since 1970": lambda at: at.to_numpy().astype("datetime64[D]").astype("int64"),
}


class ExtractDateParts(Module):
    """Makes columns of numbers of a column of dates: its year, month, hour and others, called `column (Year)` and so on.

    Monday is weekday 1. A column of text is read as dates are written in ISO 8601 or .NET's invariant culture. Not of Studio,
    where this took a script or SQL.
    """

    name = "Extract Date Parts"
    inputs = (Port("Dataset"),)
    outputs = (Port("Results dataset"),)
    parameters = (
        Parameter("Date columns", "ColumnPicker"),
        Parameter("Parts", "String", "Year, Month, Day, Weekday, Hour"),
        Parameter("Keep date columns", "Boolean", False),
    )

    def check(self, parameters: Mapping[str, Any]) -> None:
        """See Module."""
        _parts(parameters)

    def run(self, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """See the class."""
        import numpy as np
        import pandas as pd

        dataset: Dataset = inputs["Dataset"]
        names = parameters["Date columns"].select(dataset.frame)
        made: dict[str, Any] = {}
        for name in names:
            found = dates(dataset.frame[name])
            missing = np.isnat(found)
            index = pd.DatetimeIndex(np.where(missing, np.datetime64(0, "us"), found))
            for part in _parts(parameters):
                values = np.asarray(PARTS[part](index), dtype=np.int64)
                made[f"{name} ({part})"] = np.where(missing, np.nan, values) if missing.any() else values
        frame = with_columns(dataset.frame, made)
        if not parameters["Keep date columns"]:
            frame = frame.drop(columns=names)
        return {"Results dataset": dataset.with_frame(frame)}

    def columns(self, inputs: Mapping[str, Columns], parameters: Mapping[str, Any]) -> Mapping[str, Columns]:
        """See Module."""
        dataset = inputs["Dataset"]
        chosen = dataset.selected(parameters["Date columns"])
        if chosen is None:
            return {}
        made = {f"{name} ({part})": Column() for name in chosen for part in _parts(parameters)}
        kept = dataset if parameters["Keep date columns"] else dataset.without(chosen)
        return {"Results dataset": kept.having(made)}


def _parts(parameters: Mapping[str, Any]) -> list[str]:
    spelt = {part.casefold(): part for part in PARTS}
    given = [part.strip() for part in parameters["Parts"].split(",")]
    for part in given:
        if part.casefold() not in spelt:
            raise ModuleFailure(
                "0002", f'Failed to parse "Parts" parameter value "{part}"; use some of: {", ".join(PARTS)}.'
            )
    return list(dict.fromkeys(spelt[part.casefold()] for part in given))
