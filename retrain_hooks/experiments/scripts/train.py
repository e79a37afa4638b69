"""Trains a graph as a job: ``training.json`` beside this file, by the sources of `graph` there.

The model has, byte for byte, what Studio's batch execution makes of the same data and parameters.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from graph import (
    Experiment,
    GraphError,
    ModuleError,
    Progress,
    parse_experiment,
    read_table,
    run,
    write_table,
)
from tables import ending

if TYPE_CHECKING:
    import pandas as pd

TRAINING = "training.json"
_TABLE = ".csv"


def main(arguments: list[str] | None = None) -> int:
    """Train, write the model and its evaluation, and log the metrics; 1 where the graph refuses its data."""
    given = _arguments(arguments)
    # What a learner warns of (it did not converge) belongs to its result.
    warnings.simplefilter("ignore")
    experiment = parse_experiment(json.loads(Path(__file__).with_name(TRAINING).read_text(encoding="utf-8")))
    try:
        produced = run(
            experiment,
            {experiment.inputs[0]: _table(given.data, experiment)},
            parameters=dict(each.split("=", 1) for each in given.set),
            progress=_say,
        )
    except (GraphError, ModuleError) as error:
        print(error, file=sys.stderr)
        return 1
    _write(given.model, produced[_output(experiment, "model")])
    if given.evaluation:
        evaluation: pd.DataFrame = produced[_output(experiment, "evaluation")]  # type: ignore[assignment]
        _write(given.evaluation, write_table(evaluation, _TABLE))
        _log(evaluation.iloc[0].to_dict())
    return 0


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the table to train from")
    parser.add_argument("--model", type=Path, required=True, help="file that the trained model is written to")
    parser.add_argument("--evaluation", type=Path, help="file that its evaluation is written to")
    parser.add_argument(
        "--set", action="append", default=[], type=unquote, help="a parameter: name=value, percent-encoded"
    )
    return parser.parse_args(arguments)


def _table(path: Path, experiment: Experiment) -> pd.DataFrame:
    declared = experiment.declared_of(experiment.inputs[0])
    return read_table(path.read_bytes(), ending(path.name) or _TABLE, path.name, declared=declared)


def _output(experiment: Experiment, kind: str) -> str:
    return next(output.name for output in experiment.outputs if output.kind == kind)


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _say(progress: Progress) -> None:
    print(f"{progress.done}/{progress.total} {progress.module}, {progress.rows:,} rows", flush=True)


def _log(metrics: Mapping[Any, Any]) -> None:
    """Log the metrics where there is a tracking server and MLflow to speak with it."""
    if "MLFLOW_TRACKING_URI" in os.environ and importlib.util.find_spec("mlflow"):
        import mlflow

        mlflow.log_metrics({name: float(value) for name, value in metrics.items() if math.isfinite(value)})


if __name__ == "__main__":
    sys.exit(main())
