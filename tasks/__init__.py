"""What models are trained for: two classes, several, a number, groups, anomalies; and how each is measured.

    TASKS[name]         a task: its metrics, its default gate, and `measure`
    metric(name)        a metric by the name that rules give it, whatever the task
    by_title(title)     the name of a metric by the title that Studio gives it; None for one that no task has
    measured_as(names)  the task that has most of these metrics; None where none has any

A new task is a file here; a new metric is a line in its task's file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from tasks import anomaly, clustering, multiclass, regression, two_class
from tasks.task import ROWS, Metric, Outcome, Task

TASKS: Final[Mapping[str, Task]] = {
    module.TASK.name: module.TASK for module in (two_class, multiclass, regression, clustering, anomaly)
}


def _plain(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")


_TITLES: Final = {_plain(metric.title): metric for task in TASKS.values() for metric in task.metrics}
_NAMES: Final = {metric.name: metric for metric in _TITLES.values()}


def metric(name: str) -> Metric | None:
    """The metric that rules call so; tasks that share one have it alike."""
    return _NAMES.get(name)


def by_title(title: str) -> str | None:
    """What rules call the metric of that title, however its words are divided."""
    found = _TITLES.get(_plain(title))
    return found.name if found else None


def measured_as(names: Collection[str]) -> Task | None:
    """The task that has most metrics of these names; of several the first."""
    counts = {
        name: sum(one.name in names for one in task.metrics if one is not ROWS)
        for name, task in TASKS.items()
    }
    most = max(counts, key=lambda name: counts[name])
    return TASKS[most] if counts[most] else None


__all__ = ["ROWS", "TASKS", "Metric", "Outcome", "Task", "by_title", "measured_as", "metric"]
