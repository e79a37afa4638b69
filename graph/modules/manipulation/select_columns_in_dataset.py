"""Data Transformation / Manipulation: Select Columns in Dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graph.columns import ColumnSelection
from graph.data.datasets import Dataset
from graph.flow import Columns
from graph.spec import Module, Parameter, Port


class SelectColumns(Module):
    """Keeps the selected columns, in the order they are selected."""

    name = "Select Columns in Dataset"
    inputs = (Port("Dataset"),)
    outputs = (Port("Results dataset"),)
    on_arrays = True
    parameters = (Parameter("Select columns", "ColumnPicker"),)

    def run(self, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """See the class."""
        dataset: Dataset = inputs["Dataset"]
        selection: ColumnSelection = parameters["Select columns"]
        return {"Results dataset": dataset.with_frame(dataset.frame[selection.select(dataset.frame)])}

    def columns(self, inputs: Mapping[str, Columns], parameters: Mapping[str, Any]) -> Mapping[str, Columns]:
        """See Module."""
        dataset = inputs["Dataset"]
        chosen = dataset.selected(parameters["Select columns"])
        if chosen is not None:
            return {"Results dataset": dataset.only(chosen)}
        left_out = [
            name for rule in parameters["Select columns"].rules if rule.exclude for name in rule.columns
        ]
        return {"Results dataset": dataset.without(left_out)}
