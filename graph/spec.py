"""What a module is: its ports and parameters as data, and one method that works on values.

A module is one small class, in a file of its own in a room of `graph.modules`:

    class Example(Module):
        \"\"\"What it does.\"\"\"

        name = "Example"
        parameters = (
            Parameter("Rows", "Int", 10, minimum=1),
            choice("From", "Beginning", "End"),
        )

        def change(self, frame, parameters):
            count = parameters["Rows"]
            return frame[:count] if parameters["From"] == "Beginning" else frame[-count:]

It makes a table of a table, unless it says other ports; then it has `run`, which gets values by port name. Parameters are
parsed and checked by their declared type. Libraries are those of `graph.libraries`, or are imported where they are used, so
that a graph can be read and checked where they are not installed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from graph.columns import ColumnSelection
from graph.errors import ModuleFailure
from graph.flow import Flow

if TYPE_CHECKING:
    from graph.flow import Flow
    from graph.libraries import Table

DATASET: Final = "Dataset"
UNTRAINED: Final = "Untrained model"
TRAINED: Final = "Trained model"
TRANSFORMATION: Final = "Transformation"

TRAINED_MODEL_PORT: Final = "Trained model"
EVALUATION_PORT: Final = "Evaluation results"

InScoring = Literal["kept", "left out", "applied"]
ParameterType = Literal[
    "Int", "Float", "Boolean", "String", "Enumerated", "ColumnPicker", "IntRange", "FloatRange", "Script"
]

# Types a web service parameter may declare, and the module parameter types each may feed
# (the names are those of the New web service's graphParameters).
GLOBAL_TYPES: Final[Mapping[str, frozenset[str]]] = {
    "Int": frozenset({"Int", "Float"}),
    "Float": frozenset({"Float"}),
    "Double": frozenset({"Float"}),
    "Boolean": frozenset({"Boolean"}),
    "Enumerated": frozenset({"Enumerated"}),
    "Mode": frozenset({"Enumerated"}),
    "String": frozenset({"String", "Enumerated", "IntRange", "FloatRange"}),
    "ColumnPicker": frozenset({"ColumnPicker"}),
}

_IN_WORDS: Final = {
    "IntRange": "whole numbers, separated by semicolons",
    "FloatRange": "numbers, separated by semicolons",
    "Boolean": "true or false",
    "ColumnPicker": "names of columns, separated by commas",
}

REQUIRED: Final = object()

Ports = Mapping[str, Any]
"""Values by the name of the port that they are on."""
Parameters = Mapping[str, Any]
"""Parsed values by the name of the parameter."""

# How a number is written as text; Python would also take "1_000" and digits of other scripts.
_WHOLE: Final = re.compile(r"\s*[+-]?[0-9]{1,20}\s*")
_NUMBER: Final = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*")
_EXACT: Final = 2**53  # below it each whole number is a double


@dataclass(frozen=True)
class Port:
    """An input or output of a module: its name, the kind of value, and whether it may stay unconnected."""

    name: str
    kind: str = DATASET
    optional: bool = False


@dataclass(frozen=True)
class Parameter:
    """A declared parameter. `default` is a parsed value; `REQUIRED` has none. Bounds are inclusive.

    `sweep` are the values that a learner is tried with, unless others are given; see `graph.learning.untrained`.
    `later`: it was added to a module that models had been trained with. Such a model was trained as the default says, so
    that at its default the parameter is left out of what determines a model.
    """

    name: str
    type: ParameterType
    default: Any = REQUIRED
    allowed: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    later: bool = False
    sweep: tuple[float, ...] = ()

    def parse(self, value: Any) -> Any:
        """The value by declared type; strings are accepted for every type, as web services send them.

        Raises ModuleFailure with Studio's 0002 (not of that type), 0004, 0005, 0007 or 0008 (out of bounds).
        """
        match self.type:
            case "Int":
                return self._bounded(self._integer(value))
            case "Float":
                return self._bounded(self._number(value))
            case "Boolean":
                if isinstance(value, bool):
                    return value
                if isinstance(value, str) and value.strip().lower() in ("true", "false"):
                    return value.strip().lower() == "true"
                raise self._unparsed(value, "Boolean")
            case "Enumerated":
                for choice in self.allowed:
                    if isinstance(value, str) and value.strip().casefold() == choice.casefold():
                        return choice
                known = ", ".join(self.allowed)
                raise ModuleFailure(
                    "0002", f'Failed to parse "{self.name}" parameter value "{value}"; use one of: {known}.'
                )
            case "ColumnPicker":
                return ColumnSelection.parse(self.name, value)
            case "IntRange" | "FloatRange":
                return self._range(value)
            case _:
                if not isinstance(value, str | int | float):
                    raise self._unparsed(value, "String")
                return str(value)

    def text(self, value: Any) -> str | None:
        """The one way to write a parsed value: `parse` reads it back; None stays None (nothing is chosen)."""
        if isinstance(value, ColumnSelection):
            return value.text()
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, tuple):
            return "; ".join(str(self.text(one)) for one in value)
        if isinstance(value, float):
            return str(int(value)) if value.is_integer() and abs(value) < _EXACT else repr(value)
        return None if value is None else str(value)

    @property
    def range(self) -> str:
        """What values it takes, in words."""
        match self.type:
            case "Int" | "Float":
                words = "a whole number" if self.type == "Int" else "a number"
                above, low, high = (
                    None if bound is None else self.text(float(bound))
                    for bound in (self.above, self.minimum, self.maximum)
                )
                if above:
                    return f"{words} greater than {above}" + (f" and at most {high}" if high else "")
                if low and high:
                    return f"{words} from {low} to {high}"
                return words + (f" of at least {low}" if low else f" of at most {high}" if high else "")
            case "Enumerated":
                return "one of: " + ", ".join(self.allowed)
            case _:
                return _IN_WORDS.get(self.type, "text")

    def problem(self, value: Any) -> str:
        """Why it does not take this value, in words; empty where it does."""
        try:
            self.parse(value)
        except ModuleFailure as failure:
            if failure.code == "0002" or self.type.endswith("Range"):
                return f"{value!r} is not {self.range}"
            low, high = self.minimum, self.maximum
            if self.above is not None and float(value) <= self.above:
                return f"{value} is not greater than {self.text(float(self.above))}"
            bound, word = (low, "less") if low is not None and float(value) < low else (high, "more")
            return f"{value} is {word} than {self.text(float(bound or 0))}"
        return ""

    def _range(self, value: Any) -> tuple[Any, ...]:
        """Several values, written as a list or as text with semicolons or commas between; repeated ones once."""
        parts = value.replace(";", ",").split(",") if isinstance(value, str) else value
        parts = [parts] if isinstance(parts, int | float) else parts
        if not isinstance(parts, list | tuple) or not parts:
            raise self._unparsed(value, self.type)
        parse = self._integer if self.type == "IntRange" else self._number
        return tuple(dict.fromkeys(self._bounded(parse(part)) for part in parts))

    def _integer(self, value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            return int(value)  # JSON and YAML have one kind of number
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            return int(value)
        raise self._unparsed(value, "Int32")

    def _number(self, value: Any) -> float:
        if (isinstance(value, int | float) and not isinstance(value, bool)) or (
            isinstance(value, str) and _NUMBER.fullmatch(value)
        ):
            try:
                number = float(value)
            except OverflowError:
                number = math.inf
            if math.isfinite(number):
                return number
        raise self._unparsed(value, "Double")

    def _unparsed(self, value: Any, target: str) -> ModuleFailure:
        source = "String" if isinstance(value, str) else type(value).__name__
        what = f'"{self.name}" parameter value "{value}" from "{source}" to "{target}"'
        return ModuleFailure("0002", f"Failed to convert {what}.")

    def _bounded(self, number: Any) -> Any:
        low, high = self.minimum, self.maximum
        has = f'Parameter "{self.name}" has value "{number}" which should be'
        if self.above is not None and number <= self.above:
            raise ModuleFailure("0004", f"{has} greater than {self.above}.")
        if low is not None and high is not None and not low <= number <= high:
            raise ModuleFailure(
                "0008", f'Parameter "{self.name}" value should be in the range of [{low}, {high}].'
            )
        if low is not None and number < low:
            raise ModuleFailure("0005", f"{has} greater than or equal to {low}.")
        if high is not None and number > high:
            raise ModuleFailure("0007", f"{has} less than or equal to {high}.")
        return number


def choice(name: str, *allowed: str, later: bool = False) -> Parameter:
    """A parameter that takes one of these, the first being its default."""
    return Parameter(name, "Enumerated", allowed[0], allowed, later=later)


class Module:
    """Base of all modules; see the module docstring for the shape of one. It makes a table of a table, unless it says otherwise."""

    name: ClassVar[str]
    inputs: ClassVar[tuple[Port, ...]] = (Port("Dataset"),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("Results dataset"),)
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    trains: ClassVar[bool] = False
    scripts: ClassVar[bool] = False
    """Whether it runs a script of the graph's author, which whoever runs the graph has to allow."""
    on_arrays: ClassVar[bool] = False
    """Whether it works on tables of arrays as on data frames (`graph.data.frames`), so that it can answer requests so."""
    texts: ClassVar[str] = ""
    """The parameter that selects columns which it takes for text, whatever is written in them."""
    passes: ClassVar[bool] = False
    """Whether its tables have the columns of its first input."""
    scoring: ClassVar[InScoring] = "kept"
    """See `in_scoring`."""
    rows: ClassVar[str] = ""
    """What its rows are, where not those of the first input; see `Columns.with_rows`."""
    classes: ClassVar[int] = 0
    """Of a learner: how many different values the label has that it is trained on; 0 where it does not matter."""

    def run(self, inputs: Ports, parameters: Parameters) -> Ports:
        """Work on the connected inputs; an optional port that is not connected is absent from `inputs`."""
        dataset = inputs[self.inputs[0].name]
        return {self.outputs[0].name: dataset.with_frame(self.change(dataset.frame, parameters))}

    def change(self, frame: Table, parameters: Parameters) -> Table:
        """The table that it makes of one, where it does nothing else."""
        raise TypeError(f"{type(self).__name__} defines neither run() nor change()")

    def columns(self, inputs: Flow, parameters: Parameters) -> Flow:
        """What is known of the columns of its outputs, by port; it asks its inputs for those that it works on.

        Those are what its parameters pick of each of its tables. Of an output that is left out nothing is known.
        """
        picked = [parameters[one.name] for one in self.parameters if one.type == "ColumnPicker"]
        for table in inputs.values():
            for selection in picked:
                table.selected(selection)
        if not self.passes:
            return {}
        table = inputs[self.inputs[0].name]
        known = table.with_rows(self.rows) if self.rows else table
        return {port.name: known for port in self.outputs if port.kind == DATASET}

    def least_rows(self, connected: Collection[str], parameters: Parameters) -> int:
        """How many rows a table has at least that it works on, with these ports connected; of a learner, that it is trained on."""
        return 1

    def in_scoring(self, parameters: Parameters) -> InScoring:
        """What becomes of it in the predictive experiment: it is *kept*, it is *left out* since it drops or makes rows, or
        what it has learnt from the training data is *applied*.
        """
        return self.scoring

    def check(self, parameters: Parameters) -> None:
        """Refuse parameters that do not go together, before any data is there. Raises ModuleFailure."""

    @classmethod
    def parameter(cls, name: str) -> Parameter | None:
        """The declared parameter of that name."""
        return next((p for p in cls.parameters if p.name == name), None)
