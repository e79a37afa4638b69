"""Several models with one score each, asked in turn: one class against all others, or ranks above one after the other.

`of` is the form of each, `links` the link through which each gives a probability; `ranks` are the values of the steps that
the probabilities lead up to, none where each is that of a class.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graph.errors import InvalidModel
from graph.libraries import np
from graph.models.answers import LOGISTIC, SHARE, link
from graph.models.arrays import expect

if TYPE_CHECKING:
    from graph.models.forms import Arithmetic

_SIZE = struct.Struct("<Q")


def export(form: str, link_name: str, models: Sequence[bytes], ranks: Sequence[float] = ()) -> bytes:
    """The form of these models."""
    head = json.dumps({"of": form, "link": link_name, "ranks": list(ranks)}, allow_nan=False).encode()
    return b"".join(part for one in (head, *models) for part in (_SIZE.pack(len(one)), one))


def load(data: bytes, width: int, scores: int) -> Arithmetic:
    from graph.models import forms

    head, *models = _parts(data)
    try:
        about = json.loads(head)
        form, through, ranks = about["of"], about["link"], about["ranks"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvalidModel("the model's head is damaged") from None
    expect(through in (LOGISTIC, SHARE) and form != "several" and isinstance(form, str))
    expect(
        isinstance(ranks, list) and all(_is_number(rank) for rank in ranks) and ranks == sorted(set(ranks))
    )
    expect(
        len(models) == (len(ranks) - 1 if ranks else scores)
        and len(models) > 0
        and scores == (1 if ranks else scores)
    )
    each = [forms.load(form, one, width, 1) for one in models]

    def arithmetic(matrix: Any) -> Any:
        chances = np.column_stack([link(one(matrix), through) for one in each])
        if not ranks:
            return chances if scores > 1 else chances[:, 0]
        # The rank above which a row is with a probability of at least one half, step after step.
        return np.array(ranks)[(chances >= 0.5).sum(axis=1)]

    return arithmetic


def _parts(data: bytes) -> list[bytes]:
    parts, at = [], 0
    while at < len(data):
        expect(at + _SIZE.size <= len(data))
        (size,) = _SIZE.unpack_from(data, at)
        at += _SIZE.size
        expect(size <= len(data) - at)
        parts.append(data[at : at + size])
        at += size
    expect(len(parts) > 1)
    return parts


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
