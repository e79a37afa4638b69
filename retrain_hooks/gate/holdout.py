"""Measures a model on held-out rows: scores them on an endpoint and compares with what really happened.

Two models are compared on the same rows, whatever each was trained and evaluated on. What happened is said by a rule over
one column of the data (``labels.py``); that column is never sent to the endpoint.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from clients.errors import ConfigurationError, ServiceError
from clients.names import shown
from clients.protocols import Scoring
from clients.storage import Container
from retrain_hooks.data.heads import Heads
from retrain_hooks.gate.labels import Label
from retrain_hooks.gate.rules import Evidence
from retrain_hooks.host.lifecycle import Guard
from tables import Table, TableError, parts, read

__all__ = ["Holdout", "Label", "look_at", "metrics"]

# Studio's names of what Score Model adds.
_LABELS = "Scored Labels"
_PROBABILITIES = "Scored Probabilities"
_BATCH_ROWS = 1000
_REQUESTS = 4  # a classic endpoint of the lowest throttle level answers four calls at a time

_CLASSES = 2
_CORRECT = "correct the holdout's path and version"

_EMPTY = ("", "na", "nan", "null")
_TRUTH = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}

Row = Mapping[str, str | None]


@dataclass(frozen=True)
class Holdout:
    """The *rows* to score, without the column of the rule *label*, and the *labels* that belong to them."""

    rows: Sequence[Row]
    labels: Sequence[bool]
    label: Label

    @classmethod
    def read(cls, data: Container, blobs: Mapping[str, str], label: Label) -> Holdout:
        """Read the tables *blobs* (ETags by name), each with its header. Rows whose label column is empty are left out;
        missing values are null.

        Raises ConfigurationError for a blob that is not what it was or no table, or has no column of numbers for the label.
        """
        return cls.of(_tables(data, blobs), label)

    @classmethod
    def of(cls, tables: Iterable[Table], label: Label, *, whole: bool = True) -> Holdout:
        """The rows of *tables*; they are all that there is where it is *whole*. Raises ConfigurationError as ``read`` does."""
        rows: list[Row] = []
        labels: list[bool] = []
        values: set[str] = set()
        names = []
        for table in tables:
            names.append(table.name)
            label.find(table.columns, table.name)
            for line, row in table.records():
                happened = (row.pop(label.column) or "").strip()
                if happened.lower() in _EMPTY:
                    continue
                try:
                    labels.append(label.of(happened))
                except ValueError:
                    raise ConfigurationError(
                        f"the holdout {table.name} has {shown(happened)!r} in the column {label.column!r}, line {line}",
                        "give the label's column numbers only",
                    ) from None
                values.add(happened)
                rows.append(row)
        if whole:
            label.find_value(values, ", ".join(names))
        return cls(rows, labels, label)

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
        answered, scored = zip(*scores, strict=True)
        predicted, probabilities = _told(self.label, answered, scored)
        if wrong := sum(not 0.0 <= probability <= 1.0 for probability in probabilities):
            return Evidence(
                {"rows": len(self.rows)},
                f"{wrong} of {len(self.rows)} scored probabilities do not lie between 0 and 1",
            )
        return Evidence(metrics(self.labels, predicted, probabilities))


def _tables(data: Container, blobs: Mapping[str, str]) -> Iterator[Table]:
    """Each of *blobs* (ETags by name) that is a table and in which something is written. Raises ConfigurationError."""
    for blob in parts(list(blobs)):
        content, now = data.read(blob)
        if now != blobs[blob]:
            raise ConfigurationError(
                f"the holdout {blob} was changed while it was read", "run the update again"
            )
        try:
            table = read(content, blob).check()
        except TableError as error:
            raise ConfigurationError(f"the holdout {error.cause}", error.remedy) from None
        if table.columns:
            yield table


def look_at(heads: Heads, label: Label) -> None:
    """Hold *label* against the beginning of the holdout: what a preview can tell.

    Raises ConfigurationError where that is no table, or has no such column, value or rows (they are read whole).
    """
    tables, whole = heads.tables, heads.whole
    found = Holdout.of(tables, label, whole=whole)
    if not whole and len(set(found.labels)) < _CLASSES and (all_of_them := heads.read_on()):
        tables, whole = all_of_them, True
        found = Holdout.of(tables, label, whole=whole)
    if whole and not found.rows:
        what = (
            "no value in its column " + repr(label.column) if any(_rows(tables)) else "a header and no rows"
        )
        raise ConfigurationError(f"{heads.where} has {what}", _CORRECT)
    if whole and found.problem:
        raise ConfigurationError(f"{heads.where}: {found.problem}", _CORRECT)


def _rows(tables: Iterable[Table]) -> Iterator[object]:
    return (row for table in tables for row in table.rows())


def _score(scoring: Scoring, rows: Sequence[Row], guard: Guard) -> list[tuple[str, float]]:
    guard.check()
    answer = scoring.score(rows)
    if len(answer) != len(rows):
        raise ServiceError(
            f"the endpoint answered {len(answer)} rows for {len(rows)} of the holdout",
            "the gate needs one scored row for each: look at the predictive experiment",
        )
    return [(_cell(row, _LABELS), _probability(row)) for row in answer]


def _told(
    label: Label, answered: Sequence[str], probabilities: Sequence[float]
) -> tuple[Sequence[bool], Sequence[float]]:
    """Which rows the model calls positive, and how probable it holds that.

    A model answers with truth values, or with the values of the column that *label* is over. Its probability is that of
    one of its two classes: of the one that it answers with where the probability is a half at least.
    """
    if isinstance(label.value, float) and all(text.lower() in _TRUTH for text in answered):
        return [_TRUTH[text.lower()] for text in answered], probabilities
    if label.op not in ("==", "!="):
        raise _unusable(_LABELS, "a column of 0 and 1")
    try:
        predicted = [label.of(text) for text in answered]
    except ValueError:
        raise _unusable(_LABELS, f"a column of the values of {label.column!r}") from None
    agreeing = sum(one is (p >= 0.5) for one, p in zip(predicted, probabilities, strict=True))
    if 2 * agreeing >= len(predicted):
        return predicted, probabilities
    return predicted, [1.0 - probability for probability in probabilities]


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
