from collections.abc import Callable
from typing import Any, Final

from graph.calculation.arithmetic import CATEGORIES, COMPARISONS, OPERATIONS, PAIRS
from graph.columns import ColumnSelection
from graph.data.datasets import is_numeric, net_type
from graph.data.frames import made_like, with_columns
from graph.errors import ModuleFailure, column_type
from graph.fitting import numbers, untold
from graph.flow import UNTOLD, Column, Flow
from graph.libraries import Series, Table, np
from graph.spec import Module, Parameter, Parameters, choice

_NAMES: Final = {
    # category: the function, the kind of its second argument, that as a constant, and as a column
    "Basic": (
        *("Basic math function", "Second argument type"),
        *("Constant second argument", "Second argument"),
    ),
    "Compare": (
        *("Comparison function", "Value to compare type"),
        *("Constant value to compare", "Value to compare"),
    ),
    "Operations": (
        *("Operation", "Operation argument type"),
        *("Constant operation argument", "Operation argument"),
    ),
    "Rounding": ("Rounding operation", "Precision type", "Constant precision", "Precision"),
    "Special": (
        *("Special function", "Special second argument type"),
        *("Constant special second argument", "Special second argument"),
    ),
    "Trigonometric": ("Trigonometric function", "", "", ""),
}
APPEND, IN_PLACE, RESULT_ONLY = "Append", "Inplace", "ResultOnly"
CONSTANT, COLUMN = "Constant", "ColumnSet"


def _functions(category: str) -> tuple[str, ...]:
    one, two = CATEGORIES[category]
    return tuple(sorted({*one, *two}))


class ApplyMathOperation(Module):
    """Calculates with the selected numeric columns: functions of one, or with a constant or another column, and comparisons.

    Appended columns are called as Studio calls them, `Operation(column_$constant)`, `Operation(column_other)` or
    `Function(column)`. A comparison with a missing value is false, as in Studio; remove such rows first where that matters.
    Cis, whose values are complex, is not offered.
    """

    name = "Apply Math Operation"
    on_arrays = True
    parameters = (
        Parameter("Category", "Enumerated", allowed=tuple(_NAMES)),
        choice("Comparison function", *COMPARISONS, *PAIRS),
        Parameter("Constant value to compare", "Float", 0.0),
        choice("Operation", *OPERATIONS),
        Parameter("Constant operation argument", "Float", 0.0),
        Parameter("Column set", "ColumnPicker"),
        choice("Output mode", APPEND, IN_PLACE, RESULT_ONLY),
        choice("Value to compare type", CONSTANT, COLUMN, later=True),
        Parameter("Value to compare", "ColumnPicker", None, later=True),
        choice("Operation argument type", CONSTANT, COLUMN, later=True),
        Parameter("Operation argument", "ColumnPicker", None, later=True),
        choice("Basic math function", *_functions("Basic"), later=True),
        choice("Second argument type", CONSTANT, COLUMN, later=True),
        Parameter("Constant second argument", "Float", 1.0, later=True),
        Parameter("Second argument", "ColumnPicker", None, later=True),
        choice("Rounding operation", *_functions("Rounding"), later=True),
        choice("Precision type", CONSTANT, COLUMN, later=True),
        Parameter("Constant precision", "Float", 0.0, later=True),
        Parameter("Precision", "ColumnPicker", None, later=True),
        choice("Special function", *_functions("Special"), later=True),
        choice("Special second argument type", CONSTANT, COLUMN, later=True),
        Parameter("Constant special second argument", "Float", 1.0, later=True),
        Parameter("Special second argument", "ColumnPicker", None, later=True),
        choice("Trigonometric function", *_functions("Trigonometric"), later=True),
    )

    def check(self, parameters: Parameters) -> None:
        function, constant, _ = _second(parameters)
        if parameters["Category"] == "Operations" and function == "Divide" and constant == 0:
            raise ModuleFailure("0008", 'Parameter "Constant operation argument" is zero: division by zero.')

    def change(self, frame: Table, parameters: Parameters) -> Table:
        self.check(parameters)
        mode = parameters["Output mode"]
        function, constant, other = _second(parameters)
        category = parameters["Category"]
        if constant is None and other is None and function in CATEGORIES[category][1]:
            raise ModuleFailure("0003", f'Parameter "{_NAMES[category][3]}" is null or empty.')
        argument = constant if other is None else frame[other.one(frame, "second argument")]
        results: dict[str, Any] = {}
        with np.errstate(all="ignore"):
            for column in parameters["Column set"].select(frame):
                values = frame[column]
                for each in (values, *([] if other is None else [argument])):
                    if not is_numeric(each):
                        raise column_type(str(each.name), net_type(each), "a numeric column")
                name = column if mode == IN_PLACE else _called(function, column, argument)
                results[name] = _applied_to(values, category, function, argument)
        return made_like(frame, results) if mode == RESULT_ONLY else with_columns(frame, results)

    def columns(self, inputs: Flow, parameters: Parameters) -> Flow:
        dataset = inputs["Dataset"]
        selected = dataset.selected(parameters["Column set"])
        function, constant, other = _second(parameters)
        argument: Any = constant
        if other is not None:
            one = dataset.selected(other)
            argument = one[0] if one else None
        change = _change(parameters["Category"], function, constant)
        if parameters["Output mode"] == IN_PLACE:
            return {"Results dataset": dataset.changed(selected, change)}
        if selected is None or (other is not None and argument is None):
            return {}
        results = {
            _called(function, name, argument): (dataset.find(name) or Column()).then(change)
            for name in selected
        }
        added = dataset.having(results)
        return {"Results dataset": added.only(results) if parameters["Output mode"] == RESULT_ONLY else added}


def _second(parameters: Parameters) -> tuple[str, float | None, ColumnSelection | None]:
    """The function, and its second argument: a constant, a column, or none."""
    category = parameters["Category"]
    name, kind, constant, column = _NAMES[category]
    function = parameters[name]
    if function not in CATEGORIES[category][1]:
        return function, None, None
    by_constant = parameters[kind] == CONSTANT
    return (
        function,
        parameters[constant] if by_constant else None,
        None if by_constant else parameters[column],
    )


def _called(function: str, column: str, argument: Any) -> str:
    if argument is None:
        return f"{function}({column})"
    if isinstance(argument, int | float):
        return f"{function}({column}_${argument:g})"
    return f"{function}({column}_{getattr(argument, 'name', argument)})"


def _applied_to(values: Series, category: str, function: str, argument: Any) -> Any:
    one, two = CATEGORIES[category]
    constant = isinstance(argument, int | float)
    if function in OPERATIONS or function in COMPARISONS:
        return two[function](values.to_numpy(), argument if constant else argument.to_numpy())
    column = numbers(values)
    if function in one:
        result = one[function](column)
    else:
        result = two[function](column, argument if constant else numbers(argument))
    if function in PAIRS:
        return result
    result = np.asarray(result, dtype=np.float64)
    return np.where(np.isnan(column), np.nan, result)


def _change(category: str, function: str, constant: float | None) -> Callable[[Any], Any]:
    """What becomes of a value, as far as the graph tells."""
    known = {"Compare": COMPARISONS, "Operations": OPERATIONS}.get(category, {})
    if constant is None or function not in known:
        return untold if function not in COMPARISONS else lambda value: False if value is None else UNTOLD

    def change(value: Any) -> Any:
        if value is None:
            return False if category == "Compare" else None
        try:
            return known[function](float(value), constant)
        except (TypeError, ValueError, ArithmeticError):
            return UNTOLD

    return change
