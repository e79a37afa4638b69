"""Experiments as others published them run here: parsed, checked, run on a small table, and scored where one model is trained."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from authoring.predictive import derive
from graph import Rows, Scorer, parse_experiment, rows_of, run
from graph.needs import faults
from tests.published import graphs, tables

PAGE = Path(__file__).resolve().parents[2] / "docs" / "published-experiments.md"


@dataclass(frozen=True)
class Published:
    """A graph, its tables by input, and what each of its evaluations shows at least: a metric that is better than chance."""

    graph: Mapping[str, Any]
    inputs: Mapping[str, Callable[[], pd.DataFrame]]
    metric: str = ""
    least: float = 0.0


ALL = {
    "adult": Published(graphs.ADULT, {"adult": tables.adult}, "AUC", 0.7),
    "credit risk": Published(graphs.CREDIT, {"german": tables.german}, "AUC", 0.65),
    "credit risk as anomalies": Published(graphs.ANOMALIES, {"german": tables.german}, "AUC", 0.4),
    "similar companies": Published(graphs.COMPANIES, {"articles": tables.companies}),
    "customer relationship": Published(
        graphs.CUSTOMERS, {"customers": tables.customers, "upselling": tables.upselling}, "AUC", 0.8
    ),
    "flight delay": Published(
        graphs.FLIGHTS, {"flights": tables.flights, "weather": tables.weather}, "AUC", 0.5
    ),
    "demand estimation": Published(graphs.BIKES, {"bikes": tables.bikes}),
    "letter recognition": Published(graphs.LETTERS, {"letters": tables.digits}, "Overall accuracy", 0.7),
    "automobile price": Published(graphs.CARS, {"cars": tables.cars}, "Coefficient of Determination", 0.9),
    "text classification": Published(
        graphs.TWEETS, {"tweets": tables.tweets, "stop_words": tables.stop_words}, "AUC", 0.9
    ),
}


@pytest.fixture(scope="module", params=ALL)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def frames(name: str) -> dict[str, pd.DataFrame]:
    return {port: made() for port, made in ALL[name].inputs.items()}


@pytest.fixture(scope="module")
def outputs(name: str, frames: dict[str, pd.DataFrame]) -> dict[str, Any]:
    return run(parse_experiment(ALL[name].graph), frames)


def test_a_published_experiment_is_found_right_and_runs(name, outputs):
    """All outputs that it is described with, and models that have learnt what is in their tables."""
    published = ALL[name]
    assert faults(published.graph) == ()
    evaluations = [value for value in outputs.values() if isinstance(value, pd.DataFrame)]
    assert evaluations
    assert all(len(value) for value in outputs.values())
    for found in evaluations if published.metric else ():
        assert found[published.metric].astype(float).mean() > published.least


@pytest.mark.parametrize(
    "part", ["similar companies", "automobile price", "text classification"], indirect=False
)
def test_one_with_one_model_answers_requests_for_the_columns_that_it_was_given(part):
    """Its predictive graph is derived, and asks for the table's own columns, none that a module made."""
    published = ALL[part]
    frames = {port: made() for port, made in published.inputs.items()}
    found = run(parse_experiment(published.graph), frames)
    model = next(value for value in found.values() if isinstance(value, bytes))
    predictive = parse_experiment(derive(published.graph))
    scorer = Scorer(predictive, {predictive.resources[0]: model})
    columns = [column for column, _type in scorer.input_schema]
    first = next(iter(frames))
    assert columns
    assert set(columns) <= set(frames[first].columns)
    row = {port: _rows(frame[:1]) for port, frame in frames.items()}
    answer = rows_of(scorer.score(row)["output1"], {})
    assert len(answer) == 1
    assert {"Scored Labels", "Assignments"} & set(answer[0])


def test_the_page_names_each_with_a_source_and_what_was_missing():
    """docs/published-experiments.md has a row for each, in this order."""
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| [")]
    assert [re.match(r"\| \[([^]]+)\]\(https?://", row)[1].lower() for row in rows] == list(ALL)  # type: ignore[index]
    assert all(row.count("|") == 6 for row in rows)


def _rows(frame: pd.DataFrame) -> Rows:
    texts = frame.astype(object).where(frame.notna(), None)
    return Rows({str(column): tuple(texts[column].tolist()) for column in texts}, len(texts))
