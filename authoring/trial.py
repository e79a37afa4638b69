"""An experiment tried out here: a model trained and measured in this process, with nothing deployed and nothing kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from graph import Experiment, GraphError, Progress, TrainedModel, parse_experiment, run
from graph.data.datasets import Dataset
from graph.errors import ModuleFailure
from graph.learning.importance import importance
from graph.learning.scoring import task_of
from graph.spec import EVALUATION_PORT
from tasks import by_title

if TYPE_CHECKING:
    import pandas as pd

_SCORED: Final = " scored rows"  # an output beside those of the experiment; no name of an author begins so
_MOST: Final = 20  # classes of which a table of confusion is shown
_MOST_ROWS, _MOST_COLUMNS, _FEWEST_COLUMNS = 5_000, 100, 20  # that importance is told of
_CELLS: Final = 50_000  # columns that are scored in all, of a wide table


@dataclass(frozen=True)
class Importance:
    """The columns by how much of the *metric* is lost when their values are shuffled among *rows* that were held back.

    Of a wide table not all are tried: `left_out` is how many were not.
    """

    metric: str = ""
    columns: Mapping[str, float] = field(default_factory=dict)
    rows: int = 0
    left_out: int = 0


@dataclass(frozen=True)
class Trial:
    """What came of it: *metrics* (title, value, the name that gate rules use), counts by (class, what was said), and how much
    the model depends on its columns.
    """

    task: str
    rows: int
    seconds: float
    model_bytes: int
    metrics: tuple[tuple[str, float, str], ...]
    confusion: Mapping[tuple[str, str], int] = field(default_factory=dict)
    importance: Importance = field(default_factory=lambda: Importance())


def try_out(
    package: Mapping[str, Any],
    frame: pd.DataFrame,
    parameters: Mapping[str, str],
    progress: Callable[[Progress], None] | None = None,
) -> Trial:
    """Train on *frame* and measure on what the graph holds back. Raises GraphError and ModuleError as `graph.run` does."""
    experiment = parse_experiment(package)
    if len(experiment.inputs) != 1:
        raise GraphError(f"the experiment has {len(experiment.inputs)} web service inputs, not one", "nodes")
    watched = parse_experiment(_with_scored_rows(package, experiment))
    began = time.monotonic()
    found = run(watched, {experiment.inputs[0]: frame}, parameters=parameters, progress=progress)
    seconds = time.monotonic() - began
    model = next((value for value in found.values() if isinstance(value, bytes)), b"")
    if not model:
        raise GraphError("the experiment has no web service output for its `Trained model`", "nodes")
    trained = TrainedModel.from_bytes(model)
    evaluation = next(
        (found[output.name] for output in experiment.outputs if output.kind == "evaluation"), None
    )
    scored = found.get(_SCORED)
    return Trial(
        trained.task,
        len(frame),
        seconds,
        len(model),
        _metrics(evaluation),
        _confusion(scored, trained.label.name),
        _importance(trained, scored),
    )


def _with_scored_rows(package: Mapping[str, Any], experiment: Experiment) -> Mapping[str, Any]:
    """The package with an output for what Evaluate Model gets first."""
    evaluated = next(
        (
            step.sources["Scored dataset"]
            for step in experiment.steps
            if any(port.name == EVALUATION_PORT for port in step.module.outputs)
            and "Scored dataset" in step.sources
        ),
        None,
    )
    if evaluated is None:
        return package
    return {
        **package,
        "nodes": {**package["nodes"], _SCORED: {"output": _SCORED}},
        "edges": [*package["edges"], {"from": ".".join(evaluated), "to": _SCORED}],
    }


def _metrics(evaluation: Any) -> tuple[tuple[str, float, str], ...]:
    if evaluation is None:
        return ()
    first = {str(title): value for title, value in evaluation.iloc[0].items() if not isinstance(value, str)}
    return tuple((title, float(value), by_title(title) or "") for title, value in first.items())


def _importance(model: TrainedModel, scored: Any) -> Importance:
    """Of rows that were held back; nothing where the model was not measured on any."""
    names = [feature.name for feature in model.features]
    if scored is None or not len(scored) or not set(names) <= set(scored.columns):
        return Importance()
    rows = scored if len(scored) <= _MOST_ROWS else scored.sample(_MOST_ROWS, random_state=0)
    metric = task_of(model.task).metric(task_of(model.task).headline)
    tried = _likeliest(rows, names)
    try:
        found = importance(model, Dataset(rows), metric, 0, tried) if metric else {}
    except ModuleFailure:  # without labels nothing is measured
        return Importance()
    return Importance(metric.name if metric else "", found, len(rows), len(names) - len(tried))


def _likeliest(scored: Any, names: list[str]) -> list[str]:
    """Of a wide table's columns those that go most with what the model answers; the wider, the fewer."""
    import numpy as np
    import pandas as pd

    most = max(_FEWEST_COLUMNS, min(_MOST_COLUMNS, _CELLS // len(names)))
    answer = next(
        (each for each in ("Scored Probabilities", "Scored Labels", "Assignments") if each in scored), ""
    )
    if len(names) <= most or not answer:
        return names[:most]
    numbers = [
        each.to_numpy("float64") if each.dtype.kind in "biuf" else pd.factorize(each, sort=True)[0]
        for each in (scored[name] for name in [*names, answer])
    ]
    values = np.nan_to_num(np.column_stack(numbers))
    values = values - values.mean(axis=0)
    spread = np.sqrt(np.square(values).sum(axis=0))
    together = np.abs(values[:, :-1].T @ values[:, -1]) / np.maximum(spread[:-1] * spread[-1], 1e-300)
    return [names[at] for at in np.sort(np.argsort(-together, kind="stable")[:most])]


def _confusion(scored: Any, label: str) -> dict[tuple[str, str], int]:
    """How often each class was taken for which; nothing for a label that is no class."""
    if scored is None or label not in scored or "Scored Labels" not in scored:
        return {}
    if scored[label].nunique() > _MOST or scored["Scored Labels"].dtype.kind == "f":
        return {}
    counts = scored.groupby([label, "Scored Labels"], observed=True).size()
    return {(str(actual), str(told)): int(count) for (actual, told), count in counts.items()}
