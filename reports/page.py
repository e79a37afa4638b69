"""The page of a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any, Final

from reports import plots
from reports.facts import Report, RunFacts
from tasks import TASKS, measured_as

_PLOTTED = 4  # metrics that are plotted over versions: those of the gate's rules first
_CLASSES = 20  # of a confusion matrix at most
_LISTED = 200  # runs in the table; the newest


def _anomaly(outcomes: Mapping[str, Any], names: Mapping[str, str]) -> list[tuple[str, str]]:
    return [*plots.curves(outcomes, names, probabilities=False), *plots.anomalies(outcomes, names)]


_DRAWN: Final[Mapping[str, Callable[[Mapping[str, Any], Mapping[str, str]], list[tuple[str, str]]]]] = {
    "two-class": plots.curves,
    "multiclass": plots.sureness,
    "regression": plots.residuals,
    "clustering": plots.clusters,
    "anomaly": _anomaly,
}


def render(report: Report) -> str:
    """The report as one HTML document; it loads nothing."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined, select_autoescape
    from markupsafe import Markup, escape

    room = files("reports") / "templates"
    environment = Environment(
        loader=FunctionLoader(lambda name: (room / name).read_text(encoding="utf-8")),
        autoescape=select_autoescape(default_for_string=True, default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "short": lambda key: str(key or "")[:7],
        "number": _number,
        "minute": lambda time: str(time or "")[:16].replace("T", " "),
        "broken": lambda name: Markup(str(escape(name)).replace("_", "_<wbr>")),  # noqa: S704 -- escaped
    }
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
        grouped=_grouped(report),
        by_key={run.key: run for run in report.runs},
        headline=next(iter(report.limits), None) or next(iter(_metrics(report)), ""),
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
        "versions": [(name, _over(report, finished, name)) for name in shown if finished],
        "durations": [("Duration", plots.durations(finished))] if finished else [],
        "scores": [],
        "importance": [],
    }
    scores = report.scores
    if scores and scores.outcomes:
        found["scores"] = _DRAWN[scores.task](scores.outcomes, _names(report))
        if scores.importance:
            of = next(iter(scores.outcomes))
            found["importance"] = [
                (
                    f"Of the columns to {_names(report).get(of, of[:7])}",
                    plots.bars(scores.importance, f"loss of {TASKS[scores.task].headline} when shuffled"),
                )
            ]
    return found


def _over(report: Report, runs: Sequence[RunFacts], metric: str) -> str:
    limits = report.limits.get(metric, ())
    if report.members:
        return plots.over_members(runs, metric, limits)
    return plots.over_versions(runs, metric, limits, report.serving)


def _grouped(report: Report) -> str:
    """How many of a fleet's members are where."""
    states = Counter(member.state for member in report.members)
    return ", ".join(f"{count} {state}" for state, count in states.most_common())


def _names(report: Report) -> dict[str, str]:
    """What each compared run is called."""
    versions = {run.key: run.data_version for run in report.runs}
    roles = {report.serving: "serves"}
    about = {key: ", ".join(filter(None, (versions.get(key), roles.get(key)))) for key in report.compared}
    return {key: f"{key[:7]} ({what})" if what else key[:7] for key, what in about.items()}


def _confusion(report: Report) -> dict[str, Mapping[str, Any]]:
    """By run: the classes, and how often each was taken for which."""
    from sklearn.metrics import confusion_matrix

    scores = report.scores
    if scores is None or scores.task not in ("two-class", "multiclass", "anomaly"):
        return {}
    found: dict[str, Mapping[str, Any]] = {}
    for key, outcome in scores.outcomes.items():
        actual, predicted = (
            [_called(one, scores.task) for one in each.tolist()]
            for each in (outcome.actual, outcome.predicted)
        )
        classes = sorted({*actual, *predicted})
        if len(classes) <= _CLASSES:
            counts = confusion_matrix(actual, predicted, labels=classes)
            found[key] = {"classes": classes, "counts": counts.tolist()}
    return found


def _called(value: Any, task: str) -> str:
    """A class as a person knows it."""
    if not isinstance(value, bool):
        return str(value)
    anomaly, other = ("anomaly", "other row") if task == "anomaly" else ("positive", "negative")
    return anomaly if value else other


def _cost(report: Report) -> str:
    seconds = [run.seconds for run in report.runs if run.seconds is not None]
    if not seconds:
        return ""
    total = f"{len(seconds)} run{'s' * (len(seconds) > 1)} took {_duration(sum(seconds))}"
    if report.rate_per_hour is None:
        return f"{total}; what an hour costs is not declared (ratePerHour)."
    cost = sum(seconds) / 3600 * report.rate_per_hour
    return f"{total}, which is {cost:,.2f} at {report.rate_per_hour:g} an hour."


def _duration(seconds: float) -> str:
    for unit, length in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} seconds"


def _number(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value)
    return (
        f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)
    )
