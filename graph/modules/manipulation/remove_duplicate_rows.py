"""Data Transformation / Manipulation: Remove Duplicate Rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graph.data.datasets import Dataset
from graph.flow import Columns
from graph.spec import InScoring, Module, Parameter, Port


class RemoveDuplicateRows(Module):
    """Keeps of the rows with equal values in all key columns the first, or the last; missing values are equal."""

    name = "Remove Duplicate Rows"
    inputs = (Port("Dataset"),)
    outputs = (Port("Results dataset"),)
    parameters = (
        Parameter("Key column selection filter expression", "ColumnPicker"),
        Parameter("Retain first duplicate row", "Boolean", True),
    )

    def run(self, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """See the class."""
        dataset: Dataset = inputs["Dataset"]
        keys = parameters["Key column selection filter expression"].select(dataset.frame)
        keep: Any = "first" if parameters["Retain first duplicate row"] else "last"
        return {"Results dataset": dataset.with_frame(dataset.frame.drop_duplicates(keys, keep=keep))}

    def in_scoring(self, parameters: Mapping[str, Any]) -> InScoring:
        """See Module."""
        return "left out"

    def columns(self, inputs: Mapping[str, Columns], parameters: Mapping[str, Any]) -> Mapping[str, Columns]:
        """See Module."""
        inputs["Dataset"].selected(parameters["Key column selection filter expression"])
        return {"Results dataset": inputs["Dataset"]}
