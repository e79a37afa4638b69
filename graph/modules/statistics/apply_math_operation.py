"""Statistical Functions: Apply Math Operation (categories Compare and Operations, with a constant)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from graph.errors import ModuleFailure, column_type
from graph.flow import UNTOLD, Column, Columns
from graph.spec import Module, Parameter, Port
from graph.tables import Dataset, is_numeric, net_type

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
        import pandas as pd

        dataset: Dataset = inputs["Dataset"]
        function, constant, apply = _function(parameters)
        if function == "Divide" and constant == 0:
            raise ModuleFailure("0008", 'Parameter "Constant operation argument" is zero: division by zero.')
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

    def columns(self, inputs: Mapping[str, Columns], parameters: Mapping[str, Any]) -> Mapping[str, Columns]:
        """See Module."""
        dataset = inputs["Dataset"]
        selected = dataset.selected(parameters["Column set"])
        function, constant, apply = _function(parameters)
        compares = parameters["Category"] == "Compare"

        def change(value: Any) -> Any:
            return _applied(value, apply, constant, compares)

        if parameters["Output mode"] == IN_PLACE:
            return {"Results dataset": dataset.changed(selected, change)}
        if selected is None:
            return {}
        results = {
            f"{function}({name}_${constant:g})": (dataset.find(name) or Column()).then(change)
            for name in selected
        }
        added = dataset.having(results)
        return {"Results dataset": added.only(results) if parameters["Output mode"] == RESULT_ONLY else added}


def _function(parameters: Mapping[str, Any]) -> tuple[str, float, Callable[[Any, Any], Any]]:
    """The function's name, its constant, and itself."""
    if parameters["Category"] == "Compare":
        function, constant = parameters["Comparison function"], parameters["Constant value to compare"]
        return function, constant, COMPARISONS[function]
    function, constant = parameters["Operation"], parameters["Constant operation argument"]
    return function, constant, OPERATIONS[function]


def _applied(value: Any, apply: Callable[[Any, Any], Any], constant: float, compares: bool) -> Any:
    """What becomes of a value; for a text that is not known."""
    if value is None:
        return False if compares else None
    try:
        return apply(float(value), constant)
    except (TypeError, ValueError, ArithmeticError):
        return UNTOLD
