"""Typed inputs: what a resource takes, as one frozen value object that validates itself.

A lifecycle parses a resource's properties once, at its door; after it nothing is looked up by a string. The same
definition renders the table of properties in the reference (``table``).

::

    @dataclass(frozen=True)
    class Limits(Inputs):
        deadline_minutes: int = prop("how long one run may take", default=60, least=1, unit="minutes")
        on_rejected: str = prop("what a refused model does", default="fail", choices=("fail", "hold"))

    Limits.parse({"deadlineMinutes": -1})   # ConfigurationError: deadlineMinutes: -1 is less than 1. …

A property that a preview cannot know yet stays UNKNOWN and is not judged: ask ``known`` before it is used. What a state
holds was judged when it was written: it is read as *recorded*, whatever became of the rules since.
"""

from __future__ import annotations

import dataclasses
import math
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from clients.errors import ConfigurationError
from retrain_hooks.host.lifecycle import UNKNOWN, Props, known

_REQUIRED: Any = object()
_DURATION = re.compile(r"\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|m|h|d)?\s*")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}


class Duration(float):
    """Seconds, written as ``90s``, ``10m``, ``1.5h``, ``30d`` or a number of seconds."""

    @classmethod
    def parse(cls, text: object, name: str = "duration") -> Duration:
        """Read one. Raises ConfigurationError."""
        found = None if isinstance(text, bool) else _DURATION.fullmatch(str(text))
        if found is None:
            raise ConfigurationError(
                f"{name}: {text!r} is not a duration", "write a number and a unit, for example 90s or 10m"
            )
        return cls(float(found["number"]) * _SECONDS[found["unit"]])


@dataclass(frozen=True)
class Rules:
    """What is said of a property besides its type: how the reference describes it, and which values it takes.

    *least* and *most* bound numbers, ends included; *choices* lists the texts that are allowed; *judge* raises
    ConfigurationError for a value (of a list: each) that is wrong in another way. *output* marks what a check or an
    update adds, *identity* what makes it another thing where it changes. *called* is how a stack's configuration calls
    it, where one sets it.
    """

    text: str
    unit: str = ""
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    judge: Callable[[Any], object] | None = None
    output: bool = False
    name: str = ""
    identity: bool = False
    called: str = ""


def prop(text: str, *, default: Any = _REQUIRED, **rules: Any) -> Any:
    """A property described by *text*; *rules* as of Rules. Without a *default* it has to be given."""
    metadata = {"rules": Rules(text, **rules)}
    if default is _REQUIRED:
        return dataclasses.field(metadata=metadata)
    if isinstance(default, dict | list):
        return dataclasses.field(default_factory=default.copy, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Property:
    """One row of the reference: a property's name and type as a program writes them, and what Rules say of it."""

    name: str
    type: str
    default: str
    rules: Rules

    @property
    def range(self) -> str:
        """The values that it takes."""
        rules, ends = self.rules, []
        if rules.choices:
            return " | ".join(rules.choices)
        if rules.least is not None:
            ends.append(f"at least {rules.least:.15g}")
        if rules.most is not None:
            ends.append(f"at most {rules.most:.15g}")
        return ", ".join(ends)


@dataclass(frozen=True)
class Inputs:
    """The properties of one resource, or a part of them. Subclasses are frozen dataclasses whose fields are ``prop``s."""

    @classmethod
    def parse(cls, props: Mapping[str, Any], *, within: str = "", recorded: bool = False) -> Self:
        """Read *props* (``camelCase`` names); others than declared are left out. Raises ConfigurationError.

        *within* says in errors where they stand. What is *recorded* in a state is not judged again: what earlier releases
        let through, and cannot be read, is left at its default.
        """
        values = {}
        for field in _fields(cls):
            given, name = props.get(field.key), field.rules.called or f"{within}{field.key}"
            if given is None:
                if field.required:
                    raise ConfigurationError(f"{name} is not given", f"give it: {field.rules.text}")
                continue
            rules = Rules(field.rules.text) if recorded else field.rules
            try:
                values[field.name] = _read(field.type, given, rules, name, recorded)
            except ConfigurationError:
                if field.required or not recorded:
                    raise
        found = cls(**values)
        if not recorded:
            found.validate()
        return found

    def validate(self) -> None:
        """Refuse what is wrong with several properties together. Raises ConfigurationError."""

    def moved(self, old: Self) -> tuple[str, ...]:
        """The properties of the identity by which *old* is another thing; one that is not known is another."""
        return tuple(
            field.key
            for field in _fields(type(self))
            if field.rules.identity and not _same(getattr(self, field.name), getattr(old, field.name))
        )

    @classmethod
    def judge(cls, setting: str, value: Any) -> None:
        """Raise ConfigurationError where *value* is none of the property that a configuration calls *setting*."""
        for field in _fields(cls):
            if setting == field.rules.called:
                _read(field.type, value, field.rules, setting)

    @classmethod
    def table(cls) -> list[Property]:
        """The rows of the reference, in the order of the fields."""
        return [
            Property(field.key, _type_name(field.type), _shown(field.default), field.rules)
            for field in _fields(cls)
        ]

    def props(self) -> Props:
        """The object as plain properties; what is None, and what was not found out yet, is left out."""
        found = {field: _written(getattr(self, field.name)) for field in _fields(type(self))}
        return {
            field.key: value
            for field, value in found.items()
            if value is not None and not (field.rules.output and value in ("", {}, []))
        }


@dataclass(frozen=True, eq=False)
class _Field:
    name: str
    key: str
    type: Any
    rules: Rules
    required: bool
    default: Any


_known: dict[Any, tuple[_Field, ...]] = {}


def _fields(cls: type[Inputs]) -> tuple[_Field, ...]:
    """The properties of a class, found out once: fleets parse them thousands of times."""
    if cls not in _known:
        _known[cls] = _found_out(cls)
    return _known[cls]


def _found_out(cls: type[Inputs]) -> tuple[_Field, ...]:
    hints = typing.get_type_hints(cls)
    found = []
    for field in dataclasses.fields(cls):
        rules: Rules = field.metadata["rules"]
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        required = default is dataclasses.MISSING
        key = rules.name or camel(field.name)
        found.append(
            _Field(field.name, key, hints[field.name], rules, required, None if required else default)
        )
    return tuple(found)


def camel(name: str) -> str:
    """``deadline_minutes`` as programs in other languages and states write it: ``deadlineMinutes``."""
    first, *rest = name.strip("_").split("_")
    return first + "".join(part.capitalize() for part in rest)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are one to their service: references say so themselves."""
    if not known(one, other):
        return False
    same = getattr(one, "same", None)
    return bool(same(other)) if same else one == other


def _read(kind: Any, given: Any, rules: Rules, name: str, recorded: bool = False) -> Any:
    """*given* as a value of *kind*, judged by *rules*."""
    if given is UNKNOWN:
        return UNKNOWN
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        [kind] = [one for one in arguments if one is not type(None)]
        return _read(kind, given, rules, name, recorded)
    if origin is tuple:
        if isinstance(given, str | Mapping) or not isinstance(given, Sequence):
            raise ConfigurationError(f"{name}: {given!r} is not a list", f"write a list: {rules.text}")
        return tuple(
            _read(arguments[0], item, rules, f"{name}[{position}]", recorded)
            for position, item in enumerate(given)
        )
    if isinstance(kind, type) and issubclass(kind, Inputs):
        if isinstance(given, kind):
            return given  # judged as it was read
        if not isinstance(given, Mapping):
            raise ConfigurationError(f"{name}: {given!r} has no properties", f"write an object: {rules.text}")
        value: Any = kind.parse(given, within=f"{name}.", recorded=recorded)
    else:
        value = _plain(kind if origin is None else origin, given, rules, name)
    if rules.judge is not None:
        try:
            rules.judge(value)
        except ConfigurationError as error:
            raise ConfigurationError(f"{name}: {error.cause}", error.remedy) from None
    return value


def _plain(kind: Any, given: Any, rules: Rules, name: str) -> Any:
    if kind is Duration:
        return _bounded(Duration.parse(given, name), rules, name)
    if kind in (int, float):
        return _bounded(_number(kind, given, rules, name), rules, name)
    if kind is bool and not isinstance(given, bool):
        raise ConfigurationError(f"{name}: {given!r} is neither true nor false", "write true or false")
    if issubclass(kind, str):
        if isinstance(given, bool | Mapping | list | tuple):
            raise ConfigurationError(f"{name}: {given!r} is not a text", f"write a text: {rules.text}")
        text = str(int(given)) if isinstance(given, float) and given.is_integer() else str(given)
        if rules.choices and text not in rules.choices:
            allowed = " or ".join(rules.choices)
            raise ConfigurationError(
                f"{name}: {text!r} is not one of {', '.join(rules.choices)}", f"write {allowed}"
            )
        return kind(text)
    if kind is Mapping and not isinstance(given, Mapping):
        raise ConfigurationError(f"{name}: {given!r} has no properties", f"write an object: {rules.text}")
    return given


def _number(kind: Any, given: Any, rules: Rules, name: str) -> Any:
    """A number of *kind*; Pulumi's wire knows doubles only, and a stack's file has texts."""
    wanted = "a whole number" if kind is int else "a number"
    unit = f" of {rules.unit}" if rules.unit else ""
    try:
        value = float("nan") if isinstance(given, bool) else float(given)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value) or (kind is int and not value.is_integer()):
        raise ConfigurationError(
            f"{name}: {given!r} is not {wanted}{unit}", f"write {wanted}{unit}, such as 1"
        )
    return int(value) if kind is int else value


def _bounded(value: Any, rules: Rules, name: str) -> Any:
    unit = f" {rules.unit}" if rules.unit else ""
    wrong = ""
    if rules.least is not None and value < rules.least:
        wrong = f"less than {rules.least:.15g}"
    elif rules.most is not None and value > rules.most:
        wrong = f"more than {rules.most:.15g}"
    if wrong:
        span = Property(name, "", "", rules).range
        raise ConfigurationError(
            f"{name}: {value:.15g} is {wrong}{unit}", f"write a number{unit and ' of'}{unit}: {span}"
        )
    return value


def _written(value: Any) -> Any:
    if isinstance(value, Inputs):
        return value.props()
    if isinstance(value, tuple | list):
        return [_written(item) for item in value]
    if isinstance(value, Duration):
        return f"{float(value):.15g}s"
    if isinstance(value, Mapping):
        return {key: _written(item) for key, item in value.items()}
    return value


def _type_name(kind: Any) -> str:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _type_name(next(one for one in arguments if one is not type(None)))
    if origin is tuple:
        return f"list of {_type_name(arguments[0])}s"
    names = {str: "text", int: "whole number", float: "number", bool: "boolean", Duration: "duration"}
    if isinstance(kind, type) and issubclass(kind, Inputs):
        return kind.__name__.removesuffix("Inputs")
    return names.get(kind, "object")


def _shown(default: Any) -> str:
    if default is None or default == "":
        return ""
    written = _written(default)
    return str(written).lower() if isinstance(written, bool) else str(written)
