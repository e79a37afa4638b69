"""Measures a model on held-out rows: scores them on an endpoint and compares with what really happened.

Two models are compared on the same rows, whatever each was trained and evaluated on. What happened is said by one column of
the data (``labels.py``), which is never sent to the endpoint; of a clustering nobody knows what is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from clients.errors import ConfigurationError, ServiceError
from clients.names import listed, shown
from clients.protocols import Scoring
from clients.storage import Container
from graph.data.declared import NOTHING, Declared
from retrain_hooks.data.heads import Heads
from retrain_hooks.gate.measures import Measure
from retrain_hooks.gate.measuring.own_metrics import OwnMetric
from retrain_hooks.gate.measuring.truths import Truth
from retrain_hooks.gate.rules import Evidence
from retrain_hooks.host.lifecycle import Guard
from tables import Table, TableError, parts, read
from tasks import Outcome

_BATCH_ROWS = 1000
_REQUESTS = 4  # a classic endpoint of the lowest throttle level answers four calls at a time

_CLASSES = 2
_CORRECT = "correct the holdout's path and version"

_EMPTY = ("", "na", "nan", "null")

Row = Mapping[str, str | None]


@dataclass(frozen=True)
class Holdout:
    """The *rows* to score, without the column of the *truth*, and the *actual* outcomes that belong to them; *cells* are
    these as they are written.
    """

    rows: Sequence[Row]
    actual: Sequence[Any]
    truth: Truth
    cells: Sequence[str] = ()

    @classmethod
    def read(
        cls, data: Container, blobs: Mapping[str, str], truth: Truth, declared: Declared = NOTHING
    ) -> Holdout:
        """Read the tables *blobs* (ETags by name), each with its header. Rows whose label column is empty, or has a mark
        that the experiment's input has *declared*, are left out; missing values are null.

        Raises ConfigurationError for a blob that is not what it was or no table, or has no such column as the label asks for.
        """
        return cls.of(_tables(data, blobs), truth, declared=declared)

    @classmethod
    def of(
        cls, tables: Iterable[Table], truth: Truth, *, whole: bool = True, declared: Declared = NOTHING
    ) -> Holdout:
        """The rows of *tables*; they are all that there is where it is *whole*. Raises ConfigurationError as ``read`` does."""
        rows: list[Row] = []
        actual: list[Any] = []
        cells: list[str] = []
        names = []
        for table in tables:
            names.append(table.name)
            truth.find(table.columns, table.name)
            for line, row in table.records():
                cell = (row.pop(truth.column) or "").strip() if truth.column else ""
                if truth.column and (cell.lower() in _EMPTY or declared.is_missing(cell)):
                    continue
                try:
                    actual.append(truth.of(cell))
                except ValueError:
                    raise ConfigurationError(
                        f"the holdout {table.name} has {shown(cell)!r} in the column {truth.column!r}, line {line}",
                        "give the label's column numbers only",
                    ) from None
                cells.append(cell)
                rows.append(row)
        if whole:
            truth.find_value(set(cells), ", ".join(names))
        return cls(rows, actual, truth, cells)

    @property
    def problem(self) -> str:
        """Why nothing can be measured on it, where that is so."""
        return self.truth.problem(self.actual)

    def measure(
        self,
        scoring: Scoring,
        guard: Guard,
        measures: Iterable[Measure] = (),
        own: Mapping[str, OwnMetric] | None = None,
    ) -> Evidence:
        """The metrics of the model behind *scoring*, on all rows; *guard* is asked before each batch.

        Of *measures*, those at a threshold and the team's *own* functions (by their texts) are found out as well. Raises
        UpdateCancelled, ServiceError where the endpoint's answer is not one row for each with what the task needs, and
        ConfigurationError where a function of one's own gives no number.
        """
        if self.problem:
            return Evidence({"rows": len(self.rows)}, self.problem)
        batches = [self.rows[at : at + _BATCH_ROWS] for at in range(0, len(self.rows), _BATCH_ROWS)]
        with ThreadPoolExecutor(_REQUESTS, "holdout") as pool:
            answers = [
                row for batch in pool.map(lambda rows: _score(scoring, rows, guard), batches) for row in batch
            ]
        found = self.truth.outcome(self.actual, answers)
        if found.outcome is None:
            return Evidence({"rows": len(self.rows)}, found.problem)
        metrics = dict(self.truth.task.measure(found.outcome))
        for one in measures:
            if one.threshold is not None:
                metrics[one.text] = self._at(float(one.threshold), found.outcome)[one.metric.name]
            elif own and one.text in own:
                guard.check()
                metrics[one.text] = self._own(own[one.text], found.outcome)
        return Evidence(metrics, "", found.undefined)

    def _at(self, threshold: float, outcome: Outcome) -> Mapping[str, float]:
        """The metrics where rows of that probability and more are the positive ones."""
        assert outcome.scores is not None
        return self.truth.task.measure(replace(outcome, predicted=outcome.scores >= threshold))

    def _own(self, metric: OwnMetric, outcome: Outcome) -> float:
        """What the team's own function says."""
        rows: Sequence[Row] = self.rows
        if self.truth.column:
            rows = [{**row, self.truth.column: cell} for row, cell in zip(self.rows, self.cells, strict=True)]
        scores = None if outcome.scores is None else outcome.scores.tolist()
        return metric.value(list(self.actual), outcome.predicted.tolist(), scores, rows)


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


def look_at(heads: Heads, truth: Truth, declared: Declared = NOTHING) -> None:
    """Hold *truth* against the beginning of the holdout: what a preview can tell.

    Raises ConfigurationError where that is no table, or has no such column, value or rows (they are read whole).
    """
    tables, whole = heads.tables, heads.whole
    found = Holdout.of(tables, truth, whole=whole, declared=declared)
    if not whole and len(set(found.actual)) < _CLASSES and (all_of_them := heads.read_on()):
        tables, whole = all_of_them, True
        found = Holdout.of(tables, truth, whole=whole, declared=declared)
    if whole and not found.rows:
        there = truth.column and any(True for table in tables for _row in table.rows())
        what = f"no value in its column {truth.column!r}" if there else "a header and no rows"
        raise ConfigurationError(f"{heads.where} has {what}", _CORRECT)
    if whole and found.problem:
        raise ConfigurationError(f"{heads.where}: {found.problem}", _CORRECT)


def refuse_lacking(
    held: Heads, trained: Heads, truth: Truth, rule: str, declared: Declared = NOTHING
) -> None:
    """Refuse a holdout without a row of a class that the training data has, as far as both are read whole.

    Raises ConfigurationError: the *rule* is on a mean over the classes.
    """
    classes = []
    for heads in (held, trained):
        tables = heads.tables if heads.whole else heads.read_on()
        if not tables or truth.column not in tables[0].columns:
            return
        classes.append(set(Holdout.of(tables, truth, declared=declared).actual))
    if lacking := classes[1] - classes[0]:
        raise ConfigurationError(
            f"{held.where} has no row of the class {listed(lacking)}, which {trained.where} has: `{rule}` is a mean over classes",
            "add rows of it to the holdout, or ask for overall_accuracy",
        )


def _score(scoring: Scoring, rows: Sequence[Row], guard: Guard) -> list[Mapping[str, Any]]:
    guard.check()
    answer = scoring.score(rows)
    if len(answer) != len(rows):
        raise ServiceError(
            f"the endpoint answered {len(answer)} rows for {len(rows)} of the holdout",
            "the gate needs one scored row for each: look at the predictive experiment",
        )
    return list(answer)
