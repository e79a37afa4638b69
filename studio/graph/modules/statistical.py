"""Statistical Functions: Apply Math Operation (categories Compare and Operations, with a constant)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

import pandas as pd

from studio.graph.errors import ModuleFailure, column_type
from studio.graph.spec import Module, Parameter, Port, register
from studio.graph.tables import Dataset, is_numeric, net_type

COMPARISONS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "EqualTo": operator.eq,
    "NotEqualTo": operator.ne,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
OPERATIONS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "Add": operator.add,
    "Subtract": operator.sub,
    "Multiply": operator.mul,
    "Divide": operator.truediv,
}

APPEND, IN_PLACE, RESULT_ONLY = "Append", "Inplace", "ResultOnly"


@register
class ApplyMathOperation(Module):
    """Compares the selected numeric columns with a constant, or calculates with one.

    Appended columns are called as Studio calls them, `Operation(column_$constant)`. A comparison with a missing
    value is false, as in Studio; remove such rows first where that matters.
    """

    name = "Apply Math Operation"
    inputs = (Port("Dataset"),)
    outputs = (Port("Results dataset"),)
    parameters = (
        Parameter("Category", "Enumerated", allowed=("Compare", "Operations")),
        Parameter("Comparison function", "Enumerated", "EqualTo", tuple(COMPARISONS)),
        Parameter("Constant value to compare", "Float", 0.0),
        Parameter("Operation", "Enumerated", "Add", tuple(OPERATIONS)),
        Parameter("Constant operation argument", "Float", 0.0),
        Parameter("Column set", "ColumnPicker"),
        Parameter("Output mode", "Enumerated", APPEND, (APPEND, IN_PLACE, RESULT_ONLY)),
    )

    def run(self, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """See the class."""
        dataset: Dataset = inputs["Dataset"]
        if parameters["Category"] == "Compare":
            function, constant = parameters["Comparison function"], parameters["Constant value to compare"]
            apply = COMPARISONS[function]
        else:
            function, constant = parameters["Operation"], parameters["Constant operation argument"]
            apply = OPERATIONS[function]
            if function == "Divide" and constant == 0:
                raise ModuleFailure(
                    "0008", 'Parameter "Constant operation argument" is zero: division by zero.'
                )
        mode = parameters["Output mode"]
        results: dict[str, Any] = {}
        for column in parameters["Column set"].select(dataset.frame):
            values = dataset.frame[column]
            if not is_numeric(values):
                raise column_type(column, net_type(values), "a numeric column")
            name = column if mode == IN_PLACE else f"{function}({column}_${constant:g})"
            results[name] = apply(values, constant)
        if mode == RESULT_ONLY:
            frame = pd.DataFrame(results, index=dataset.frame.index)
        else:
            frame = dataset.frame.assign(**results)
        return {"Results dataset": dataset.with_frame(frame)}
