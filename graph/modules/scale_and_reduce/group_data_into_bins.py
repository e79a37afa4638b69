import math
from collections.abc import Sequence
from typing import Any

from graph.data.frames import category_like, made_like, with_columns
from graph.errors import ModuleFailure, unparsed
from graph.fitting import Fits, Learnt, finite, numbers, present, untold
from graph.flow import Column, Flow
from graph.libraries import Table, np
from graph.spec import TRANSFORMATION, Parameter, Parameters, Port, choice
from graph.steps import Made
from tables import real

MODES = ("Quantiles", "Equal Width", "Custom Edges", "Equal Width with Custom Start and Stop")
APPEND, IN_PLACE, RESULT_ONLY = "Append", "Inplace", "ResultOnly"
_MOST = 10_000


class GroupDataIntoBins(Fits):
    """Gives each number of the selected columns the number of its bin, the first being 1; what is missing is missing.

    A bin's edge belongs to the bin below it. Entropy MDL is not offered.
    """

    name = "Group Data into Bins"
    outputs = (Port("Quantized dataset"), Port("Binning transformation", TRANSFORMATION))
    on_arrays = True
    parameters = (
        choice("Binning mode", *MODES),
        Parameter("Number of bins", "Int", 10, minimum=1, maximum=_MOST),
        Parameter(
            "Quantile normalization", "Enumerated", "QuantileIndex", ("Percent", "PQuantile", "QuantileIndex")
        ),
        Parameter("First edge position", "Float", 0.0),
        Parameter("Bin width", "Float", 0.5, above=0),
        Parameter("Last edge position", "Float", 1.0),
        Parameter("Comma-separated list of bin edges", "String", ""),
        Parameter("Columns to bin", "ColumnPicker", None),
        choice("Output mode", APPEND, IN_PLACE, RESULT_ONLY),
        Parameter("Tag columns as categorical", "Boolean", True),
    )
    learns = {
        "columns": {"*": {"edges": [float], "bins": [float], "to": str}},
        "only": bool,
        "categorical": bool,
    }

    def check(self, parameters: Parameters) -> None:
        _edges_given(parameters)

    def fit(self, frame: Table, parameters: Parameters) -> Learnt:
        edges = _edges_given(parameters)
        mode, output = parameters["Output mode"], parameters["Binning mode"]
        columns = {}
        count = parameters["Number of bins"]
        for name, known in finite(frame, parameters["Columns to bin"]).items():
            if output == "Quantiles" and len(known):
                edges = np.quantile(known, np.arange(1, count) / count, method="inverted_cdf").tolist()
            elif output == "Equal Width" and len(known):
                edges = np.linspace(known.min(), known.max(), count + 1)[1:-1].tolist()
            edges = sorted(set(edges))
            bins = [float(at) for at in range(1, len(edges) + 2)]
            share = {"Percent": 100.0, "PQuantile": 1.0}.get(parameters["Quantile normalization"])
            if output == "Quantiles" and share:
                bins = [at * share / (len(edges) + 2) for at in bins]
            to = name if mode == IN_PLACE else f"{name}quantized"
            columns[name] = {"edges": edges, "bins": bins, "to": to}
        categorical = parameters["Tag columns as categorical"]
        return {"columns": columns, "only": mode == RESULT_ONLY, "categorical": categorical}

    def apply(self, frame: Table, learnt: Learnt) -> Table:
        made: dict[str, Any] = {}
        for _name, column, each in present(frame, learnt):
            values = numbers(column)
            codes = np.searchsorted(np.array(each["edges"]), values, side="left")
            bins = np.array(each["bins"])
            missing = np.isnan(values)
            if learnt["categorical"]:
                whole = (bins == np.round(bins)).all()
                levels = bins.astype(np.int64) if whole else bins
                made[each["to"]] = category_like(frame, np.where(missing, -1, codes), levels)
            else:
                made[each["to"]] = np.where(missing, np.nan, bins[np.minimum(codes, len(bins) - 1)])
        return made_like(frame, made) if learnt["only"] else with_columns(frame, made)

    def makes(self, learnt: Learnt) -> Sequence[Made]:
        return [((name,), (each["to"],)) for name, each in learnt["columns"].items()]

    def columns(self, inputs: Flow, parameters: Parameters) -> Flow:
        dataset = inputs["Dataset"]
        chosen = dataset.selected(parameters["Columns to bin"])
        mode = parameters["Output mode"]
        if chosen is None:
            return {} if mode == RESULT_ONLY else {"Quantized dataset": dataset.changed(None, untold).open()}
        suffix = "" if mode == IN_PLACE else "quantized"
        made = {name + suffix: (dataset.find(name) or Column()).then(untold) for name in chosen}
        result = dataset.having(made)
        return {"Quantized dataset": result.only(made) if mode == RESULT_ONLY else result}


def _edges_given(parameters: Parameters) -> list[float]:
    """The edges that the parameters have; raises 0002, 0007 or 0008 where these are none."""
    mode = parameters["Binning mode"]
    if mode == "Custom Edges":
        name = "Comma-separated list of bin edges"
        try:
            edges = [real(each) for each in parameters[name].split(",")]
        except ValueError:
            raise unparsed(name, parameters[name], "not numbers") from None
        if edges != sorted(set(edges)) or not all(map(math.isfinite, edges)):
            raise ModuleFailure(
                "0008", f'Parameter "{name}": the edges are not in order, from lowest to highest.'
            )
        return edges
    if mode != MODES[3]:
        return []
    first, width, last = (parameters[n] for n in ("First edge position", "Bin width", "Last edge position"))
    steps = (last - first) / width
    if not 0 <= steps <= _MOST:
        raise ModuleFailure(
            "0008",
            f'From "First edge position" {first} to "Last edge position" {last} there are not 1 to {_MOST} bins.',
        )
    return [first + width * at for at in range(math.floor(steps + 1e-9) + 1)]
