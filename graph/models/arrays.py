"""Fitted models as arrays: a head in JSON (name, type and shape of each) and their numbers, one after the other.

An array holds numbers of one of three types, and is checked before anything is made of it. What arrays a model has and how they belong together is for its
form (`graph.models.forms`).
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from graph.errors import InvalidModel
from graph.libraries import Array, Numbers, np

Arrays = Mapping[str, Array]
Scores = Numbers

_TYPES: Final = ("<f8", "<i4", "|u1")
_SIZE: Final = struct.Struct("<Q")
_SMALL: Final = 2**18
CELLS: Final = 2**21
"""How many numbers a step of scoring works on at once."""


def write(arrays: Arrays) -> bytes:
    """The arrays in the order in which they are given. Equal arrays give equal bytes."""
    head, parts = [], []
    for name, array in arrays.items():
        kind = {"f": "<f8", "i": "<i4", "u": "|u1"}[array.dtype.kind]
        head.append([name, kind, list(array.shape)])
        parts.append(np.ascontiguousarray(array, kind).tobytes())
    text = json.dumps(head).encode()
    return b"".join([_SIZE.pack(len(text)), text, *parts])


def read(data: bytes, names: Sequence[str]) -> dict[str, Array]:
    """The arrays of these names; raises InvalidModel for anything but as many whole arrays of finite numbers."""
    expect(len(data) >= _SIZE.size)
    at = _SIZE.size + _SIZE.unpack_from(data)[0]
    try:
        head: Any = json.loads(data[_SIZE.size : at]) if at <= len(data) else None
    except (ValueError, RecursionError):
        head = None
    expect(isinstance(head, list) and all(isinstance(one, list) and len(one) == 3 for one in head))
    expect([name for name, *_ in head] == list(names))
    found = {}
    for name, kind, shape in head:
        expect(kind in _TYPES and isinstance(shape, list) and len(shape) <= 2)
        expect(all(type(size) is int and 0 <= size <= len(data) for size in shape))
        count = math.prod(shape)
        end = at + count * np.dtype(kind).itemsize
        expect(end <= len(data))
        found[name] = np.frombuffer(data, kind, count, at).reshape(shape)
        expect(bool(np.isfinite(found[name]).all()))
        at = end
    expect(at == len(data))
    return found


def expect(holds: bool) -> None:
    """Raise InvalidModel where something about a model's arrays does not hold."""
    if not holds:
        raise InvalidModel("the model's arrays are inconsistent")


def expect_rows(arrays: Arrays, width: int, *names: str) -> None:
    """Raise InvalidModel unless each of these has one number for each of *width* columns."""
    expect(all(arrays[name].shape == (width,) and arrays[name].dtype.kind == "f" for name in names))


def filled(matrix: Scores, arrays: Arrays) -> Scores:
    """The rows with what stands for a missing value of each column."""
    return np.where(np.isnan(matrix), arrays["missing"], matrix)


def chunks(rows: int, cells: int) -> Iterator[slice]:
    """Parts of so many rows that a row's *cells* together are not too many."""
    step = max(1, CELLS // max(1, cells))
    return (slice(start, start + step) for start in range(0, rows, step))


def product(matrix: Scores, weights: Scores) -> Scores:
    """The matrix product, added in the order of the columns: BLAS adds in another one for another number of rows."""
    if matrix.size * weights.shape[1] <= _SMALL:
        return np.asarray(np.add.accumulate(matrix[:, :, None] * weights, axis=1)[:, -1])
    total = matrix[:, :1] * weights[0]
    for at in range(1, len(weights)):
        total += matrix[:, at, None] * weights[at]
    return np.asarray(total)


def squared_distances(matrix: Scores, points: Scores) -> Scores:
    """From each row to each point, added in the order of the columns."""
    total = (matrix[:, :1] - points[:, 0]) ** 2
    for at in range(1, points.shape[1]):
        total += (matrix[:, at, None] - points[:, at]) ** 2
    return np.asarray(total)
