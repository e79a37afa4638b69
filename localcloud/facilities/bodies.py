"""The one reader of requests' bodies: bounded, JSON that can be kept and given back, and the place of what is wrong.

Refused are: nesting without end, half a surrogate pair, a number that no double holds, bytes that are not UTF-8. What
comes after the reader never meets them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from starlette.requests import ClientDisconnect, Request

LARGEST = 32 * 1024 * 1024  # bytes; the largest definition that has been seen is a tenth of that
LARGEST_FORM = 64 * 1024
DEEPEST = 64  # levels; the deepest graph has ten
_LONGEST_PLACE = 200
# Of a text with an integer beyond a double, which has 309 digits, so many of each so many characters are digits.
_STRIDE = 25
_LONG = re.compile(f"[0-9]{{{300 // _STRIDE - 1}}}")
_NESTS = (dict, list)


class UnreadableBody(Exception):
    """A body that cannot be read: what is wrong, and where, as `Inputs.input1[0].month`."""

    def __init__(self, problem: str, place: str = "") -> None:
        super().__init__(f"{place}: {problem}" if place else problem)
        self.problem = problem
        self.place = place


class BodyTooLarge(UnreadableBody):
    """More bytes than are read."""


async def read_body(request: Request, largest: int = LARGEST) -> bytes:
    """The body, of which no more is kept in memory than `largest` bytes. Raises `BodyTooLarge`."""
    problem = f"the body is larger than {largest} bytes"
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > largest:
        raise BodyTooLarge(problem)
    parts, size = [], 0
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
        size += len(parts[-1])
        if size > largest:
            raise BodyTooLarge(problem)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def parse_json(raw: bytes, *, constants: bool = False) -> Any:
    """The JSON of a body; with `constants` also NaN and Infinity, which .NET writes. Raises `UnreadableBody`."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableBody(f"the body is not UTF-8 at byte {error.start}") from None
    beyond = False
    try:
        try:
            value = (_CONSTANTS if constants else _PLAIN).decode(text)
        except _Beyond:
            value, beyond = json.loads(text, parse_constant=None if constants else _refuse_constant), True
    except RecursionError:
        raise _too_deep() from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UnreadableBody(f"the body is not JSON at {where}: {error.msg}") from None
    except ValueError:
        found = re.search(r"[0-9]{4000}", text)
        where = f" at character {found.start() + 1}" if found else ""
        raise UnreadableBody(f"the body has a number beyond all bounds{where}") from None
    _check_depth(value)
    if beyond or ("\\" in text and "\\u" in text) or _LONG.search(text[::_STRIDE]):
        _check_values(value)
    return value


def _refuse_constant(name: str) -> None:
    raise UnreadableBody(f"the body is not JSON: {name} is no value of it")


class _Beyond(Exception):
    """A number that no double holds."""


def _real(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise _Beyond
    return value


_CONSTANTS = json.JSONDecoder(parse_float=_real)
_PLAIN = json.JSONDecoder(parse_float=_real, parse_constant=_refuse_constant)


def _too_deep() -> UnreadableBody:
    return UnreadableBody(f"the body is nested deeper than {DEEPEST} levels")


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST + 1):
        if not level:
            return
        level = [
            inner
            for outer in level
            if type(outer) in _NESTS
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) in _NESTS
        ]
    raise _too_deep()


def _check_values(value: Any) -> None:
    for place, one in _leaves(value, ""):
        if isinstance(one, str):
            try:
                one.encode()
            except UnicodeEncodeError:
                raise UnreadableBody(
                    "the text has half a surrogate pair, which is no character", place
                ) from None
        elif isinstance(one, int | float) and not _is_double(one):
            raise UnreadableBody("the number is beyond what a double holds", place)


def _is_double(number: float) -> bool:
    try:
        return not math.isinf(float(number))
    except OverflowError:
        return False


def _leaves(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    """All values and names in a document that is not deep, each with its place."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield _short(place) or "the body", name
            yield from _leaves(one, f"{place}.{name}" if place else name)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _leaves(one, f"{place}[{number}]")
    else:
        yield _short(place), value


def _short(place: str) -> str:
    """A place as it can be shown: names in it may be anything."""
    shown = place.encode(errors="replace").decode()
    return shown if len(shown) <= _LONGEST_PLACE else f"…{shown[-_LONGEST_PLACE:]}"
