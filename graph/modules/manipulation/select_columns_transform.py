"""Data Transformation / Manipulation: Select Columns Transform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graph.data.datasets import Dataset
from graph.fitting import Fits, Learnt
from graph.spec import TRANSFORMATION, Port

if TYPE_CHECKING:
    import pandas as pd


class SelectColumnsTransform(Fits):
    """A transformation that selects the columns that a dataset has; those that another one lacks are passed over."""

    name = "Select Columns Transform"
    inputs = (Port("Dataset with desired columns"),)
    outputs = (Port("Columns selection transformation", TRANSFORMATION),)
    learns = {"columns": {"*": {}}}  # noqa: RUF012

    def run(self, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """See the class."""
        dataset: Dataset = inputs["Dataset with desired columns"]
        return {
            self.outputs[0].name: self.step(
                dataset.frame, {"columns": {name: {} for name in dataset.frame.columns}}
            )
        }

    def apply(self, frame: pd.DataFrame, learnt: Learnt) -> pd.DataFrame:
        """See Fits."""
        return frame[[name for name in learnt["columns"] if name in frame.columns]]
