"""Values of a table as typed columns: the same text is the same value, in a file and in a request.

Types are .NET's, as Studio names them in `ColumnTypes`: Boolean, Int32, Int64, Double, String. What a number is,
`tables.number` says. A column of integers in which a value is missing is one of floating point numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from graph.data.dates import dates, is_date, parsed
from graph.data.declared import NOTHING, Declared
from graph.data.frames import Frame
from graph.data.frames import Values as Column
from graph.data.rows import Rows
from graph.errors import ModuleFailure
from graph.libraries import Array, Series, Table, np, pd
from tables import MISSING, OutOfRange, number, real

_BITS: Final = {"Int32": 31, "Int64": 63}
_TRUTH: Final = {"true": True, "false": False}
_SHOWN: Final = 60
_ABSENT: Final = frozenset(MISSING)
_TEXT, _WHOLE, _NUMBERS = {str}, {int}, {int, float}


def coerce(frame: Table, types: Mapping[str, str], declared: Declared = NOTHING) -> Table:
    """The rows of a request, or of a file read as text, as typed columns.

    Requests carry numbers as text as often as not. Columns of `types` get the type that they have there; others are typed
    as *declared*, else as a file's would be. Null and what is written for missing are missing values. Raises
    ModuleFailure 0002 naming column and value.
    """
    types = {**declared.types, **types}
    if declared.missing:
        known = {name: declared.known(values.tolist()) for name, values in frame.items()}
        frame = pd.DataFrame(known, index=frame.index, dtype=object)
    columns = {str(name): typed(values, types.get(str(name), "")) for name, values in frame.items()}
    return pd.DataFrame(columns, index=frame.index)


def coerced(rows: Rows, types: Mapping[str, str], declared: Declared = NOTHING) -> Frame:
    """As `coerce`, to a table of arrays."""
    types = {**declared.types, **types} if declared.types else types
    columns = {
        name: Column(name, _typed(declared.known(list(cells)), name, types.get(name, "")))
        for name, cells in rows.columns.items()
    }
    return Frame(columns, rows.count)


def typed(values: Series, type_name: str) -> Array:
    """The column as one of that type. Raises ModuleFailure 0002 for a value that is none."""
    return dates(values) if type_name == "DateTime" else _typed(values.tolist(), values.name, type_name)


def _typed(cells: list[Any], name: Any, type_name: str) -> Array:
    """A column of that type; where none is told, as a file's would be: then nothing in it is refused."""
    if not type_name:
        try:
            return _guessed(cells, name)
        except ModuleFailure:
            type_name = "String"
    if (plain := _at_once(cells, type_name)) is not None:
        return plain
    if type_name == "String":
        return _strings(_texts(cells))
    if type_name == "DateTime":
        return parsed(cells, name)
    parse: Callable[[Any, str], Any] = _PARSERS.get(type_name, _double)
    found: list[Any] = []
    for value in _texts(cells):
        try:
            found.append(None if value is None else parse(value, type_name))
        except ValueError:
            raise _not_converted(value, name, type_name) from None
    return _array(found)


def _at_once(cells: list[Any], type_name: str) -> Array | None:
    """The column where all values are plainly of its type; None where each is to be looked at."""
    kinds = {*map(type, cells)}
    if type_name == "String":
        return np.array(cells, object) if kinds == _TEXT and _ABSENT.isdisjoint(cells) else None
    if type_name in _BITS:
        fit = kinds == _WHOLE and _fits(min(cells), type_name) and _fits(max(cells), type_name)
        return np.array(cells, np.int64) if fit else None
    if type_name == "Double" and kinds and kinds <= _NUMBERS:
        try:
            return np.array(cells, np.float64)
        except OverflowError:
            return None
    return None


def guessed(values: Series) -> Array:
    """The column as one of the type that all its values are of: integers, numbers, truth values, else text.

    Raises ModuleFailure 0002 for a column of numbers one of which no Double holds.
    """
    return _guessed(values.tolist(), values.name)


def _guessed(cells: list[Any], name: Any) -> Array:
    texts = _texts(cells)
    present = [text for text in texts if text is not None]
    if present and len(present) == len(texts) and all(_is_truth(text) for text in present):
        return _array([_TRUTH[text.lower()] for text in present])
    found: list[Any] = []
    beyond: object = None
    for text in texts:
        try:
            found.append(None if text is None else _number(text))
        except OutOfRange:
            beyond = text
        except ValueError:
            return _strings(texts)
    if beyond is not None:
        raise _not_converted(beyond, name, "Double")
    return _array(found)


def doubtful(values: Series) -> bool:
    """Whether pandas may have read the column otherwise than `guessed` does: integers that no Int64 holds, truth values
    of which some are missing or are written in other letters, numbers that became infinite.
    """
    from pandas import StringDtype

    match values.dtype.kind:
        case "f":
            return bool(np.isinf(values.to_numpy()).any())
        case "i" | "b":
            return False
        case "u":
            return True
    # Where an integer is beyond Int64 and a value is missing, pandas leaves the missing one as it is written.
    first = next((value for value in values if isinstance(value, str) and value not in MISSING), "")
    odd = len(values) > 0 and not isinstance(values.dtype, StringDtype)
    return odd or _is_number(first) or _is_truth(first)


def _texts(cells: list[Any]) -> list[Any]:
    """The values as text, or as they are where they are numbers; missing ones are None."""
    return [_plain(value) for value in cells]


def _plain(value: Any) -> Any:
    if value is None or value != value or (isinstance(value, str) and value in MISSING):
        return None
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else str(value)


def _strings(texts: list[Any]) -> Array:
    return np.array([text if text is None else str(text) for text in texts], object)


def _array(found: list[Any]) -> Array:
    """Truth values, integers or floating point numbers, by what is there."""
    if any(value is None for value in found):
        return np.array([np.nan if value is None else float(value) for value in found])
    if found and all(isinstance(value, bool) for value in found):
        return np.array(found, bool)
    if all(isinstance(value, int) and _fits(value, "Int64") for value in found):
        return np.array(found, np.int64)
    return np.array([float(value) for value in found])


def _fits(value: int, type_name: str) -> bool:
    return -(1 << _BITS[type_name]) <= value < 1 << _BITS[type_name]


def _is_number(text: str) -> bool:
    try:
        number(text)
    except OutOfRange:
        return True
    except ValueError:
        return False
    return True


def _is_truth(value: object) -> bool:
    return isinstance(value, str) and value.lower() in _TRUTH


def _number(value: Any) -> int | float:
    if isinstance(value, str):
        return number(value)
    _double(value, "Double")
    return value  # type: ignore[no-any-return]


def _double(value: Any, _type: str) -> float:
    if isinstance(value, str):
        return real(value)
    try:
        return float(value)
    except OverflowError as error:
        raise OutOfRange(value) from error


def _integer(value: Any, type_name: str) -> int:
    found = number(value) if isinstance(value, str) else value
    whole = int(found) if isinstance(found, int) or found.is_integer() else None
    if whole is None or not _fits(whole, type_name):
        raise ValueError(value)
    return whole


def _truth(value: Any, _type: str) -> bool:
    if _is_truth(value):
        return _TRUTH[value.lower()]
    whole = _integer(value, "Int32")
    if whole not in (0, 1):
        raise ValueError(value)
    return bool(whole)


_PARSERS: Final[Mapping[str, Callable[[Any, str], Any]]] = {
    "Boolean": _truth,
    "Int32": _integer,
    "Int64": _integer,
    "Double": _double,
}


def fits(text: str, type_name: str) -> bool:
    """Whether a text is a value of that type."""
    if type_name == "DateTime":
        return is_date(text)
    try:
        if type_name in _PARSERS:
            _PARSERS[type_name](text, type_name)
    except ValueError:
        return False
    return True


def _not_converted(value: object, column: object, type_name: str) -> ModuleFailure:
    shown = str(value) if len(str(value)) <= _SHOWN else str(value)[:_SHOWN] + "…"
    return ModuleFailure(
        "0002", f'Failed to convert value "{shown}" in column "{column}" from "String" to "{type_name}".'
    )
