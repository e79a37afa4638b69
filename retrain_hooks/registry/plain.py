"""Dataclasses as plain values and back: what a record on disk is made of.

``decode`` checks every type: a record was written by another release, or by somebody else. A field whose default is not
written is marked ``sparse``, so that releases which don't know it can read the others' records.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
# Of a field that is written only where it differs from its default.
SPARSE = {"sparse": True}
# Records have few levels and small numbers; what has more is not ours, and what handles it may not end well.
_DEEPEST = 32
_LARGEST = 2.0**63
Json = dict[str, Any] | list[Any] | str | int | float | bool | None


class Malformed(ValueError):
    """A plain value that is not of the type that was asked for; its text says where and what."""


def encode(value: Any) -> Json:
    """*value* as JSON can hold it: dataclasses and mappings as objects, tuples as lists."""
    if is_dataclass(value):
        return {
            each.name: encode(getattr(value, each.name))
            for each in fields(value)
            if not (each.metadata.get("sparse") and getattr(value, each.name) == _default(each))
        }
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"{type(value).__name__} cannot be recorded")


def parse(content: bytes) -> Json:
    """The JSON in *content*, as far as it can be written again and shown. Raises Malformed."""
    try:
        found: Json = json.loads(content, parse_constant=_not_finite)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"it is not JSON ({error})") from None
    level: list[Any] = [found]
    for _depth in range(_DEEPEST):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                inner += [*value, *value.values()]
            elif isinstance(value, list):
                inner += value
            else:
                _plain(value)
        if not inner:
            return found
        level = inner
    raise Malformed(f"it is nested in more than {_DEEPEST} levels")


def _plain(value: str | float | None) -> None:
    """Raise Malformed for what JSON's text may hold and no number or text of ours is."""
    if isinstance(value, str):
        if "\0" in value or (not value.isascii() and any("\ud800" <= each <= "\udfff" for each in value)):
            raise Malformed("it has characters that are not text")
    elif value is not None and not abs(value) < _LARGEST:
        raise Malformed("it has a number without bound")


def decode(kind: type[T], value: Any) -> T:
    """*value* as a *kind*: a dataclass, a builtin, a union, a Literal, or a list, tuple or mapping of such.

    Raises Malformed for another type, a missing or an unknown field.
    """
    decoded: T = _decode(kind, value, "")
    return decoded


def is_time(text: str) -> bool:
    """Whether *text* is a time with its zone, or empty: not known."""
    try:
        return not text or datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _decode(kind: Any, value: Any, where: str) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if is_dataclass(kind):
        return _dataclass(kind, value, where)
    if origin in (Union, UnionType):
        return _any_of(inner, value, where)
    if origin is Literal:
        if not isinstance(value, str) or value not in inner:
            raise _wrong(where, value, f"one of {', '.join(map(str, inner))}")
        return value
    if origin in (list, tuple):
        items = enumerate(_checked(list, value, where))
        return origin(_decode(inner[0], item, f"{where}[{at}]") for at, item in items)
    if origin is not None and issubclass(origin, Mapping):
        items = _checked(dict, value, where).items()
        return {key: _decode(inner[1], item, _inside(where, key)) for key, item in items}
    return _checked(kind, value, where)


def _dataclass(kind: Any, value: Any, where: str) -> Any:
    record = _checked(dict, value, where)
    known = {each.name: each for each in fields(kind) if each.init}
    if unknown := sorted(set(record) - set(known)):
        raise Malformed(f"{_inside(where, unknown[0])} is not known")
    for name, each in known.items():
        if name not in record and each.default is MISSING and each.default_factory is MISSING:
            raise Malformed(f"{_inside(where, name)} is missing")
    hints = _hints(kind)
    try:
        return kind(
            **{name: _decode(hints[name], item, _inside(where, name)) for name, item in record.items()}
        )
    except Malformed:
        raise
    except ValueError as error:  # of the class's own making
        raise Malformed(f"{where or 'it'}: {error}") from None


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _any_of(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    problem = None
    for kind in kinds:
        if (kind is NoneType) != (value is None):
            continue
        try:
            return None if value is None else _decode(kind, value, where)
        except Malformed as error:
            problem = error
    raise problem or _wrong(where, value, "a value")


def _checked(kind: Any, value: Any, where: str) -> Any:
    """*value*, where it is of the builtin *kind*; whole numbers count as floats, truth values never as numbers."""
    wanted = (int, float) if kind is float else kind
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
        raise _wrong(where, value, _NAMES[kind])
    return value


_NAMES: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    NoneType: "null",
}


def _default(each: Field[Any]) -> Any:
    return each.default_factory() if each.default_factory is not MISSING else each.default


def _inside(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _wrong(where: str, value: Any, wanted: str) -> Malformed:
    shown = repr(value)
    return Malformed(f"{where or 'it'} is {shown[:60]}{'…' * (len(shown) > 60)}, not {wanted}")


def _not_finite(text: str) -> Any:
    raise ValueError(f"{text} is not a number of JSON")
