"""A report's page: what it tells, of odd stacks too; that it needs nothing else, and is told without being seen."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from reports.facts import Column, Member, Report, Scores
from reports.page import render
from tasks import TASKS
from tests.reports.pages import OTHER, SERVES, Told, a_report, a_run, scores

ODD: dict[str, Report] = {
    "no runs": a_report(runs=[], serving="", verdicts=[], bindings=[], compared=[], columns=[]),
    "one run": a_report(runs=[a_run(SERVES, 1)]),
    "a serving run that is not on record": a_report(serving="c" * 64),
    "only failed runs": a_report(
        runs=[a_run(SERVES, 1, state="failed", metrics={}, seconds=None, error="no memory")]
    ),
    "metrics of some runs only": a_report(runs=[a_run(SERVES, 1), a_run(OTHER, 2, metrics={"f1": 0.5})]),
    "metrics that are no numbers": a_report(
        runs=[a_run(SERVES, 1, metrics={"auc": "high", "confusion": [1, 2], "f1": True})]
    ),
    "metrics of nobody's": a_report(
        runs=[a_run(SERVES, 1, metrics={"wonder": 12.0})], limits={"gone": [1.0]}
    ),
    "no thresholds": a_report(rules=[], limits={}),
    "long names": a_report(
        runs=[a_run(SERVES, 1, data_version="v" * 3000, experiment="e" * 500, error="x" * 5000)],
        columns=[Column("c" * 800, "numbers", 0.0)],
    ),
    "a fleet": a_report(
        serving="",
        runs=[a_run(f"{number:064x}", number) for number in range(40)],
        members=[
            Member(
                f"shop {number}",
                f"shop{number}",
                "failed" if number == 7 else "serving",
                f"{number:064x}",
                "",
            )
            for number in range(60)
        ],
    ),
    "what can't be compared": a_report(
        scores=Scores("", "", {}, {}, problem="They can't be compared: gone.")
    ),
}


@cache
def told_of(name: str) -> Told:
    """The page of an odd stack, or of one of a task."""
    return Told(render(ODD.get(name) or a_report(scores=scores(name))))


@pytest.fixture(params=[*ODD, *TASKS])
def page(request: pytest.FixtureRequest) -> Told:
    return told_of(request.param)


def test_it_loads_nothing(page: Told) -> None:
    """No script, no frame, no address but of itself."""
    assert not {name for name, _given in page.tags} & {
        "script",
        "iframe",
        "object",
        "embed",
        "link",
        "img",
        "base",
    }
    for _tag, given in page.tags:
        for name, value in given.items():
            assert not name.startswith("on")
            if name in ("src", "href", "xlink:href", "action"):
                assert value.startswith("#")
            assert not value.lower().startswith(("http:", "https:", "//", "data:", "javascript:"))
    assert "@import" not in page.page
    assert not [part for part in page.page.split("url(")[1:] if not part.startswith("#")]


def test_it_is_told_without_being_seen(page: Told) -> None:
    """Each picture in words, each table by a caption, each region by a name, no id twice, links that lead somewhere."""
    for picture in page.all("svg"):
        assert picture["role"] == "img"
        assert len(picture["aria-label"]) > 10
    assert len(page.all("caption")) == len(page.all("table"))
    assert all("scope" in given for given in page.all("th"))
    regions = [given["aria-label"] for given in page.all("div") if given.get("role") == "region"]
    assert len(set(regions)) == len(regions)
    ids = [given["id"] for _tag, given in page.tags if "id" in given]
    assert len(set(ids)) == len(ids)
    named = {given["href"][1:] for _tag, given in page.tags if given.get("href", "").startswith("#")}
    assert named <= set(ids)
    assert page.all("html")[0]["lang"] == "en"


@pytest.mark.parametrize(
    ("task", "pictures"),
    [
        ("two-class", ["ROC curve", "Precision and recall", "Calibration"]),
        ("multiclass", ["Calibration"]),
        ("regression", ["Residuals", "What models told against what was real"]),
        ("clustering", ["Rows of each cluster of aaaaaaa", "Rows by bbbbbbb"]),
        ("anomaly", ["ROC curve", "Precision and recall", "Scores by aaaaaaa", "Scores by bbbbbbb"]),
    ],
)
def test_each_task_has_its_pictures(task: str, pictures: list[str]) -> None:
    """With the models' numbers in their words."""
    told = told_of(task)
    labels = [given["aria-label"] for given in told.all("svg")]
    for picture in pictures:
        assert any(label.startswith(picture) for label in labels), labels
    matrices = told.text.count("rows are what was, columns what the model said")
    assert matrices == (0 if task in ("regression", "clustering") else 2)


NASTY = "<script>alert('x')</script>\"&<img src=x onerror=y>"


def test_names_are_never_markup() -> None:
    """Wherever a text comes from: stack, endpoint, data, errors, rules, columns, notes."""
    run = a_run(SERVES, 1, data_version=NASTY, experiment=NASTY, error=NASTY, bound=[NASTY])
    nasty: dict[str, Any] = {
        "stack": NASTY,
        "endpoint": NASTY,
        "runs": [replace(run, metrics={NASTY: 1.0, "auc": 0.7})],
        "rules": [NASTY],
        "limits": {NASTY: [1.0]},
        "columns": [Column(NASTY, NASTY, 0.0, NASTY)],
        "columns_of": NASTY,
        "notes": [NASTY],
        "scores": replace(scores("multiclass"), rows=NASTY, importance=[(NASTY, 0.5)]),
    }
    told = Told(render(a_report(**nasty)))
    assert not told.all("script")
    assert not told.all("img")
    assert told.text.count("<script>") > 10


def test_what_is_odd_is_said() -> None:
    """An empty page would be taken for good news."""
    told = {name: told_of(name).text for name in ODD}
    assert "No model has passed its gate yet." in told["no runs"]
    assert "No run has measured anything yet." in told["only failed runs"]
    assert "failed: no memory" in told["only failed runs"]
    assert "which is not on record here" in told["a serving run that is not on record"]
    assert "A fleet of 60 members: 59 serving, 1 failed." in told["a fleet"]
    assert told["a fleet"].index("shop 7") < told["a fleet"].index("shop 1")
    assert "They can't be compared: gone." in told["what can't be compared"]


def test_times_and_cost_are_told_in_units_that_fit() -> None:
    """Seconds, minutes, hours; and what they cost where that is declared."""
    for seconds, said in ((3.0, "6.0 seconds"), (90.0, "3.0 minutes"), (7200.0, "4.0 hours")):
        runs = [a_run(SERVES, 1, seconds=seconds), a_run(OTHER, 2, seconds=seconds)]
        assert f"2 runs took {said}" in Told(render(a_report(runs=runs))).text
    costly = a_report(runs=[a_run(SERVES, 1, seconds=7200.0)], rate_per_hour=1.5)
    assert "2.0 hours, which is 3.00 at 1.5 an hour" in Told(render(costly)).text


def test_equal_reports_are_equal_pages() -> None:
    """So that a report that is kept with the code changes when something has."""
    assert render(a_report(scores=scores("two-class"))) == told_of("two-class").page


def test_a_page_of_a_thousand_runs_is_small() -> None:
    """Under 5 MB, the newest runs in the table, all of them in the plots."""
    runs = [a_run(f"{number:064x}", number) for number in range(1000)]
    page = render(a_report(runs=runs, serving=runs[-1].key, scores=scores("two-class")))
    assert len(page.encode()) < 5_000_000
    told = Told(page)
    assert "200 of 1000" in told.text
    assert any("of 1000 runs" in given["aria-label"] for given in told.all("svg"))
