"""What an experiment's models are trained for, and its label, as its graph tells."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from clients.errors import ExperimentInvalid
from graph.data.declared import NOTHING, Declared
from graph.flow import Column
from graph.needs import comparison, needs, task_of
from retrain_hooks.experiments.package import load
from retrain_hooks.experiments.published import is_own_code
from tasks import TASKS, Task


@dataclass(frozen=True)
class Aim:
    """The *task* of an experiment, None where nothing tells it; and its *label*, as a gate writes it: the comparison that
    makes its positive rows, or the column that is its label as it is; empty where it is neither. *declared* is what its
    input says of its columns.
    """

    task: Task | None = None
    label: str = ""
    declared: Declared = NOTHING


def aim_of(source: str, root: Path | None = None) -> Aim:
    """What the graph of ``experiments/<source>`` is for; nothing where that isn't a graph, or none that can be read."""
    if not source or is_own_code(source, root):
        return Aim()
    path = (root or Path.cwd()) / "experiments" / source / "training.json"
    try:
        return _told(source, root, path.stat().st_mtime_ns)
    except (ExperimentInvalid, OSError):
        return Aim()  # who publishes it says so


@lru_cache(maxsize=64)
def _told(source: str, root: Path | None, _changed: int) -> Aim:
    definition = load(source, "training", root).definition
    asked = needs(definition, {})
    label = asked.label
    task = TASKS.get(task_of(definition))
    if task and task.name in ("two-class", "anomaly"):
        return Aim(task, comparison(definition), asked.declared)
    plain = label.source if label and label.values is Column().values else ""
    return Aim(task, plain, asked.declared)
