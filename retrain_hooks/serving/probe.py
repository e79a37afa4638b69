"""The probe: what an endpoint really answers, told by scoring the same few rows again and again."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clients.clock import Clock
from clients.errors import (
    ConfigurationError,
    NotFound,
    RetrainError,
    ServiceError,
    Throttled,
    Unreachable,
    UpdateCancelled,
)
from clients.protocols import NamedScoring, Scoring
from clients.storage import Container, beginning
from retrain_hooks.registry.run_key import digest
from tables import MISSING, EndlessHeader, TableError, parts

# As much of a blob as is read for a probe's rows.
_BYTES = 256 * 1024
# Two answers are the same where their numbers are to so many digits: another machine may sum in another order.
_DIGITS = 6
# The service gave up on the request, not on the model.
_TIMEOUT = 408
# What is compared where a model's shift is asked for, the first that an answer has: one column, or all that begin so.
_SCORES = (
    "Scored Probabilities",
    "Scored Probabilities for Class ",
    "DistancesToClusterCenter no.",
    "Scored Labels",
)

Row = Mapping[str, str | None]


@dataclass(frozen=True)
class Look:
    """One scoring of the probe's rows: a digest of the *answers* (empty where there was an *error*), the *scores* of the
    rows (of several classes or clusters each), and how many *seconds* it took; *rows* has a digest for each answer. A *passing* error says nothing of the model.
    """

    answers: str
    scores: tuple[float, ...] = ()
    seconds: float = 0.0
    error: str = ""
    passing: bool = False
    rows: tuple[str, ...] = field(default=(), compare=False)

    @property
    def told(self) -> str:
        """What it tells of the model: its answers, or that it can't answer; empty where it tells nothing."""
        return "error" if self.error and not self.passing else self.answers


def read_rows(data: Container, blobs: Sequence[str], count: int) -> list[Row]:
    """*count* rows spread over the beginning of the first of *blobs* that has any.

    None where the blobs are gone: old data may be, while its model still serves. Raises ConfigurationError for one that
    is not a table.
    """
    for blob in parts(blobs) if count > 0 else ():
        try:
            rows: list[Row] = [row for _line, row in beginning(data, blob, _BYTES).records()]
        except (NotFound, EndlessHeader):
            continue
        except TableError as error:
            raise ConfigurationError(error.cause, error.remedy) from None
        if rows := _complete(rows, count):
            return rows[:: max(1, len(rows) // count)][:count]
    return []


def _complete(rows: list[Row], count: int) -> list[Row]:
    """The rows without a missing value, where there are *count* of them: an experiment may drop the others unscored."""
    complete = [row for row in rows if not any((value or "").strip() in MISSING for value in row.values())]
    return complete if len(complete) >= count else rows


def look(scoring: Callable[[], Scoring], rows: Sequence[Row], clock: Clock) -> Look:
    """Score *rows* once by what *scoring* gives. What goes wrong is what was seen, too: only an interrupted update raises."""
    began = clock.monotonic()
    try:
        scorer = scoring()
        answer = scorer.score(rows)
    except UpdateCancelled:
        raise
    except RetrainError as error:
        return Look("", (), clock.monotonic() - began, error.cause, _passes(error))
    seconds = clock.monotonic() - began
    if len(answer) != len(rows):
        return Look("", error=f"{len(answer)} rows were answered for {len(rows)}", seconds=seconds)
    # Two deployments may serve models that answer alike: who answered tells them apart, where the service says it.
    who = {"": scorer.answered_by} if isinstance(scorer, NamedScoring) and scorer.answered_by else {}
    plain = [{name: _rounded(value) for name, value in row.items()} | who for row in answer]
    scores = tuple(score for row in answer for score in _scored(row))
    finite = scores if all(map(math.isfinite, scores)) else ()
    return Look(digest(plain), finite, seconds, rows=tuple(map(digest, plain)))


def _passes(error: RetrainError) -> bool:
    """Whether the same question may be answered a moment later: nobody answered, or half, or asked for patience."""
    if isinstance(error, ServiceError):
        return isinstance(error, Throttled) or not 400 <= error.status < 500 or error.status == _TIMEOUT
    return isinstance(error, Unreachable)


def _rounded(value: Any) -> str:
    """A value as it is compared: a number to a few digits, anything else as it is."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    return f"{number:.{_DIGITS}g}"


def _scored(row: Mapping[str, Any]) -> list[float]:
    """What a row was scored with; NaN where that is no number."""
    for column in _SCORES:
        names = (
            [column]
            if column in row
            else [name for name in row if column[-1] in " ." and name.startswith(column)]
        )
        try:
            if names:
                return [float(row[name]) for name in names]
        except (TypeError, ValueError):
            continue
    return [math.nan]


def shift(new: Sequence[float], old: Sequence[float]) -> float:
    """How far apart two models' scores of the same rows are: the mean absolute difference; NaN where it can't be told."""
    if not new or len(new) != len(old):
        return math.nan
    return sum(abs(one - other) for one, other in zip(new, old, strict=True)) / len(new)
