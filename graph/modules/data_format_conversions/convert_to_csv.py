"""Data Format Conversions: Convert to CSV."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graph.flow import Columns
from graph.spec import Module, Port


class ConvertToCsv(Module):
    """The dataset as it is: a table leaves a web service as the file that its output's name says."""

    name = "Convert to CSV"
    inputs = (Port("Dataset"),)
    outputs = (Port("Results dataset"),)
    on_arrays = True

    def run(self, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """See the class."""
        return {"Results dataset": inputs["Dataset"]}

    def columns(self, inputs: Mapping[str, Columns], parameters: Mapping[str, Any]) -> Mapping[str, Columns]:
        """See Module."""
        return {"Results dataset": inputs["Dataset"]}
