"""Measures a model on held-out rows: scores them on an endpoint and compares with what really happened.

Two models are compared on the same rows, whatever each was trained and evaluated on. What happened is said by an
expression over one column of the data, such as ``arr_delay >= 15``; that column is never sent to the endpoint.
"""

from __future__ import annotations

import csv
import io
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from clients.errors import ConfigurationError, ServiceError
from clients.protocols import Scoring
from clients.storage import Container
from retrain_hooks.gate import Evidence
from retrain_hooks.lifecycle import Guard

# Studio's names of what Score Model adds.
_LABELS = "Scored Labels"
_PROBABILITIES = "Scored Probabilities"
_BATCH_ROWS = 1000
_REQUESTS = 4  # a classic endpoint of the lowest throttle level answers four calls at a time

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
}
_EXPRESSION = re.compile(
    r"\s*(?P<column>.*?\S)\s*(?P<op>>=|>|<=|<|==)\s*(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))\s*"
)
_EMPTY = ("", "na", "nan", "null")
_TRUTH = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}

Row = Mapping[str, str | None]


@dataclass(frozen=True)
class Label:
    """What happened to a row: whether *column* *op* *number* holds."""

    column: str
    op: str
    number: float

    @classmethod
    def parse(cls, text: object) -> Label:
        """Read an expression. Raises ConfigurationError saying how one is written."""
        found = _EXPRESSION.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            raise ConfigurationError(
                f"{text!r} does not say which rows of the holdout are positive",
                "write it like arr_delay >= 15",
            )
        return cls(found["column"], found["op"], float(found["number"]))

    def of(self, value: str) -> bool:
        """The label of a row with this *value*. Raises ValueError for one that is no number."""
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(value)
        return _OPERATORS[self.op](number, self.number)


@dataclass(frozen=True)
class Holdout:
    """The *rows* to score, without the label's column, and the *labels* that belong to them."""

    rows: Sequence[Row]
    labels: Sequence[bool]

    @classmethod
    def read(cls, data: Container, blobs: Mapping[str, str], label: Label) -> Holdout:
        """Read CSV *blobs* (ETags by name) with a header each. Rows whose label column is empty are left out; empty
        cells are null.

        Raises ConfigurationError for a blob that is not what it was, or has no column of numbers for the label.
        """
        rows: list[Row] = []
        labels: list[bool] = []
        for blob, etag in blobs.items():
            content, now = data.read(blob)
            if now != etag:
                raise ConfigurationError(
                    f"the holdout {blob} was changed while it was read", "run the update again"
                )
            text = content.decode("utf-8-sig", errors="replace")
            reader = csv.DictReader(io.StringIO(text, newline=""))
            if label.column not in (reader.fieldnames or ()):
                raise ConfigurationError(
                    f"the holdout {blob} has no column {label.column!r}",
                    "correct the gate's label, or the holdout's path and version",
                )
            for row in reader:
                happened = (row.pop(label.column) or "").strip()
                if happened.lower() in _EMPTY:
                    continue
                try:
                    labels.append(label.of(happened))
                except ValueError:
                    raise ConfigurationError(
                        f"the holdout {blob} has {happened!r} in the column {label.column!r}, line {reader.line_num}",
                        "give the label's column numbers only",
                    ) from None
                rows.append({name: row[name] or None for name in reader.fieldnames or () if name in row})
        return cls(rows, labels)

    @property
    def problem(self) -> str:
        """Why nothing can be measured on it, where that is so."""
        if not self.rows:
            return "the holdout has no rows"
        if len(set(self.labels)) == 1:
            which = "positive" if self.labels[0] else "negative"
            return f"all {len(self.rows)} rows of the holdout are {which}, so that auc is undefined"
        return ""

    def measure(self, scoring: Scoring, guard: Guard) -> Evidence:
        """The metrics of the model behind *scoring*, on all rows; *guard* is asked before each batch.

        Raises UpdateCancelled, ServiceError where the endpoint's answer is not one row for each, with labels and probabilities.
        """
        if self.problem:
            return Evidence({"rows": len(self.rows)}, self.problem)
        batches = [self.rows[at : at + _BATCH_ROWS] for at in range(0, len(self.rows), _BATCH_ROWS)]
        with ThreadPoolExecutor(_REQUESTS, "holdout") as pool:
            scores = [
                score
                for batch in pool.map(lambda rows: _score(scoring, rows, guard), batches)
                for score in batch
            ]
        predicted, probabilities = zip(*scores, strict=True)
        if wrong := sum(not 0.0 <= probability <= 1.0 for probability in probabilities):
            return Evidence(
                {"rows": len(self.rows)},
                f"{wrong} of {len(self.rows)} scored probabilities do not lie between 0 and 1",
            )
        return Evidence(metrics(self.labels, predicted, probabilities))


def _score(scoring: Scoring, rows: Sequence[Row], guard: Guard) -> list[tuple[bool, float]]:
    guard.check()
    answer = scoring.score(rows)
    if len(answer) != len(rows):
        raise ServiceError(
            f"the endpoint answered {len(answer)} rows for {len(rows)} of the holdout",
            "the gate needs one scored row for each: look at the predictive experiment",
        )
    return [(_truth(row), _probability(row)) for row in answer]


def _truth(row: Mapping[str, Any]) -> bool:
    found = _TRUTH.get(_cell(row, _LABELS).lower())
    if found is None:
        raise _unusable(_LABELS, "a column of 0 and 1")
    return found


def _probability(row: Mapping[str, Any]) -> float:
    try:
        return float(_cell(row, _PROBABILITIES))
    except ValueError:
        raise _unusable(_PROBABILITIES, "a column of numbers") from None


def _cell(row: Mapping[str, Any], column: str) -> str:
    return str(row.get(column)).strip()


def _unusable(column: str, wanted: str) -> ServiceError:
    return ServiceError(
        f"the endpoint's answer has no {column!r} that can be used",
        f"the gate needs {wanted}: score with Score Model",
    )


def metrics(
    labels: Sequence[bool], predicted: Sequence[bool], probabilities: Sequence[float]
) -> dict[str, float]:
    """The gate's metrics of a binary classifier, as scikit-learn defines them; NaN where one is undefined."""
    from sklearn import metrics as sk

    undefined = {"zero_division": math.nan}
    return {
        "auc": float(sk.roc_auc_score(labels, probabilities)),
        "accuracy": float(sk.accuracy_score(labels, predicted)),
        "precision": float(sk.precision_score(labels, predicted, **undefined)),
        "recall": float(sk.recall_score(labels, predicted, **undefined)),
        "f1": float(sk.f1_score(labels, predicted, **undefined)),
        "log_loss": float(sk.log_loss(labels, probabilities, labels=[False, True])),
        "rows": len(labels),
    }
