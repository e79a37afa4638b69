import math

from graph.fitting import ChangesColumns, Learnt
from graph.libraries import Numbers, np
from graph.spec import TRANSFORMATION, Parameter, Parameters, Port, choice

METHODS = ("ZScore", "MinMax", "Logistic", "LogNormal", "TanH")


class NormalizeData(ChangesColumns):
    """Brings numeric columns to a common scale: with mean and deviation (of the population), between 0 and 1, and others.

    A column without a deviation becomes 0 where that is asked for, else it is left as it is. LogNormal gives the
    distribution's share below a value; values up to 0 have none below them.
    """

    name = "Normalize Data"
    outputs = (Port("Transformed dataset"), Port("Transformation function", TRANSFORMATION))
    parameters = (
        choice("Transformation method", *METHODS),
        Parameter("Use 0 for constant columns when checked", "Boolean", True),
        Parameter("Columns to transform", "ColumnPicker", None),
    )
    picks = "Columns to transform"
    learns = {"columns": {"*": {"method": str, "shift": float, "scale": float}}}

    def learn(self, values: Numbers, parameters: Parameters) -> Learnt:
        method = parameters["Transformation method"]
        shift, scale = 0.0, 1.0
        if method == "ZScore":
            shift, scale = float(values.mean()), float(values.std())
        elif method == "MinMax":
            shift, scale = float(values.min()), float(values.max() - values.min())
        elif method == "LogNormal" and (values > 0).any():
            logarithms = np.log(values[values > 0])
            shift, scale = float(logarithms.mean()), float(logarithms.std())
        # The deviation of equal numbers is not always exactly 0.
        if scale <= abs(shift) * 1e-15 or values.min() == values.max() or not math.isfinite(scale):
            method, shift = (
                ("Zero", 0.0) if parameters["Use 0 for constant columns when checked"] else ("", 0.0)
            )
            scale = 1.0
        return {"method": method, "shift": shift, "scale": scale}

    def changed(self, values: Numbers, learnt: Learnt) -> Numbers:
        shift, scale = learnt["shift"], learnt["scale"]
        with np.errstate(all="ignore"):
            match learnt["method"]:
                case "ZScore" | "MinMax":
                    return np.asarray((values - shift) / scale)
                case "Logistic":
                    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -700, 700))))
                case "LogNormal":
                    from scipy.special import ndtr

                    share = ndtr((np.log(np.maximum(values, 0)) - shift) / scale)
                    return np.where(np.isnan(values), np.nan, share)
                case "TanH":
                    return np.tanh(values)
                case "Zero":
                    return np.where(np.isnan(values), np.nan, 0.0)
        return values
