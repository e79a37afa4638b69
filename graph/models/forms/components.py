"""Principal components; a row's score is how much of it they leave unexplained.

It is error / (error + usual), of the standardised columns: 0.5 where the squared error is the usual one.
"""

from __future__ import annotations

from typing import Final

from graph.libraries import np
from graph.models.arrays import Arrays, Scores, chunks, expect, expect_rows, filled, product

ARRAYS: Final = ("missing", "shift", "scale", "components", "usual")


def check(arrays: Arrays, width: int) -> int:
    components, usual = arrays["components"], arrays["usual"]
    expect_rows(arrays, width, "missing", "shift", "scale")
    expect(bool((arrays["scale"] > 0).all()) and components.ndim == 2 and components.shape[1] == width)
    expect(len(components) > 0 and usual.shape == (1,) and bool((usual > 0).all()))
    expect(components.dtype.kind == usual.dtype.kind == "f")
    return 1


def scores(arrays: Arrays, matrix: Scores) -> Scores:
    result = np.empty((len(matrix), 1))
    for part in chunks(len(matrix), matrix.shape[1]):
        error = errors(arrays, matrix[part])
        result[part, 0] = error / (error + arrays["usual"])
    return result


def errors(arrays: Arrays, matrix: Scores) -> Scores:
    """The squared distance of each row to the space of the components."""
    values = (filled(matrix, arrays) - arrays["shift"]) / arrays["scale"]
    components = np.ascontiguousarray(arrays["components"])
    left = values - product(product(values, np.ascontiguousarray(components.T)), components)
    return np.asarray(np.cumsum(left**2, axis=1)[:, -1])
