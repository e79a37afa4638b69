"""The page of a report."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from reports import plots
from reports.facts import Report, RunFacts
from tasks import TASKS, measured_as

_PLOTTED = 4  # metrics that are plotted over versions: those of the gate's rules first
_LISTED = 200  # runs in the table; the newest


def render(report: Report) -> str:
    """The report as one HTML document; it loads nothing."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined, select_autoescape
    from markupsafe import Markup

    room = files("reports") / "templates"
    environment = Environment(
        loader=FunctionLoader(lambda name: (room / name).read_text(encoding="utf-8")),
        autoescape=select_autoescape(default_for_string=True, default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"short": lambda key: str(key or "")[:7], "number": _number}
    pictures = {
        name: [(title, Markup(svg)) for title, svg in each]  # noqa: S704 -- drawn here
        for name, each in _pictures(report).items()
    }
    css = Markup((room / "report.css").read_text(encoding="utf-8"))  # noqa: S704 -- our own
    return environment.get_template("report.html.j2").render(
        report=report,
        css=css,
        pictures=pictures,
        listed=list(reversed(report.runs))[:_LISTED],
        metrics=_metrics(report),
        names=_names(report),
        confusion=_confusion(report),
        cost=_cost(report),
    )


def _metrics(report: Report) -> list[str]:
    """The metrics worth a line: the task's, in its order."""
    there = {
        name for run in report.runs for name, value in run.metrics.items() if isinstance(value, int | float)
    }
    task = measured_as(there)
    return [one.name for one in task.metrics if one.name in there] if task else sorted(there)


def _pictures(report: Report) -> dict[str, list[tuple[str, str]]]:
    finished = [run for run in report.runs if run.metrics]
    ruled = [name for name in report.limits if any(name in run.metrics for run in finished)]
    shown = list(dict.fromkeys([*ruled, *_metrics(report)]))[:_PLOTTED]
    found: dict[str, list[tuple[str, str]]] = {
        "versions": [
            (name, plots.over_versions(finished, name, report.limits.get(name, ()), report.serving))
            for name in shown
            if finished
        ],
        "durations": [("Duration", plots.durations(finished))] if finished else [],
        "scores": [],
        "importance": [],
    }
    scores = report.scores
    if scores and scores.outcomes:
        if scores.task == "two-class":
            found["scores"] = plots.curves(scores.outcomes, _names(report))
        elif scores.task == "regression":
            found["scores"] = plots.residuals(scores.outcomes, _names(report))
        if scores.importance:
            found["importance"] = [
                (
                    "Importance",
                    plots.bars(scores.importance, f"loss of {TASKS[scores.task].headline} when shuffled"),
                )
            ]
    return found


def _names(report: Report) -> dict[str, str]:
    """What each compared run is called."""
    versions = {run.key: run.data_version for run in report.runs}
    roles = {report.serving: "serves"}
    return {
        key: f"{key[:7]} ({', '.join(filter(None, (versions.get(key), roles.get(key))))})"
        for key in report.compared
    }


def _confusion(report: Report) -> dict[str, Mapping[str, Any]]:
    """By run: the classes, and how often each was taken for which."""
    from sklearn.metrics import confusion_matrix

    scores = report.scores
    if scores is None or scores.task not in ("two-class", "multiclass", "anomaly"):
        return {}
    found: dict[str, Mapping[str, Any]] = {}
    for key, outcome in scores.outcomes.items():
        classes = sorted({*map(str, outcome.actual.tolist()), *map(str, outcome.predicted.tolist())})
        if len(classes) <= 20:
            counts = confusion_matrix(
                outcome.actual.astype(str), outcome.predicted.astype(str), labels=classes
            )
            found[key] = {"classes": classes, "counts": counts.tolist()}
    return found


def _cost(report: Report) -> str:
    seconds = [run.seconds for run in report.runs if run.seconds is not None]
    if not seconds:
        return ""
    total = f"{len(seconds)} runs took {sum(seconds) / 3600:.2f} hours"
    if report.rate_per_hour is None:
        return f"{total}; what an hour costs is not declared (ratePerHour)"
    return f"{total}, which is {sum(seconds) / 3600 * report.rate_per_hour:,.2f} at {report.rate_per_hour:g} an hour"


def _number(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value)
    return (
        f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)
    )


def run_of(report: Report, key: str) -> RunFacts | None:
    """The run of that key."""
    return next((run for run in report.runs if run.key == key), None)
