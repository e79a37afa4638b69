from typing import Any, Final

from graph.data.datasets import Dataset, is_numeric
from graph.flow import Column, Columns, Flow
from graph.libraries import Series, pd
from graph.spec import Module, Parameters, Ports

_PERCENTILES: Final = {"P0.5": 0.005, "P1": 0.01, "P5": 0.05, "P95": 0.95, "P99.5": 0.995}
_STATISTICS: Final = (
    *("Min", "Max", "Mean", "Mean Deviation", "1st Quartile", "Median", "3rd Quartile", "Mode", "Range"),
    *("Sample Variance", "Sample Standard Deviation", "Sample Skewness", "Sample Kurtosis", *_PERCENTILES),
)
_COUNTS: Final = ("Feature", "Count", "Unique Value Count", "Missing Value Count")


class SummarizeData(Module):
    """A row of statistics for each column: counts, and for numbers their spread, without missing ones."""

    name = "Summarize Data"

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        frame = inputs["Dataset"].frame
        rows = [_summary(str(name), frame[name]) for name in frame.columns]
        return {"Results dataset": Dataset(pd.DataFrame(rows, columns=[*_COUNTS, *_STATISTICS]))}

    def columns(self, inputs: Flow, parameters: Parameters) -> Flow:
        return {"Results dataset": Columns({name: Column() for name in (*_COUNTS, *_STATISTICS)}, "none")}


def _summary(name: str, values: Series) -> dict[str, Any]:
    known = values.dropna()
    row: dict[str, Any] = dict(
        zip(_COUNTS, (name, len(values), known.nunique(), len(values) - len(known)), strict=True)
    )
    if not is_numeric(values) or known.empty:
        return row | dict.fromkeys(_STATISTICS, float("nan"))
    numbers = known.astype("float64")
    first, median, third = (float(numbers.quantile(share)) for share in (0.25, 0.5, 0.75))
    low, high, mean = float(numbers.min()), float(numbers.max()), float(numbers.mean())
    spread = float((numbers - mean).abs().mean())
    found = (low, high, mean, spread, first, median, third, float(numbers.mode().iloc[0]), high - low)
    sample = (numbers.var(), numbers.std(), numbers.skew(), numbers.kurt())
    percentiles = (float(numbers.quantile(share)) for share in _PERCENTILES.values())
    return row | dict(zip(_STATISTICS, (*found, *map(_number, sample), *percentiles), strict=True))


def _number(value: Any) -> float:
    return float(value)
