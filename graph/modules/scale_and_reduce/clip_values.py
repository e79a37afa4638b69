from collections.abc import Sequence
from typing import Any, Final

from graph.data.frames import with_columns
from graph.errors import ModuleFailure
from graph.fitting import Fits, Learnt, finite, numbers, present, untold
from graph.flow import Column, Flow
from graph.libraries import Numbers, Table, np
from graph.spec import TRANSFORMATION, Parameter, Parameters, Port, choice
from graph.steps import Made

PEAKS, SUBPEAKS, BOTH = "ClipPeaks", "ClipSubPeaks", "ClipPeaksAndSubPeaks"
_SIDES: Final = {"upper": (PEAKS, "Upper", "peaks"), "lower": (SUBPEAKS, "Lower", "subpeaks")}
_HOW: Final = ("Constant", "Percentile")
_BY: Final = ("Threshold", "Mean", "Median", "Missing")


def _side(side: str, constant: float, percentile: int) -> tuple[Parameter, ...]:
    _, title, what = _SIDES[side]
    return (
        choice(f"{title} threshold", *_HOW),
        Parameter(f"Constant value of {side} threshold", "Float", constant),
        Parameter(f"Constant value for {side} threshold", "Float", constant),
        Parameter(f"Percentile number of {side} threshold", "Int", percentile, minimum=1, maximum=99),
        Parameter(f"Percentile number for {side} threshold", "Int", percentile, minimum=1, maximum=99),
        choice(f"{title} substitute value", *_BY),
        choice(f"Substitute value for {what}", *_BY),
    )


class ClipValues(Fits):
    """Replaces numbers above, below or outside of thresholds, which are constants or percentiles of the column.

    Studio has two parameters of each kind: those called "of", "Upper" and "Lower" are for one threshold, the others for both.
    Percentiles, means and medians are those of the data that it was fitted to; the transformation, which Studio does not
    offer here, does it to other rows.
    """

    name = "Clip Values"
    outputs = (Port("Results dataset"), Port("Clipping transformation", TRANSFORMATION))
    on_arrays = True
    parameters = (
        choice("Set of thresholds", PEAKS, SUBPEAKS, BOTH),
        choice("Threshold", *_HOW),
        *_side("upper", 1.0, 99),
        *_side("lower", -1.0, 1),
        Parameter("List of columns", "ColumnPicker", None),
        Parameter("Overwrite flag", "Boolean", True),
        Parameter("Add indicator columns", "Boolean", False),
    )
    learns = {
        "columns": {"*": {side: ({}, {"at": float, "by": (float, None)}) for side in _SIDES}},
        "overwrite": bool,
        "indicators": bool,
    }

    def fit(self, frame: Table, parameters: Parameters) -> Learnt:
        columns = {}
        for name, known in finite(frame, parameters["List of columns"]).items():
            if len(known):
                columns[name] = {side: _threshold(known, parameters, side) for side in _SIDES}
                low, high = (columns[name][side].get("at") for side in ("lower", "upper"))
                if low is not None and high is not None and low > high:
                    raise ModuleFailure(
                        "0008", f'The lower threshold {low} of "{name}" is above the upper {high}.'
                    )
        overwrite, indicators = parameters["Overwrite flag"], parameters["Add indicator columns"]
        return {"columns": columns, "overwrite": overwrite, "indicators": indicators}

    def apply(self, frame: Table, learnt: Learnt) -> Table:
        made: dict[str, Any] = {}
        for name, column, each in present(frame, learnt):
            values = numbers(column)
            clipped, changed = values, np.zeros(len(values), bool)
            for side, outside in (("upper", np.greater), ("lower", np.less)):
                if each[side]:
                    beyond, by = outside(values, each[side]["at"]), each[side]["by"]
                    clipped = np.where(beyond, np.nan if by is None else by, clipped)
                    changed = changed | beyond
            if column.dtype.kind in "iu" and (clipped == np.round(clipped)).all():
                clipped = clipped.astype("int64")
            made[name if learnt["overwrite"] else f"{name}_clipped"] = clipped
            if learnt["indicators"]:
                made[f"{name}_clipped_indicator"] = changed
        return with_columns(frame, made)

    def makes(self, learnt: Learnt) -> Sequence[Made]:
        suffixes = ["" if learnt["overwrite"] else "_clipped", *["_clipped_indicator"] * learnt["indicators"]]
        return [((name,), tuple(name + suffix for suffix in suffixes)) for name in learnt["columns"]]

    def columns(self, inputs: Flow, parameters: Parameters) -> Flow:
        dataset = inputs["Dataset"]
        chosen = dataset.selected(parameters["List of columns"])
        if chosen is None:
            return {"Results dataset": dataset.changed(None, untold).open()}
        made = {name: (dataset.find(name) or Column()).then(untold) for name in chosen}
        if not parameters["Overwrite flag"]:
            made = {f"{name}_clipped": column for name, column in made.items()}
        if parameters["Add indicator columns"]:
            made |= {f"{name}_clipped_indicator": Column() for name in chosen}
        return {"Results dataset": dataset.having(made)}


def _threshold(known: Numbers, parameters: Parameters, side: str) -> dict[str, float | None]:
    """Where a column is clipped on this side and what takes the place of what is beyond; empty where it is not."""
    alone, title, what = _SIDES[side]
    kind = parameters["Set of thresholds"]
    if kind not in (alone, BOTH):
        return {}
    word = "for" if kind == BOTH else "of"
    how = parameters["Threshold" if kind == BOTH else f"{title} threshold"]
    by = parameters[f"Substitute value for {what}" if kind == BOTH else f"{title} substitute value"]
    if how == "Constant":
        at = float(parameters[f"Constant value {word} {side} threshold"])
    else:
        at = float(np.percentile(known, parameters[f"Percentile number {word} {side} threshold"]))
    other = {"Threshold": at, "Mean": float(known.mean()), "Median": float(np.median(known)), "Missing": None}
    return {"at": at, "by": other[by]}
