"""From columns to the matrix a learner works on, the same way in training and in scoring.

A numeric column is one column of the matrix. A categorical column is either one column holding the position of
its level (`ordinal`: for trees) or one 0/1 column a level (`one-hot`: for linear models). Missing values and,
where the learner allows them, levels never seen in training are NaN in the first case and all zero in the
second. Everything is float64, so that scikit-learn and ONNX compare against the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from graph.data.datasets import is_numeric, net_type
from graph.data.frames import Values, is_categorical
from graph.errors import column_not_found, column_type, refused
from graph.libraries import Numbers, Series, Table, np
from tables import number

ORDINAL: Final = "ordinal"
ONE_HOT: Final = "one-hot"

Kind = Literal["numeric", "categorical"]


@dataclass(frozen=True)
class Feature:
    """One feature column: its name, .NET type, kind and, when categorical, its levels as text, in order."""

    name: str
    type: str
    kind: Kind
    levels: tuple[str, ...] = ()

    def position(self, value: Any) -> float:
        """The place of a value among the levels; NaN where it is missing or none of them."""
        if (known := self._positions.get(value)) is not None:
            return known
        if value is None or value != value:
            return math.nan
        text = level_text(value)
        if text not in self._positions and self._numbers:
            # The column held numbers: however a row writes one, it is that level.
            text = self._numbers.get(_canonical(text), text)
        return self._positions.get(text, math.nan)

    @cached_property
    def _positions(self) -> Mapping[str, float]:
        return {level: float(at) for at, level in enumerate(self.levels)}

    @cached_property
    def _numbers(self) -> Mapping[int | float | None, str]:
        """The levels by their numbers; none where not all of them are numbers."""
        found = {_canonical(level): level for level in self.levels}
        return {} if None in found else found


def level_text(value: Any) -> str:
    """A category level as text; whole numbers read the same whether stored as integer or floating point."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def describe(frame: Table, label: str | None) -> tuple[Feature, ...]:
    """The features of a training dataset: every column but the label, if there is one.

    Raises 0017 for a text column that is not categorical, 0020 when there is no feature at all.
    """
    features = []
    for name in frame.columns:
        if name == label:
            continue
        values = frame[name]
        if is_categorical(values) and net_type(values) != "DateTime":
            seen = np.unique(values.cat.codes.to_numpy())
            levels = tuple(level_text(values.cat.categories[code]) for code in seen if code >= 0)
            features.append(Feature(name, net_type(values), "categorical", levels))
        elif is_numeric(values):
            features.append(Feature(name, net_type(values), "numeric"))
        else:
            raise column_type(name, net_type(values), "numeric or categorical columns")
    if not features:
        raise refused("0020", "there is no feature column")
    return tuple(features)


def width(features: Sequence[Feature], encoding: str) -> int:
    """The number of columns of the matrix."""
    if encoding == ORDINAL:
        return len(features)
    return sum(len(f.levels) if f.kind == "categorical" else 1 for f in features)


def encode(frame: Table, features: Sequence[Feature], encoding: str, unknown_levels: bool = True) -> Numbers:
    """The matrix (rows × width) of these features.

    Raises 0001 for a missing column, 0017 for one of another type, 0018 for a level not seen in training when
    unknown levels are not allowed.
    """
    matrix = np.empty((len(frame), width(features, encoding)), dtype=np.float64)
    at = 0
    for feature in features:
        if feature.name not in frame.columns:
            raise column_not_found(feature.name)
        values = frame[feature.name]
        if feature.kind == "numeric":
            if not is_numeric(values):
                raise column_type(feature.name, net_type(values), "a numeric column, as in training")
            matrix[:, at] = values.to_numpy()
            at += 1
            continue
        codes = _codes(values, feature, unknown_levels)
        if encoding == ORDINAL:
            matrix[:, at] = codes
            at += 1
        else:
            levels = np.arange(len(feature.levels))
            matrix[:, at : at + len(levels)] = codes[:, None] == levels
            at += len(levels)
    return matrix


def _canonical(text: str) -> int | float | None:
    try:
        return number(text)
    except ValueError:
        return None


def _codes(values: Series | Values, feature: Feature, unknown_levels: bool) -> Numbers:
    """Position of each value among the feature's levels, NaN when missing or unknown."""
    if isinstance(values, Values):
        cells = values.tolist()
        table = {cell: feature.position(cell) for cell in dict.fromkeys(cells)}
        codes = np.array([table[cell] for cell in cells], np.float64)
        levels: Any = not unknown_levels and [
            cell for cell, code in table.items() if math.isnan(code) and cell is not None and cell == cell
        ]
    else:
        category = (values if is_categorical(values) else values.astype("category")).cat
        # One more entry at the end: the code -1 of a missing value finds it.
        places = np.array([*map(feature.position, category.categories), np.nan])
        found = category.codes.to_numpy()
        codes = places[found]
        levels = category.categories[np.unique(found[np.isnan(codes) & (found >= 0)])]
    if not unknown_levels and len(levels):
        raise refused(
            "0018",
            f'column "{feature.name}" has the level "{level_text(levels[0])}", '
            "which the model was not trained with",
        )
    return codes
