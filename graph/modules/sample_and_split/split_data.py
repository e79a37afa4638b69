"""Data Transformation / Sample and Split: Split Data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graph.columns import ColumnSelection
from graph.errors import ModuleFailure
from graph.flow import Columns
from graph.spec import InScoring, Module, Parameter, Port
from graph.tables import Dataset

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


class SplitData(Module):
    """Divides the rows in two, at random by a seed, in equal proportions of a stratification column if wanted.

    Both outputs keep the order of the input's rows. Equal rows, fraction and seed give equal outputs.
    """

    name = "Split Data"
    inputs = (Port("Dataset"),)
    outputs = (Port("Results dataset1"), Port("Results dataset2"))
    parameters = (
        Parameter("Splitting mode", "Enumerated", "Split Rows", ("Split Rows",)),
        Parameter("Fraction of rows in the first output dataset", "Float", 0.5, minimum=0, maximum=1),
        Parameter("Randomized split", "Boolean", True),
        Parameter("Random seed", "Int", 0, minimum=0, maximum=2**31 - 1),
        Parameter("Stratified split", "Boolean", False),
        Parameter("Stratification key column", "ColumnPicker", None),
    )

    def run(self, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """See the class."""
        import numpy as np

        dataset: Dataset = inputs["Dataset"]
        fraction = parameters["Fraction of rows in the first output dataset"]
        generator = np.random.Generator(np.random.PCG64(parameters["Random seed"]))
        first = np.zeros(dataset.rows, dtype=bool)
        for group in _groups(dataset.frame, parameters):
            count = round(len(group) * fraction)
            order = generator.permutation(group) if parameters["Randomized split"] else group
            first[order[:count]] = True
        frame = dataset.frame
        return {
            "Results dataset1": dataset.with_frame(frame[first]),
            "Results dataset2": dataset.with_frame(frame[~first]),
        }

    def in_scoring(self, parameters: Mapping[str, Any]) -> InScoring:
        """See Module."""
        return "left out"

    def columns(self, inputs: Mapping[str, Columns], parameters: Mapping[str, Any]) -> Mapping[str, Columns]:
        """See Module."""
        dataset = inputs["Dataset"]
        if parameters["Stratified split"] and parameters["Stratification key column"] is not None:
            dataset.selected(parameters["Stratification key column"])
        return {port.name: dataset for port in self.outputs}


def _groups(frame: pd.DataFrame, parameters: Mapping[str, Any]) -> list[np.ndarray[Any, Any]]:
    """Row positions of each stratum, or of all rows; a missing key is a stratum of its own."""
    import numpy as np
    import pandas as pd

    everything = np.arange(len(frame))
    if not parameters["Stratified split"]:
        return [everything]
    selection: ColumnSelection | None = parameters["Stratification key column"]
    if selection is None:
        raise ModuleFailure("0003", 'Parameter "Stratification key column" is null or empty.')
    key = selection.one(frame, "Stratification key column")
    codes = pd.factorize(frame[key], sort=True)[0]
    return [everything[codes == code] for code in np.unique(codes)]
