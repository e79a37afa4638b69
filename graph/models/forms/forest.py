"""Trees with several numbers in each leaf (with one they are ONNX): the mean over the trees, or, with `quantiles`, quantiles of all leaves together.

A node is a leaf where both its children are itself; every other child comes after its parent, so that there is no cycle.
Columns are compared in single precision, as scikit-learn's forests do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from graph.libraries import np
from graph.models.arrays import Arrays, Scores, chunks, expect, write

ARRAYS: Final = ("roots", "column", "threshold", "left", "right", "missing_left", "values", "quantiles")


_LARGEST: Final = float(np.finfo(np.float32).max)


def export(trees: Sequence[Any], values: Sequence[Scores], quantiles: Sequence[float] = ()) -> bytes:
    """The form of scikit-learn's `trees`, with *values* (nodes × numbers) of each.

    Where what is missing parts from all else their threshold is infinite.
    """
    starts = np.cumsum([0, *(tree.node_count for tree in trees)])
    left, right = [], []
    for tree, start in zip(trees, starts, strict=False):
        own = np.arange(tree.node_count)
        leaf = tree.children_left < 0
        left.append(np.where(leaf, own, tree.children_left) + start)
        right.append(np.where(leaf, own, tree.children_right) + start)
    arrays = {
        "roots": starts[:-1],
        "column": np.concatenate([np.maximum(tree.feature, 0) for tree in trees]),
        "threshold": np.clip(np.concatenate([tree.threshold for tree in trees]), -_LARGEST, _LARGEST),
        "left": np.concatenate(left),
        "right": np.concatenate(right),
        "missing_left": np.concatenate([tree.missing_go_to_left for tree in trees]).astype(np.uint8),
        "values": np.concatenate(list(values)),
        "quantiles": np.array(quantiles, np.float64),
    }
    return write(arrays)


def check(arrays: Arrays, width: int) -> int:
    roots, column, left, right = (arrays[name] for name in ("roots", "column", "left", "right"))
    values, quantiles = arrays["values"], arrays["quantiles"]
    nodes = len(values)
    kinds = [arrays[name].dtype.kind for name in ARRAYS]
    expect(kinds == ["i", "i", "f", "i", "i", "u", "f", "f"] and values.ndim == 2 and values.shape[1] > 0)
    expect(all(arrays[name].shape == (nodes,) for name in ARRAYS[1:6]))
    expect(roots.ndim == 1 and len(roots) > 0 and bool(((roots >= 0) & (roots < nodes)).all()))
    own = np.arange(nodes)
    leaf = (left == own) & (right == own)
    expect(bool((leaf | ((left > own) & (right > own) & (left < nodes) & (right < nodes))).all()))
    expect(bool(((column >= 0) & (column < width)).all()))
    expect(quantiles.ndim == 1 and bool(((quantiles >= 0) & (quantiles <= 1)).all()))
    return len(quantiles) or values.shape[1]


def scores(arrays: Arrays, matrix: Scores) -> Scores:
    values, quantiles = arrays["values"], arrays["quantiles"]
    trees = len(arrays["roots"])
    result = np.empty((len(matrix), len(quantiles) or values.shape[1]))
    for part in chunks(len(matrix), trees * values.shape[1]):
        leaves = _leaves(arrays, matrix[part])
        if len(quantiles):
            result[part] = _pooled(values[leaves].reshape(len(leaves), -1), quantiles)
            continue
        total = values[leaves[:, 0]]
        for tree in range(1, trees):
            total = total + values[leaves[:, tree]]
        result[part] = total / trees
    return result


def _leaves(arrays: Arrays, matrix: Scores) -> Any:
    """The leaf of each row in each tree."""
    single = np.clip(matrix, -_LARGEST, _LARGEST).astype(np.float32)
    at = np.broadcast_to(arrays["roots"], (len(matrix), len(arrays["roots"])))
    rows = np.arange(len(matrix))[:, None]
    while True:
        found = single[rows, arrays["column"][at]]
        left = np.where(np.isnan(found), arrays["missing_left"][at] == 1, found <= arrays["threshold"][at])
        below = np.where(left, arrays["left"][at], arrays["right"][at])
        if np.array_equal(below, at):
            return at
        at = below


def _pooled(samples: Scores, quantiles: Scores) -> Scores:
    """Quantiles of each row's samples, between neighbours in proportion."""
    ordered = np.sort(samples, axis=1)
    place = quantiles * (ordered.shape[1] - 1)
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, ordered.shape[1] - 1)
    return np.asarray(ordered[:, below] + (ordered[:, above] - ordered[:, below]) * (place - below))
