"""Scores tumours: an answer has a label and a probability for each row of a request.

A request is ``{"input_data": {"columns": […], "data": [[…], …]}}``, as for a model of MLflow, or ``{"rows": [{column: value}, …]}``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

_model: dict[str, Any] = {}


def init() -> None:
    """Load the model of the deployment."""
    (path,) = Path(os.environ["AZUREML_MODEL_DIR"]).rglob("model.json")
    _model.update(json.loads(path.read_text(encoding="utf-8")))


def run(raw_data: str) -> list[dict[str, Any]]:
    """The label and the probability that it is malignant, of each row."""
    matrix = np.array([_values(row) for row in _rows(json.loads(raw_data))])
    scaled = (matrix - _model["mean"]) / _model["scale"]
    probabilities = 1 / (1 + np.exp(-(scaled @ np.array(_model["coefficients"]) + _model["intercept"])))
    return [
        {"Scored Labels": _model["classes"][int(each >= 0.5)], "Scored Probabilities": float(each)}
        for each in probabilities
    ]


def _rows(request: dict[str, Any]) -> list[dict[str, Any]]:
    if "input_data" in request:
        table = request["input_data"]
        return [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
    rows: list[dict[str, Any]] = request["rows"]
    return rows


def _values(row: dict[str, Any]) -> list[float]:
    missing = [column for column in _model["columns"] if row.get(column) in (None, "")]
    if missing:
        raise ValueError(f"the row has no {', '.join(missing)}")
    return [float(row[column]) for column in _model["columns"]]
