"""What a module is: its ports and parameters as data, and one method that works on values.

A module is one small class with a decorator:

    @register
    class Example(Module):
        \"\"\"What it does.\"\"\"

        name = "Example"
        inputs = (Port("Dataset"),)
        outputs = (Port("Results dataset"),)
        parameters = (Parameter("Fraction", "Float", 0.5, minimum=0, maximum=1),)

        def run(self, inputs, parameters):
            return {"Results dataset": inputs["Dataset"]}

`run` gets values by port name and parameters already parsed and checked by their declared type.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from studio.graph.columns import ColumnSelection
from studio.graph.errors import ModuleFailure

DATASET: Final = "Dataset"
UNTRAINED: Final = "Untrained model"
TRAINED: Final = "Trained model"

TRAINED_MODEL_PORT: Final = "Trained model"
EVALUATION_PORT: Final = "Evaluation results"

ParameterType = Literal["Int", "Float", "Boolean", "String", "Enumerated", "ColumnPicker"]

# Types a web service parameter may declare, and the module parameter types each may feed
# (the names are those of the New web service's graphParameters).
GLOBAL_TYPES: Final[Mapping[str, frozenset[str]]] = {
    "Int": frozenset({"Int", "Float"}),
    "Float": frozenset({"Float"}),
    "Double": frozenset({"Float"}),
    "Boolean": frozenset({"Boolean"}),
    "Enumerated": frozenset({"Enumerated"}),
    "Mode": frozenset({"Enumerated"}),
    "String": frozenset({"String", "Enumerated"}),
    "ColumnPicker": frozenset({"ColumnPicker"}),
}

REQUIRED: Final = object()


@dataclass(frozen=True)
class Port:
    """An input or output of a module: its name, the kind of value, and whether it may stay unconnected."""

    name: str
    kind: str = DATASET
    optional: bool = False


@dataclass(frozen=True)
class Parameter:
    """A declared parameter. `default` is a parsed value; `REQUIRED` has none. Bounds are inclusive."""

    name: str
    type: ParameterType
    default: Any = REQUIRED
    allowed: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None

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
                raise ModuleFailure(
                    "0002",
                    f'Failed to parse "{self.name}" parameter value "{value}"; use one of: '
                    + ", ".join(self.allowed)
                    + ".",
                )
            case "ColumnPicker":
                return ColumnSelection.parse(self.name, value)
            case _:
                if not isinstance(value, str | int | float):
                    raise self._unparsed(value, "String")
                return str(value)

    def _integer(self, value: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str):
            try:
                return int(value.strip())
            except ValueError:
                pass
        raise self._unparsed(value, "Int32")

    def _number(self, value: Any) -> float:
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            try:
                number = float(value)
            except (ValueError, OverflowError):
                number = math.nan
            if math.isfinite(number):
                return number
        raise self._unparsed(value, "Double")

    def _unparsed(self, value: Any, target: str) -> ModuleFailure:
        source = "String" if isinstance(value, str) else type(value).__name__
        return ModuleFailure(
            "0002",
            f'Failed to convert "{self.name}" parameter value "{value}" from "{source}" to "{target}".',
        )

    def _bounded(self, number: Any) -> Any:
        low, high = self.minimum, self.maximum
        if self.above is not None and number <= self.above:
            raise ModuleFailure(
                "0004",
                f'Parameter "{self.name}" has value "{number}" which should be greater than {self.above}.',
            )
        if low is not None and high is not None and not low <= number <= high:
            raise ModuleFailure(
                "0008", f'Parameter "{self.name}" value should be in the range of [{low}, {high}].'
            )
        if low is not None and number < low:
            raise ModuleFailure(
                "0005",
                f'Parameter "{self.name}" has value "{number}" which should be greater than or equal to {low}.',
            )
        if high is not None and number > high:
            raise ModuleFailure(
                "0007",
                f'Parameter "{self.name}" has value "{number}" which should be less than or equal to {high}.',
            )
        return number


class Module:
    """Base of all modules; see the module docstring for the shape of one."""

    name: ClassVar[str]
    inputs: ClassVar[tuple[Port, ...]]
    outputs: ClassVar[tuple[Port, ...]]
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    trains: ClassVar[bool] = False

    def run(self, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """Work on the connected inputs; an optional port that is not connected is absent from `inputs`."""
        raise TypeError(f"{type(self).__name__} does not define run()")

    @classmethod
    def parameter(cls, name: str) -> Parameter | None:
        """The declared parameter of that name."""
        return next((p for p in cls.parameters if p.name == name), None)


_registry: dict[str, Module] = {}


def register(cls: type[Module]) -> type[Module]:
    """Class decorator: make the module known by its Studio name."""
    if cls.name in _registry:
        raise ValueError(f"two modules are called {cls.name!r}")
    _registry[cls.name] = cls()
    return cls


def registry() -> Mapping[str, Module]:
    """All modules by name."""
    import studio.graph.modules  # noqa: F401 - importing the families registers them

    return _registry
