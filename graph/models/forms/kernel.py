"""Support vectors with a radial kernel, on standardised columns: offset + Σ weight · exp(-gamma · squared distance)."""

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

ARRAYS: Final = ("missing", "scale", "vectors", "weights", "gamma", "offset")


def check(arrays: Arrays, width: int) -> int:
    vectors, weights = arrays["vectors"], arrays["weights"]
    expect_rows(arrays, width, "missing", "scale")
    expect(bool((arrays["scale"] > 0).all()) and vectors.ndim == 2 and vectors.shape[1] == width)
    expect(len(vectors) > 0 and weights.shape == (len(vectors),) and bool((arrays["gamma"] > 0).all()))
    expect(arrays["gamma"].shape == arrays["offset"].shape == (1,))
    expect(all(arrays[name].dtype.kind == "f" for name in ARRAYS))
    return 1


def scores(arrays: Arrays, matrix: Scores) -> Scores:
    vectors = arrays["vectors"]
    result = np.empty((len(matrix), 1))
    for part in chunks(len(matrix), len(vectors)):
        values = (filled(matrix[part], arrays) - arrays["missing"]) / arrays["scale"]
        near = np.exp(-arrays["gamma"] * squared_distances(values, vectors))
        result[part] = product(near, arrays["weights"][:, None]) + arrays["offset"]
    return result
