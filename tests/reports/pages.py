"""Reports as plain values, and what a page says to who can't see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import numpy as np

from reports.facts import Bound, Column, Judged, Report, RunFacts, Scores
from tasks import TASKS, Outcome

SERVES, OTHER = "a" * 64, "b" * 64


def a_run(key: str, number: int = 0, **changes: Any) -> RunFacts:
    values: dict[str, Any] = {
        "key": key,
        "experiment": "flights",
        "data_version": f"v{number}",
        "data_digest": "d1" * 32,
        "state": "finished",
        "when": f"20{number % 90 + 10}-01-01T10:00:00+00:00",
        "seconds": 3.0 + number % 7,
        "metrics": {"auc": 0.7 + number % 20 / 100, "accuracy": 0.8},
    }
    return RunFacts(**{**values, **changes})


def a_report(**changes: Any) -> Report:
    values: dict[str, Any] = {
        "stack": "dev",
        "made": "2026-11-28T10:00:00Z",
        "endpoint": "live",
        "serving": SERVES,
        "runs": [a_run(SERVES, 1, bound=["live of w"]), a_run(OTHER, 2)],
        "verdicts": [
            Judged(OTHER, SERVES, "refused", "2026-11-28T10:00:00Z", [{"passed": False, "reason": "auc"}])
        ],
        "bindings": [Bound("2026-11-28T10:00:00", "live", SERVES)],
        "rules": ["auc >= 0.65"],
        "limits": {"auc": [0.65]},
        "columns": [Column("day", "numbers", 0.1, "1 to 31, median 15", 0.3)],
        "columns_of": "The data version v2",
        "compared": [SERVES, OTHER],
    }
    return Report(**{**values, **changes})


def outcome(task: str, seed: int, rows: int = 200) -> Outcome:
    """What a model might say that knows something."""
    chance = np.random.default_rng(seed)
    if task == "regression":
        actual = chance.normal(size=rows)
        return Outcome(actual + chance.normal(size=rows), actual)
    if task == "clustering":
        distances = chance.random((rows, 3))
        return Outcome(distances.argmin(axis=1), None, distances)
    if task == "multiclass":
        actual = chance.integers(0, 3, rows)
        scores = np.eye(3)[actual] + chance.random((rows, 3))
        scores /= scores.sum(axis=1, keepdims=True)
        names = np.array(["<b>", "fig", "yew"])
        return Outcome(names[scores.argmax(axis=1)], names[actual], scores, tuple(names))
    actual = chance.random(rows) < 0.3
    scores = np.clip(actual * 0.4 + chance.random(rows) * 0.6, 0, 1)
    return Outcome(scores >= 0.5, actual, scores)


def scores(task: str) -> Scores:
    outcomes = {key: outcome(task, seed) for seed, key in enumerate((SERVES, OTHER))}
    metrics = {key: dict(TASKS[task].measure(one)) for key, one in outcomes.items()}
    return Scores("On 200 rows.", task, outcomes, metrics, [("day", 0.2), ("carrier", -0.01)])


@dataclass
class Told(HTMLParser):
    """A page as a program reads it."""

    page: str
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [given for name, given in self.tags if name == tag]
