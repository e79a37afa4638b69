"""Reads the evaluation that a training run leaves: one header line, one row per evaluated model.

The first row is the new model's (Evaluate Model's first input). A metric of a task gets the name that gates' rules call it,
by Studio's title of it (``Root Mean Squared Error`` is ``rmse``); the names of others become plain words. Of a clustering,
which has a row for each cluster, it is the row of all together.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from clients.errors import JobFailed
from tables import TableError, read
from tasks import ROWS, by_title

# What others write for Studio's titles.
_COMMON_NAMES = {"f1_score": "f1"}
_DESCRIPTION, _ALL_CLUSTERS, _POINTS = "result_description", "combined evaluation", "number_of_points"


def read_metrics(content: bytes) -> dict[str, float | str]:
    """Metrics by name; a value that is not finite stays text, for JSON has no number for it.

    Raises JobFailed for anything that is not a table of numbers with one row at least, each with a name of its own.
    """
    try:
        table = read(content, "evaluation.csv")
        names = [_name(column) for column in table.columns]
        if len(set(names)) < len(names):
            raise ValueError("a metric is named twice")
        found = dict(zip(names, _first(names, [row for _line, row in table.rows()]), strict=True))
        found.pop(_DESCRIPTION, None)
        return {name: _number(value) for name, value in found.items()}
    except (IndexError, TableError, ValueError):
        raise JobFailed(
            "the job's evaluation cannot be read",
            "look at the training experiment's Evaluate Model; nothing was bound",
        ) from None


def _first(names: list[str], rows: Sequence[Sequence[str]]) -> Sequence[str]:
    """The row of the new model."""
    at = names.index(_DESCRIPTION) if _DESCRIPTION in names else None
    return next((row for row in rows if at is not None and row[at].strip().lower() == _ALL_CLUSTERS), rows[0])


def _name(column: str) -> str:
    known = by_title(column)
    if known and known != ROWS.name:  # runs have it on record as Studio calls it
        return known
    name = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
    return ROWS.name if name == _POINTS else _COMMON_NAMES.get(name, name)


def _number(value: str) -> float | str:
    number = float(value)
    return number if math.isfinite(number) else str(number)
