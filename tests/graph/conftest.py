"""The flights experiment, its data, and models trained once for all tests of the graph."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cli.cloud.example_data import monthly_blobs
from graph import Experiment, Scorer, parse_experiment, read_table, run

FOLDER = Path(__file__).parents[2] / "experiments" / "flights"
RESOURCE = "Flight delay [trained model]"


@dataclass(frozen=True)
class Trained:
    """A month and what training on it gave."""

    frame: pd.DataFrame
    model: bytes
    evaluation: pd.DataFrame


@pytest.fixture(scope="session")
def package() -> Callable[[str], Any]:
    """A fresh copy of one of the experiment's JSON files."""
    return lambda name: json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def training(package: Callable[[str], Any]) -> Experiment:
    return parse_experiment(package("training"))


@pytest.fixture(scope="session")
def predictive(package: Callable[[str], Any]) -> Experiment:
    return parse_experiment(package("predictive"))


@pytest.fixture(scope="session")
def blobs() -> dict[str, bytes]:
    return dict(monthly_blobs())


@pytest.fixture(scope="session")
def months(blobs: dict[str, bytes]) -> dict[str, pd.DataFrame]:
    return {m: read_table(blobs[f"flights/2013-{m}.csv"], ".csv") for m in ("01", "02")}


@pytest.fixture(scope="session")
def trained(training: Experiment, months: dict[str, pd.DataFrame]) -> dict[str, Trained]:
    """The models of January and February."""
    result = {}
    for month, frame in months.items():
        outputs = run(training, {"input1": frame})
        model, evaluation = outputs["output1"], outputs["output2"]
        assert isinstance(model, bytes)
        assert isinstance(evaluation, pd.DataFrame)
        result[month] = Trained(frame, model, evaluation)
    return result


@pytest.fixture(scope="session")
def scorer(predictive: Experiment, trained: dict[str, Trained]) -> Scorer:
    """January's model, ready to score."""
    return Scorer(predictive, {RESOURCE: trained["01"].model})


@pytest.fixture
def sample(package: Callable[[str], Any]) -> pd.DataFrame:
    """The sample flight, as a request's row."""
    return pd.DataFrame([package("sample")["input1"]])
