"""A million rows trained from, beside a plain script: the same table, the same estimator, each in a process of its own.

    python -m localcloud.bench.million [--rows 1000000] [--runs 3]

Ours reads the file, runs a graph (Edit Metadata, Train Model) and makes the model's bytes; the script reads it with pandas
and fits scikit-learn's estimator with the same parameters. They alternate. Times are of the quickest run, memory of the
leanest; the table is made with a fixed seed. Raises SystemExit where a ratio is above its limit.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

TIME, MEMORY = 1.2, 3.0  # the limits
_NUMBERS: Final = ("x1", "x2", "x3", "x4", "count1", "count2")
_TEXTS: Final = ("city", "kind", "day", "code")
_SETTINGS: Final = {
    "Number of trees constructed": 100,
    "Learning rate": 0.2,
    "Maximum number of leaves per tree": 20,
    "Minimum number of samples per leaf node": 10,
}


def package() -> dict[str, Any]:
    """The training graph."""
    return {
        "name": "million-training",
        "nodes": {
            "data": {"input": "input1"},
            "categories": {
                "module": "Edit Metadata",
                "parameters": {"Column": list(_TEXTS), "Categorical": "Make categorical"},
            },
            "learner": {"module": "Two-Class Boosted Decision Tree", "parameters": _SETTINGS},
            "train": {"module": "Train Model", "parameters": {"Label column": ["late"]}},
            "model": {"output": "output1"},
        },
        "edges": [
            {"from": "data", "to": "categories.Dataset"},
            {"from": "learner", "to": "train.Untrained model"},
            {"from": "categories", "to": "train.Dataset"},
            {"from": "train.Trained model", "to": "model"},
        ],
    }


def make(file: Path, rows: int) -> None:
    """Write the table: six columns of numbers, some missing, four of texts in quotes, and a label that depends on them."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(16)
    numbers: dict[str, Any] = {f"x{at}": random.normal(size=rows).round(4) for at in range(1, 5)}
    numbers |= {f"count{at}": random.integers(0, 500, rows) for at in (1, 2)}
    texts = {
        name: np.array([f"{name}, {at}" for at in range(levels)], object)[random.integers(0, levels, rows)]
        for name, levels in zip(_TEXTS, (200, 12, 7, 50), strict=True)
    }
    numbers["x2"][random.random(rows) < 0.05] = np.nan
    signal = (
        numbers["x1"] + np.nan_to_num(numbers["x2"]) * (texts["day"] == "day, 3") + numbers["count1"] / 250
    )
    label = (signal + random.normal(size=rows) > 1).astype(int)
    pd.DataFrame(numbers | texts | {"late": label}).to_csv(file, index=False)


def ours(file: Path) -> None:
    """From the file to the model's bytes, as a training job does it."""
    from graph.data.reading import read_table
    from graph.definition import parse_experiment
    from graph.running.runner import run

    model = run(parse_experiment(package()), {"input1": read_table(file.read_bytes(), ".csv")})["output1"]
    assert isinstance(model, bytes)


def plain(file: Path) -> None:
    """What a script of one's own does."""
    import pandas as pd
    from sklearn.ensemble import HistGradientBoostingClassifier

    frame = pd.read_csv(file)
    target = frame.pop("late")
    for name in _TEXTS:
        frame[name] = frame[name].astype("category").cat.codes
    HistGradientBoostingClassifier(  # type: ignore[no-untyped-call]
        max_iter=100,
        learning_rate=0.2,
        max_leaf_nodes=20,
        min_samples_leaf=10,
        random_state=0,
        early_stopping=False,
    ).fit(frame, target)


def _measured(what: str, file: Path) -> tuple[float, float]:
    """Seconds and MB of a process that does it."""
    began = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-m", __spec__.name, "--only", what, "--table", str(file)])
    _pid, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{what} failed")
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--only", choices=("ours", "plain"), help=argparse.SUPPRESS)
    arguments.add_argument("--table", type=Path, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.only:
        work: Callable[[Path], None] = ours if given.only == "ours" else plain
        work(given.table)
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "million.csv"
        code = "import sys; from pathlib import Path; from localcloud.bench.million import make; make(Path(sys.argv[1]), int(sys.argv[2]))"
        subprocess.run([sys.executable, "-c", code, str(file), str(given.rows)], check=True)
        print(f"{given.rows:,} rows, {file.stat().st_size / 1e6:,.0f} MB")
        found: dict[str, list[tuple[float, float]]] = {"plain": [], "ours": []}
        for _run in range(given.runs):
            for what, measured in found.items():
                measured.append(_measured(what, file))
    best = {what: tuple(map(min, zip(*measured, strict=True))) for what, measured in found.items()}
    for what, (seconds, memory) in best.items():
        print(f"{what:<6} {seconds:7.1f} s {memory:8,.0f} MB")
    times, memories = (one / other for one, other in zip(best["ours"], best["plain"], strict=True))
    print(f"ours / plain: time {times:.2f} (at most {TIME}), peak memory {memories:.2f} (at most {MEMORY})")
    if times > TIME or memories > MEMORY:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
