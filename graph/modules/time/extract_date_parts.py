from collections.abc import Callable, Mapping
from typing import Any, Final

from graph.data.dates import dates
from graph.data.frames import with_columns
from graph.errors import ModuleFailure
from graph.flow import Column, Flow
from graph.libraries import Table, np
from graph.spec import Module, Parameter, Parameters

PARTS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "Year": lambda at: _since(at, "Y") + 1970,
    "Quarter": lambda at: _since(at, "M") % 12 // 3 + 1,
    "Month": lambda at: _since(at, "M") % 12 + 1,
    "Day": lambda at: _within(at, "M", "D") + 1,
    "Weekday": lambda at: (_since(at, "D") + 3) % 7 + 1,
    "Day of year": lambda at: _within(at, "Y", "D") + 1,
    "Hour": lambda at: _within(at, "D", "h"),
    "Minute": lambda at: _within(at, "h", "m"),
    "Second": lambda at: _within(at, "m", "s"),
    "Days since 1970": lambda at: _since(at, "D"),
}


class ExtractDateParts(Module):
    """Makes columns of numbers of a column of dates: its year, month, hour and others, called `column (Year)` and so on.

    Monday is weekday 1. A column of text is read as dates are written in ISO 8601 or .NET's invariant culture. Not of Studio,
    where this took a script or SQL.
    """

    name = "Extract Date Parts"
    on_arrays = True
    parameters = (
        Parameter("Date columns", "ColumnPicker"),
        Parameter("Parts", "String", "Year, Month, Day, Weekday, Hour"),
        Parameter("Keep date columns", "Boolean", False),
    )

    def check(self, parameters: Parameters) -> None:
        _parts(parameters)

    def change(self, frame: Table, parameters: Parameters) -> Table:
        names = parameters["Date columns"].select(frame)
        made: dict[str, Any] = {}
        for name in names:
            found = dates(frame[name])
            missing = np.isnat(found)
            found = np.where(missing, np.datetime64(0, "us"), found)
            for part in _parts(parameters):
                values = PARTS[part](found)
                made[f"{name} ({part})"] = np.where(missing, np.nan, values) if missing.any() else values
        return with_columns(frame, made).drop(columns=[] if parameters["Keep date columns"] else names)

    def columns(self, inputs: Flow, parameters: Parameters) -> Flow:
        dataset = inputs["Dataset"]
        chosen = dataset.selected(parameters["Date columns"])
        if chosen is None:
            return {}
        made = {f"{name} ({part})": Column() for name in chosen for part in _parts(parameters)}
        kept = dataset if parameters["Keep date columns"] else dataset.without(chosen)
        return {"Results dataset": kept.having(made)}


def _since(at: Any, unit: str) -> Any:
    """Whole years, months, days or hours from the beginning of 1970."""
    return at.astype(f"datetime64[{unit}]").astype("int64")


def _within(at: Any, whole: str, unit: str) -> Any:
    """How many units of its year, month, day, hour or minute have passed."""
    begun = at.astype(f"datetime64[{whole}]").astype(f"datetime64[{unit}]")
    return (at.astype(f"datetime64[{unit}]") - begun).astype("int64")


def _parts(parameters: Parameters) -> list[str]:
    spelt = {part.casefold(): part for part in PARTS}
    given = [part.strip() for part in parameters["Parts"].split(",")]
    for part in given:
        if part.casefold() not in spelt:
            raise ModuleFailure(
                "0002", f'Failed to parse "Parts" parameter value "{part}"; use some of: {", ".join(PARTS)}.'
            )
    return list(dict.fromkeys(spelt[part.casefold()] for part in given))
