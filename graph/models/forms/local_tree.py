"""A tree of linear classifiers, those on a row's way added up: Σ tanh(sharpness · v·x) · w·x, after Jose et al. (2013).

`weights` has a column for each node that decides (θ: to the left where θ·x > 0), then one for each node's v, then one for
each node's w; `offsets` has their constants. Nodes are numbered from the root by levels, a node's children are 2n+1 and 2n+2.
"""

from __future__ import annotations

from typing import Final

from graph.libraries import np
from graph.models.arrays import Arrays, Scores, chunks, expect, expect_rows, filled, product

ARRAYS: Final = ("missing", "weights", "offsets", "sharpness", "depth")
MOST_LEVELS: Final = 12


def nodes(depth: int) -> tuple[int, int]:
    """How many nodes of a tree decide, and how many there are."""
    return 2**depth - 1, 2 ** (depth + 1) - 1


def check(arrays: Arrays, width: int) -> int:
    expect_rows(arrays, width, "missing")
    depth = arrays["depth"]
    expect(depth.dtype.kind == "i" and depth.shape == (1,) and 1 <= int(depth[0]) <= MOST_LEVELS)
    deciding, every = nodes(int(depth[0]))
    columns = deciding + 2 * every
    expect(arrays["weights"].shape == (width, columns) and arrays["offsets"].shape == (columns,))
    expect(arrays["sharpness"].shape == (1,) and bool((arrays["sharpness"] > 0).all()))
    expect(all(arrays[name].dtype.kind == "f" for name in ARRAYS[:-1]))
    return 1


def scores(arrays: Arrays, matrix: Scores) -> Scores:
    depth = int(arrays["depth"][0])
    deciding, every = nodes(depth)
    result = np.zeros((len(matrix), 1))
    for part in chunks(len(matrix), len(arrays["offsets"])):
        values = product(filled(matrix[part], arrays), arrays["weights"]) + arrays["offsets"]
        rows, node = np.arange(len(values)), np.zeros(len(values), dtype=np.int64)
        for level in range(depth + 1):
            local = np.tanh(arrays["sharpness"] * values[rows, deciding + node])
            result[part, 0] += local * values[rows, deciding + every + node]
            if level < depth:
                node = 2 * node + np.where(values[rows, node] > 0, 1, 2)
    return result
