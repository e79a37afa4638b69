"""How much a column says about a target, by Studio's measures; what is missing in either is left out.

A numeric column with a target that is none is held against the column's mean in each of the target's classes, as in
Studio. Mutual information and chi squared see numbers by tenths.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from graph.data.datasets import is_numeric
from graph.libraries import Numbers, Series, np, pd

COUNT: Final = "Count Based"
_CLASSES: Final = 10


def score(values: Series, target: Series, measure: str) -> float:
    """From 0 upwards; 0 where the measure has no use for such a column."""
    known = values.notna().to_numpy() & target.notna().to_numpy()
    values, target = values[known], target[known]
    if values.nunique() < 2 or target.nunique() < 2:
        return 0.0
    if measure in BY_GROUPS:
        return _finite(BY_GROUPS[measure](_groups(values), _groups(target)))
    if not is_numeric(values):
        return 0.0
    column = values.to_numpy(dtype=np.float64)
    if measure == "Fisher Score":
        return _finite(_fisher(column, _groups(target)))
    if is_numeric(target):
        other = target.to_numpy(dtype=np.float64)
    else:
        groups = _groups(target)
        other = (np.bincount(groups, column) / np.maximum(np.bincount(groups), 1))[groups]
    return _finite(abs(BY_NUMBERS[measure](column, other)))


def count(values: Series) -> int:
    """How many values of a numeric column are neither missing nor 0."""
    return int((values.notna() & (values != 0)).sum()) if is_numeric(values) else 0


def _pearson(one: Numbers, other: Numbers) -> float:
    one, other = one - one.mean(), other - other.mean()
    spread = float((one**2).sum() * (other**2).sum()) ** 0.5
    return float((one * other).sum()) / spread if spread > 0 else 0.0


def _spearman(one: Numbers, other: Numbers) -> float:
    from scipy.stats import rankdata

    return _pearson(rankdata(one), rankdata(other))


def _kendall(one: Numbers, other: Numbers) -> float:
    from scipy.stats import kendalltau

    return float(kendalltau(one, other).statistic)


def _mutual(one: Any, other: Any) -> float:
    from sklearn.metrics import mutual_info_score

    return float(mutual_info_score(one, other))


def _chi(one: Any, other: Any) -> float:
    table = np.zeros((one.max() + 1, other.max() + 1))
    np.add.at(table, (one, other), 1)
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    return float(((table - expected) ** 2 / expected).sum())


def _fisher(column: Numbers, groups: Any) -> float:
    sizes = np.bincount(groups)
    means = np.bincount(groups, column) / sizes
    between = float((sizes * (means - column.mean()) ** 2).sum())
    within = float(((column - means[groups]) ** 2).sum())
    return between / within if within > 0 else sys.float_info.max


def _groups(values: Series) -> Any:
    """The number of each value's group: a value, or a tenth of the numbers where there are more."""
    if is_numeric(values) and values.nunique() > _CLASSES:
        numbers = values.to_numpy(dtype=np.float64)
        edges = np.quantile(numbers, np.arange(1, _CLASSES) / _CLASSES, method="inverted_cdf")
        values = pd.Series(np.searchsorted(np.unique(edges), numbers, side="left"))
    return pd.factorize(values, sort=True)[0]


def _finite(found: float) -> float:
    return found if 0 <= found < float("inf") else 0.0


BY_NUMBERS: Final[Mapping[str, Callable[[Any, Any], float]]] = {
    "Pearson Correlation": _pearson,
    "Kendall Correlation": _kendall,
    "Spearman Correlation": _spearman,
}
BY_GROUPS: Final[Mapping[str, Callable[[Any, Any], float]]] = {
    "Mutual Information": _mutual,
    "Chi Squared": _chi,
}
MEASURES: Final = (
    "Pearson Correlation",
    "Mutual Information",
    "Kendall Correlation",
    "Spearman Correlation",
    "Chi Squared",
    "Fisher Score",
    COUNT,
)
