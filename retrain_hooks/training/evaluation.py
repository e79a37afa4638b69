"""Reads the evaluation that a training run leaves: one header line, one row per evaluated model.

The first row is the new model's (Evaluate Model's first input). Names become plain words: ``auc``, ``f1``,
``log_loss``.
"""

from __future__ import annotations

import math
import re

from clients.errors import JobFailed
from tables import TableError, read

# Studio's column titles for what everybody calls otherwise.
_COMMON_NAMES = {"f_score": "f1", "f1_score": "f1", "average_log_loss": "log_loss"}


def read_metrics(content: bytes) -> dict[str, float | str]:
    """Metrics by name; a value that is not finite stays text, for JSON has no number for it.

    Raises JobFailed for anything that is not a table of numbers with one row at least, each with a name of its own.
    """
    try:
        table = read(content, "evaluation.csv")
        _line, first = next(table.rows())
        names = [_name(column) for column in table.columns]
        if len(set(names)) < len(names):
            raise ValueError("a metric is named twice")
        return {name: _number(value) for name, value in zip(names, first, strict=True)}
    except (StopIteration, TableError, ValueError):
        raise JobFailed(
            "the job's evaluation cannot be read",
            "look at the training experiment's Evaluate Model; nothing was bound",
        ) from None


def _name(column: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
    return _COMMON_NAMES.get(name, name)


def _number(value: str) -> float | str:
    number = float(value)
    return number if math.isfinite(number) else str(number)
