"""What enters and leaves a job: data, models, parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from clients.errors import ConfigurationError, ExperimentInvalid
from clients.names import nearest, shown
from retrain_hooks.experiments.yaml_fields import Scalar, Value

DATA_TYPES: Final = ("uri_file", "uri_folder", "mltable")
MODEL_TYPES: Final = ("custom_model", "mlflow_model", "triton_model")
_LITERALS: Final = ("integer", "number", "string", "boolean")
_INPUT_MODES: Final = ("ro_mount", "download", "direct", "eval_mount", "eval_download")
_OUTPUT_MODES: Final = ("rw_mount", "mount", "upload", "direct")
_TRUTH: Final = {"true": "True", "false": "False"}


@dataclass(frozen=True)
class InputSpec:
    """An input that is read from storage. *path* is where it is, empty for the data, which is the data version's."""

    name: str
    type: str
    mode: str = ""
    path: str = ""


@dataclass(frozen=True)
class OutputSpec:
    """An output."""

    name: str
    type: str
    mode: str = ""


@dataclass(frozen=True)
class ParameterSpec:
    """A parameter of training: a literal input. Its *default* is None where a value has to be given.

    *input* is what the job calls it; *escaped*, whether its value is percent-encoded there, so that no shell reads it.
    """

    name: str
    input: str
    type: str
    default: str | None = None
    least: float | None = None
    most: float | None = None
    among: tuple[str, ...] = ()
    escaped: bool = False

    def value(self, given: Scalar) -> str:
        """A value as the job gets it: a truth value as True or False, whole numbers without a point.

        Raises ConfigurationError for one that the parameter does not take.
        """
        try:
            found = self._parsed(given)
        except ValueError:
            found = None
        if found is None or not self._takes(found):
            raise ConfigurationError(
                f"{shown(str(given))!r} is no value of the parameter `{self.name}`", f"write {self.range}"
            )
        return found

    @property
    def range(self) -> str:
        """What it takes, such as: an integer of at least 1."""
        if self.among:
            return "one of " + ", ".join(self.among)
        bounds = [f"at least {self.least:g}"] if self.least is not None else []
        bounds += [f"at most {self.most:g}"] if self.most is not None else []
        article = "an" if self.type == "integer" else "a"
        return f"{article} {self.type}" + (" of " if bounds else "") + " and ".join(bounds)

    def _parsed(self, given: Scalar) -> str:
        if self.type == "string":
            return _plain(given)
        if self.type == "boolean":
            return _TRUTH.get(str(given).strip().lower()) or _refuse()
        if isinstance(given, bool):
            _refuse()
        number = float(given)
        if not math.isfinite(number):
            _refuse()
        if self.type == "integer":
            whole = int(given) if isinstance(given, str) else int(number)
            return str(whole) if whole == number else _refuse()
        return str(int(number)) if number.is_integer() else repr(number)

    def _takes(self, found: str) -> bool:
        if self.among:
            return found in self.among
        if self.type not in ("integer", "number"):
            return True
        number = float(found)
        return (self.least is None or number >= self.least) and (self.most is None or number <= self.most)


def _refuse() -> str:
    raise ValueError


def _plain(given: Scalar) -> str:
    if isinstance(given, bool):
        return str(given)
    return str(int(given)) if isinstance(given, float) and given.is_integer() else str(given)


def resolve(parameters: Mapping[str, ParameterSpec], given: Mapping[str, Scalar | None]) -> dict[str, str]:
    """The value of each parameter: as *given*, else its default. None is not given.

    Raises ConfigurationError for a name that there is not, a value out of its range, and one that has to be given.
    """
    for name in given:
        if name not in parameters:
            raise ConfigurationError(
                f"the experiment has no parameter {shown(name)!r}; {nearest(name, parameters)}",
                "leave it out of `parameters`, or declare it as an input of the job",
            )
    values: dict[str, str] = {}
    for name, parameter in parameters.items():
        value = given.get(name)
        if value is None and parameter.default is None:
            raise ConfigurationError(
                f"the parameter `{name}` has no default and no value is given",
                f"write {parameter.range} for it in `parameters`",
            )
        values[name] = parameter.value(value) if value is not None else str(parameter.default)
    return values


def read_input(name: str, value: Value) -> InputSpec | ParameterSpec:
    """An input of a job: a literal is a parameter. Raises ExperimentInvalid."""
    if value.read != "mapping":
        return _literal(name, value)
    found = value.fields()
    if "value" in found.values:
        return _literal(name, found.only(("value", "description")).values["value"])
    kind = found.need("type", "uri_file").choice((*DATA_TYPES, *MODEL_TYPES, *_LITERALS))
    if kind in _LITERALS:
        return _declared(name, kind, value)
    found.only(("type", "path", "mode", "description"))
    mode = found.get("mode")
    return InputSpec(name, kind, mode.choice(_INPUT_MODES) if mode else "", found.text("path"))


def _literal(name: str, value: Value) -> ParameterSpec:
    given = value.scalar()
    kinds: tuple[tuple[type, str], ...] = ((bool, "boolean"), (int, "integer"), (float, "number"))
    kind = next((kind for python, kind in kinds if isinstance(given, python)), "string")
    # A bare 1 may stand for a rate as well: where no type is declared, a whole number does not forbid another.
    parameter = ParameterSpec(name, name, "number" if kind == "integer" else kind)
    return _with_default(parameter, value)


def _declared(name: str, kind: str, value: Value) -> ParameterSpec:
    found = value.fields().only(("type", "default", "min", "max", "enum", "description"))
    least, most, among = (found.get(each) for each in ("min", "max", "enum"))
    choices = tuple(_plain(each.scalar()) for each in among.items()) if among else ()
    parameter = ParameterSpec(name, name, kind, None, _number(least), _number(most), choices)
    default = found.get("default")
    return _with_default(parameter, default) if default else parameter


def _with_default(parameter: ParameterSpec, value: Value) -> ParameterSpec:
    try:
        return replace(parameter, default=parameter.value(value.scalar()))
    except ConfigurationError as error:
        raise ExperimentInvalid(f"{value.place}: {error.cause}", error.remedy) from None


def _number(value: Value | None) -> float | None:
    if value is None:
        return None
    found = value.scalar()
    if isinstance(found, bool | str):
        raise value.wrong("a number")
    return float(found)


def read_output(name: str, value: Value) -> OutputSpec:
    """An output of a job. Raises ExperimentInvalid."""
    if value.read == "null":
        return OutputSpec(name, "uri_folder")
    found = value.fields().only(
        ("type", "mode", "description"), "of an output is not supported: a run says itself where it writes"
    )
    kind, mode = found.get("type"), found.get("mode")
    return OutputSpec(
        name,
        kind.choice((*DATA_TYPES, *MODEL_TYPES)) if kind else "uri_folder",
        mode.choice(_OUTPUT_MODES) if mode else "",
    )
