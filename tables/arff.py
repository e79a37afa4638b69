"""ARFF, the tables of Weka and OpenML: attributes with types, then rows, dense or sparse.

Nominal attributes and strings are String, dates are DateTime; of numeric ones the values say what they are. scipy reads no
strings, liac-arff no dates: hence a reader of our own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tables.forms import TableError
from tables.values import number

_QUOTED: Final = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_ATTRIBUTE: Final = re.compile(rf"@attribute\s+({_QUOTED}|[^\s'\"{{}},%]+)\s+(.+)", re.IGNORECASE | re.DOTALL)
_VALUE: Final = re.compile(rf"\s*(?:({_QUOTED})|([^'\",{{}}%]*?))\s*(,|$)")
_PLACED: Final = re.compile(rf"\s*(\d+)\s+(?:({_QUOTED})|([^\s'\",{{}}%]+))\s*(,|$)")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_LETTERS: Final = {"n": "\n", "r": "\r", "t": "\t"}
_DATE: Final = re.compile(r"'([^']*)'|([A-Za-z])\2*|[^A-Za-z']+")
_DATE_PARTS: Final = {
    **{"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S", "SSS": "%f"},
    **{"M": "%m", "d": "%d", "H": "%H", "m": "%M", "s": "%S"},
}
_AS_WRITTEN: Final = (
    "Write the file as Weka does: https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/"
)

NO_DATA: Final = "has no @data"

Row = tuple[int, list[str]]


@dataclass(frozen=True)
class Attribute:
    """A column: its .NET *type* where it has one, what a value of it is as text, and what a sparse row means by leaving it out."""

    name: str
    type: str
    text: Callable[[str], str]
    omitted: str | None = None


def parse(lines: Iterable[str], name: str) -> tuple[list[Attribute], Iterator[Row]]:
    """The attributes, and the rows, each with its line, which can be read once. A missing value is empty.

    Raises TableError naming the line, also while rows are read.
    """
    numbered = iter(enumerate(lines, 1))
    found: list[Attribute] = []
    for line, raw in numbered:
        text = raw.strip()
        word = text.split(None, 1)[0].lower() if text else ""
        if not text or text.startswith("%") or word == "@relation":
            continue
        if word == "@data":
            return found, _rows(numbered, found, name)
        match = _ATTRIBUTE.fullmatch(text)
        if match is None:
            raise TableError(name, line, "is neither an attribute nor @data", _AS_WRITTEN)
        found.append(_attribute(_plain(match[1]), match[2].strip(), name, line))
    raise TableError(name, 0, NO_DATA, _AS_WRITTEN)


def _attribute(called: str, kind: str, name: str, line: int) -> Attribute:
    word, _, rest = kind.partition(" ")
    match word.lower():
        case "numeric" | "real" | "integer":
            return Attribute(called, "", _number, "0")
        case "string":
            return Attribute(called, "String", str)
        case "date":
            return Attribute(
                called, "DateTime", _dates(_plain(rest.strip()) or "yyyy-MM-dd'T'HH:mm:ss", name, line)
            )
    if kind.startswith("{") and kind.endswith("}"):
        values = [value for value, _is_quoted in _split(kind[1:-1], name, line)]
        known = frozenset(values)

        def nominal(value: str) -> str:
            if value not in known:
                raise ValueError(f"is none of its values: {', '.join(values[:5])}{', …' * (len(values) > 5)}")
            return value

        return Attribute(called, "String", nominal, values[0])
    raise TableError(
        name,
        line,
        f"declares {called!r} as {kind[:40]!r}",
        "Declare it as numeric, string, date or by its values in braces; other types are no column of a table.",
    )


def _rows(numbered: Iterable[tuple[int, str]], attributes: list[Attribute], name: str) -> Iterator[Row]:
    for line, raw in numbered:
        text = raw.strip()
        if not text or text.startswith("%"):
            continue
        if text.startswith("{"):
            yield line, _sparse(text, attributes, name, line)
            continue
        cells = _split(text, name, line)
        if len(cells) != len(attributes):
            raise TableError(
                name,
                line,
                f"has {len(cells)} value{'s' * (len(cells) != 1)}, and the table has {len(attributes)} attributes",
                "Write a value for each attribute in each row; a missing one is ?.",
            )
        yield (
            line,
            [
                _cell(value, quoted, one, name, line)
                for (value, quoted), one in zip(cells, attributes, strict=True)
            ],
        )


def _cell(value: str, quoted: bool, attribute: Attribute, name: str, line: int) -> str:
    if value == "?" and not quoted:
        return ""
    try:
        return attribute.text(value)
    except ValueError as error:
        why = str(error)
        raise TableError(
            name,
            line,
            f"has {value[:60]!r} in {attribute.name!r}, which {why}",
            "Correct the value, or the attribute's declaration.",
        ) from None


def _sparse(text: str, attributes: list[Attribute], name: str, line: int) -> list[str]:
    if not text.endswith("}"):
        raise TableError(name, line, "is a sparse row that does not end in }", _AS_WRITTEN)
    given: dict[int, str] = {}
    inner, at = text[1:-1].strip(), 0
    while at < len(inner):
        match = _PLACED.match(inner, at)
        if match is None or int(match[1]) >= len(attributes) or int(match[1]) in given:
            raise TableError(name, line, f"is no sparse row of {len(attributes)} attributes", _AS_WRITTEN)
        place = int(match[1])
        value, quoted = (_plain(match[2]), True) if match[2] else (match[3], False)
        given[place] = _cell(value, quoted, attributes[place], name, line)
        at = match.end()
    found = []
    for place, attribute in enumerate(attributes):
        value = given.get(place, attribute.omitted)
        if value is None:
            raise TableError(
                name,
                line,
                f"leaves out {attribute.name!r}, which is neither numeric nor nominal",
                "Write its value, or ? where it is missing.",
            )
        found.append(value)
    return found


def _split(text: str, name: str, line: int) -> list[tuple[str, bool]]:
    """The values of a row, and whether each is in quotes."""
    if not any(mark in text for mark in "'\"{}%"):
        return [(value.strip(), False) for value in text.split(",")]
    found, at, more = [], 0, True
    while more:
        match = _VALUE.match(text, at)
        if match is None:
            raise TableError(
                name,
                line,
                f"cannot be read from {text[at : at + 20]!r} on",
                "Quote values that hold ' \" , { } or %.",
            )
        found.append((_plain(match[1]), True) if match[1] else (match[2], False))
        at, more = match.end(), match[3] == ","
    return found


def _plain(text: str) -> str:
    """Without its quotes."""
    if text[:1] not in ("'", '"'):
        return text
    return _ESCAPED.sub(lambda found: _LETTERS.get(found[1], found[1]), text[1:-1])


def _number(value: str) -> str:
    try:
        number(value)
    except ValueError:
        raise ValueError("is numeric") from None
    return value


def _dates(form: str, name: str, line: int) -> Callable[[str], str]:
    """Reads dates of a form of Java's; gives them as ISO 8601 has them."""
    pattern = ""
    for part in _DATE.finditer(form):
        if part[2] and part[0] not in _DATE_PARTS:
            raise TableError(
                name,
                line,
                f"has dates of the form {form!r}, of which {part[0]!r} is not understood",
                f"Write dates with {', '.join(list(_DATE_PARTS)[:7])}, such as yyyy-MM-dd HH:mm:ss.",
            )
        literal = part[1] if part[1] is not None else part[0]
        pattern += _DATE_PARTS[part[0]] if part[2] else (literal or "'").replace("%", "%%")
    timed = "%H" in pattern

    def read(value: str) -> str:
        try:
            at = datetime.strptime(value, pattern)
        except ValueError:
            raise ValueError(f"is a date as {form}") from None
        return at.isoformat() if timed else at.date().isoformat()

    return read
