"""Centres of clusters; a row's scores are its distances to them: Euclidean, or, where `cosine` is 1, one minus the cosine."""

from __future__ import annotations

from typing import Final

from graph.libraries import np
from graph.models.arrays import (
    Arrays,
    Scores,
    chunks,
    expect,
    expect_rows,
    filled,
    product,
    squared_distances,
)

ARRAYS: Final = ("missing", "centres", "cosine")


def check(arrays: Arrays, width: int) -> int:
    centres, cosine = arrays["centres"], arrays["cosine"]
    expect_rows(arrays, width, "missing")
    expect(centres.dtype.kind == "f" and centres.ndim == 2 and centres.shape[1] == width and len(centres) > 0)
    expect(cosine.dtype.kind == "u" and cosine.shape == (1,) and int(cosine[0]) in (0, 1))
    return len(centres)


def scores(arrays: Arrays, matrix: Scores) -> Scores:
    centres = arrays["centres"]
    result = np.empty((len(matrix), len(centres)))
    for part in chunks(len(matrix), len(centres)):
        values = filled(matrix[part], arrays)
        if arrays["cosine"][0]:
            result[part] = 1 - product(on_sphere(values), on_sphere(centres).T)
        else:
            result[part] = np.sqrt(squared_distances(values, centres))
    return result


def on_sphere(values: Scores) -> Scores:
    """Each row with length one; one of zeros stays."""
    length = np.sqrt(np.cumsum(values**2, axis=1)[:, -1:])
    return np.asarray(values / np.where(length > 0, length, 1.0))
