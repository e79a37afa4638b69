"""The forms that a fitted model's arithmetic has, a file each; a file here is a form, and no list names it.

    load(form, data, width, of)    the arithmetic, checked: a function of an encoded matrix

A form's file has `ARRAYS`, the names of its arrays, `check`, which raises InvalidModel for what does not belong together
and gives the number of scores, and `scores`. The two forms in ONNX, trees and linear, are those of `onnx_models`; forms that
are made of other models have `load` itself.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from graph.errors import InvalidModel
from graph.libraries import Numbers

if TYPE_CHECKING:
    Arithmetic = Callable[[Numbers], Numbers]

ONNX: Final = "onnx"


@cache
def known() -> frozenset[str]:
    """The names of all forms."""
    return frozenset({ONNX, *(found.name for found in pkgutil.iter_modules(__path__))})


def load(form: str, data: bytes, width: int, scores: int) -> Arithmetic:
    """From rows (rows × width, NaN where a value is missing) to raw scores: one a row, or *scores*.

    Raises InvalidModel for what is no such model, or gives another number of scores.
    """
    if form == ONNX:
        return _onnx(data, width, scores)
    if form not in known():
        raise InvalidModel(f'the form "{form}" is not known')
    file: Any = importlib.import_module(f"{__name__}.{form}")
    if hasattr(file, "load"):
        found: Arithmetic = file.load(data, width, scores)
        return found
    from graph.models.arrays import read

    arrays = read(data, file.ARRAYS)
    _agree(file.check(arrays, width), scores)

    def arithmetic(matrix: Numbers) -> Numbers:
        found: Numbers = file.scores(arrays, matrix)
        return found[:, 0] if scores == 1 else found

    return arithmetic


def _onnx(data: bytes, width: int, scores: int) -> Arithmetic:
    from graph.models import onnx_models

    onnx_models.check(data, width)
    _agree(1, scores)
    session = onnx_models.session(data)
    wanted: Sequence[str] = [onnx_models.OUTPUT]

    def arithmetic(matrix: Numbers) -> Numbers:
        found: Numbers = session.run(wanted, {onnx_models.INPUT: matrix})[0]
        return found[:, 0]

    return arithmetic


def _agree(found: int, scores: int) -> None:
    if found != scores:
        raise InvalidModel(f"the model gives {found} scores where its manifest has {scores}")
