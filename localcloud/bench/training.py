"""How long training and scoring take, measured side by side in one process.

Prints the Train Model step, the same fit called directly (scikit-learn on the same matrix, with as many threads),
and that fit with the library's default number of threads, the three alternating; then one row scored through a
prepared graph. The experiment and its data are the caller's:

    python -m localcloud.bench.training experiments/flights flights.csv
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from graph.data.reading import read_table
from graph.definition import Experiment, ModuleNode, parse_experiment
from graph.learning.training import prepare
from graph.running.runner import execute, run
from graph.running.scorer import Scorer
from graph.running.warm import warm_up


@dataclass(frozen=True)
class Times:
    """Seconds of each run."""

    seconds: tuple[float, ...]

    @property
    def least(self) -> float:
        """The quickest run: what the work takes when nothing else runs."""
        return min(self.seconds)

    @property
    def median(self) -> float:
        """The middle run."""
        return statistics.median(self.seconds)


@dataclass(frozen=True)
class Training:
    """The Train Model step, the same fit called directly, and that with the library's number of threads."""

    step: Times
    direct: Times
    default: Times

    @property
    def ratio(self) -> float:
        """Step over direct fit, by the quickest runs."""
        return self.step.least / self.direct.least


def training(
    experiment: Experiment, inputs: dict[str, Any], runs: int = 9, *, with_default: bool = False
) -> Training:
    """Time the experiment's first Train Model step; `inputs` as for `run`."""
    node = next(step for step in experiment.steps if step.module.trains)
    fed = _fed(experiment, node, inputs)
    label = node.parameters["Label column"].one(fed["Dataset"].frame, "Label column")
    untrained = fed["Untrained model"]
    _, matrix, target, _ = prepare(untrained, fed["Dataset"].frame, label)
    step: list[float] = []
    direct: list[float] = []
    default: list[float] = []
    for _run in range(runs):
        direct.append(_timed(lambda: untrained.fit(matrix, target)))
        step.append(_timed(lambda: node.module.run(fed, node.parameters)))
        if with_default:
            default.append(_timed(lambda: untrained.estimator().fit(matrix, target)))
    return Training(Times(tuple(step)), Times(tuple(direct)), Times(tuple(default)))


def one_row(scorer: Scorer, rows: dict[str, Any], runs: int = 500) -> Times:
    """Time the scoring of one row."""
    for _run in range(20):
        scorer.score(rows)
    return Times(tuple(_timed(lambda: scorer.score(rows)) for _run in range(runs)))


def _fed(experiment: Experiment, node: ModuleNode, inputs: dict[str, Any]) -> dict[str, Any]:
    """What the node gets as inputs: the outputs of the graph cut off before it, with its parameters as written."""
    before = experiment.steps[: experiment.steps.index(node)]
    cut = replace(experiment, steps=before, parameters={}, output_sources=node.sources)
    return dict(execute(cut, inputs, {}))


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(prog="python -m localcloud.bench.training", description=__doc__)
    arguments.add_argument(
        "experiment", type=Path, help="folder with training.json, predictive.json, sample.json"
    )
    arguments.add_argument("data", type=Path, help="a .csv to train on")
    arguments.add_argument("--runs", type=int, default=9)
    given = arguments.parse_args()
    packages = {
        name: json.loads((given.experiment / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("training", "predictive", "sample")
    }
    warm_up()
    train, predict = parse_experiment(packages["training"]), parse_experiment(packages["predictive"])
    frame = read_table(given.data.read_bytes(), given.data.suffix)
    inputs = dict.fromkeys(train.inputs, frame)
    measured = training(train, inputs, given.runs, with_default=True)
    _print("train step", measured.step)
    _print("same fit", measured.direct)
    _print("default threads", measured.default)
    print(f"step / same fit {measured.ratio:.3f}, step / default threads ", end="")
    print(f"{measured.step.least / measured.default.least:.3f} (by min)")
    model = next(value for value in run(train, inputs).values() if isinstance(value, bytes))
    scorer = Scorer(predict, dict.fromkeys(predict.resources, model))
    rows = {name: pd.DataFrame([row]) for name, row in packages["sample"].items()}
    _print("one row", one_row(scorer, rows))


def _print(name: str, times: Times) -> None:
    print(f"{name:<16} min {times.least * 1e3:8.2f} ms   median {times.median * 1e3:8.2f} ms")


if __name__ == "__main__":
    main()
