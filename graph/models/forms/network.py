"""Layers, each of all columns with all: a neural network, or, without a hidden layer, a linear model with several scores.

`sizes` are the widths of the layers, the input's first; `weights` (inputs × outputs of each layer, row by row) and
`offsets` are those of all layers, one after the other. Hidden layers are logistic; the last gives the scores.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final

from graph.libraries import np
from graph.models.answers import LOGISTIC, link
from graph.models.arrays import Arrays, Scores, chunks, expect, expect_rows, filled, product, write

ARRAYS: Final = ("missing", "sizes", "weights", "offsets")


def export(missing: Scores, weights: Sequence[Scores], offsets: Sequence[Scores]) -> bytes:
    """The form of layers whose `weights` are inputs × outputs."""
    sizes = [len(missing), *(len(offset) for offset in offsets)]
    return write(
        {
            "missing": missing,
            "sizes": np.array(sizes, np.int32),
            "weights": np.concatenate([np.ravel(layer) for layer in weights]),
            "offsets": np.concatenate(list(offsets)),
        }
    )


def check(arrays: Arrays, width: int) -> int:
    sizes, weights, offsets = (arrays[name] for name in ("sizes", "weights", "offsets"))
    expect_rows(arrays, width, "missing")
    expect(sizes.dtype.kind == "i" and sizes.ndim == 1 and len(sizes) >= 2 and bool((sizes > 0).all()))
    expect(int(sizes[0]) == width and weights.dtype.kind == offsets.dtype.kind == "f")
    wide = sizes.astype(np.int64)
    expect(weights.shape == (int((wide[:-1] * wide[1:]).sum()),) and offsets.shape == (int(wide[1:].sum()),))
    return int(sizes[-1])


def scores(arrays: Arrays, matrix: Scores) -> Scores:
    sizes = arrays["sizes"].tolist()
    layers, weight, offset = [], 0, 0
    for wide, out in itertools.pairwise(sizes):
        layers.append(
            (
                arrays["weights"][weight : weight + wide * out].reshape(wide, out),
                arrays["offsets"][offset : offset + out],
            )
        )
        weight, offset = weight + wide * out, offset + out
    result = np.empty((len(matrix), sizes[-1]))
    for part in chunks(len(matrix), max(sizes)):
        values = filled(matrix[part], arrays)
        for at, (weights, offsets) in enumerate(layers):
            values = product(values, weights) + offsets
            values = values if at == len(layers) - 1 else link(values, LOGISTIC)
        result[part] = values
    return result
