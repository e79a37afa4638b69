"""Names of data versions: which of them a version asks for, and in which order they are.

Names are in order where they are written alike: the same text around the same count of numbers, such as ``v9`` and
``v10`` or ``2013-01`` and ``2013-12``. Numbers compare as numbers. Where two ways to order them differ (``201302`` and
``20130101``, ``12-2012`` and ``01-2013``, ``1`` and ``01``), nobody can say which is the later one, and it is not guessed.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from clients.errors import ConfigurationError, DataVersionNotFound
from clients.names import listed, nearest, shown

WINDOW = ".."
LATEST = "latest"
_NUMBER = re.compile(r"([0-9]+)")
_DATE = re.compile(r"(19|20)[0-9]{2}((0[1-9]|1[0-2])((0[1-9]|[12][0-9]|3[01])[0-9]*)?)?")
_YEAR = re.compile(r"(19|20)[0-9]{2}")
_LITERAL = "name the data version that is meant instead, or write all of them alike"

Shape = tuple[str, ...]
Order = Callable[[str], Any]


@dataclass(frozen=True)
class Chosen:
    """The *names* that were asked for, in their order, and those that are *left out* because they are written otherwise."""

    names: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    like: str = ""

    @property
    def note(self) -> str:
        """What is left out, in words; empty where nothing is."""
        if not self.left_out:
            return ""
        return f"{listed(self.left_out)}: left out, since not written like {shown(self.like)}"


def choose(version: str, there: Collection[str], where: str) -> Chosen:
    """Which of the names that are *there* the text *version* asks for; none where a literal or any version is missing.

    Raises ConfigurationError for a window that cannot be and for names without one order, DataVersionNotFound for the end
    of a window that does not exist.
    """
    if version == LATEST:
        alike, left = _alike(there, where)
        found = _last(alike, where)
        return Chosen(found, left, "".join(found))
    if WINDOW not in version:
        return Chosen((version,) if version in there else ())
    first, _, last = version.partition(WINDOW)
    if not first or not last or (_shape(first) == _shape(last) and _numbers(first) > _numbers(last)):
        raise ConfigurationError(
            f"{shown(version)!r} is not a window of data versions",
            "write it like 2013-01..2013-03, the earlier end first",
        )
    if missing := sorted({first, last} - set(there)):
        raise DataVersionNotFound(
            f"the window {shown(version)} begins or ends with {listed(missing)}, which does not exist; "
            f"{nearest(missing[0], there)}",
            "set both ends to data versions that exist",
        )
    if first != last and (_shape(first) != _shape(last) or not _numbers(first)):
        raise ConfigurationError(
            f"the ends of the window {shown(version)} are not written alike, with numbers, so that nothing is between them",
            "write it like 2013-01..2013-03, or name one data version",
        )
    if first == last:
        return Chosen((first,))
    alike = [name for name in there if _shape(name) == _shape(first)]
    return Chosen(_between(alike, first, last, where), tuple(sorted(set(there) - set(alike))), first)


def in_order(names: Iterable[str]) -> list[str]:
    """The names, those that are written alike together and in the order of their numbers."""
    return sorted(names, key=lambda name: (_shape(name), _numbers(name)))


def _shape(name: str) -> Shape:
    """What is around the numbers in a name."""
    return tuple(_NUMBER.split(name)[::2])


def _digits(name: str) -> list[str]:
    return _NUMBER.split(name)[1::2]


def _numbers(name: str) -> tuple[int, ...]:
    return tuple(map(int, _digits(name)))


def _alike(there: Collection[str], where: str) -> tuple[list[str], tuple[str, ...]]:
    """The names that are written as the versions are, and the others.

    The versions are those with numbers, written as most of them are; one with a text behind it (``2013-01-old``) is none.
    """
    if len(there) == 1:
        return list(there), ()
    shapes = Counter(_shape(name) for name in there if _digits(name))
    plain = {shape: count for shape, count in shapes.items() if not _is_variant(shape, shapes)}
    most = heapq.nlargest(2, plain, key=lambda shape: plain[shape])
    if there and (not most or len({plain[shape] for shape in most}) < len(most)):
        raise ConfigurationError(
            f"which data version in {where} is the latest cannot be said: they are not written alike, with numbers "
            f"({listed(there)})",
            _LITERAL,
        )
    alike = [name for name in there if most and _shape(name) == most[0]]
    return alike, tuple(sorted(set(there) - set(alike)))


def _is_variant(shape: Shape, shapes: Iterable[Shape]) -> bool:
    """Whether it is another shape with some more text behind it."""
    return any(
        other != shape and other[:-1] == shape[:-1] and shape[-1].startswith(other[-1]) for other in shapes
    )


def _orders(names: Collection[str]) -> dict[str, Order]:
    """The ways in which names of one shape may be meant to be in order, each but the first with its reason."""
    orders: dict[str, Order] = {"": _numbers}
    if _of_many_lengths(names):
        orders["may be numbers, or dates of more and fewer digits"] = _digits
    if year := _year_behind(next(iter(names), "")):
        orders["have the year behind, and what is in front of it may be of any order"] = lambda name: (
            _numbers(name)[year::-1] + _numbers(name)[year + 1 :]
        )
    return orders


def _last(alike: Collection[str], where: str) -> tuple[str, ...]:
    """The last one of names of one shape. Raises ConfigurationError where each order has another."""
    if not alike:
        return ()
    found = max(alike, key=_numbers)
    _refuse_twins([name for name in alike if _numbers(name) == _numbers(found)], where)
    for why, order in _orders(alike).items():
        if (other := max(alike, key=order)) != found:
            raise _undecided(found, other, where, why)
    return (found,)


def _between(alike: Collection[str], first: str, last: str, where: str) -> tuple[str, ...]:
    """Those from *first* to *last* of names of one shape. Raises ConfigurationError where each order has others."""
    found = sorted(
        (name for name in alike if _numbers(first) <= _numbers(name) <= _numbers(last)), key=_numbers
    )
    _refuse_twins(found, where)
    for why, order in _orders(alike).items():
        if other := {name for name in alike if order(first) <= order(name) <= order(last)} ^ set(found):
            raise _undecided(min(other), last, where, why)
    return tuple(found)


def _refuse_twins(names: Sequence[str], where: str) -> None:
    for one, other in pairwise(names):
        if _numbers(one) == _numbers(other):
            raise _undecided(one, other, where, "are the same numbers, written otherwise")


def _of_many_lengths(names: Iterable[str]) -> bool:
    """Whether all begin with what may be a date, of more digits here than there."""
    found = [next(iter(_digits(name)), "") for name in names]
    return len({len(digits) for digits in found}) > 1 and all(map(_DATE.fullmatch, found))


def _year_behind(name: str) -> int:
    """Where the year is in a name, among its numbers; 0 where none has one, or it is in front."""
    found = _digits(name)
    years = [at for at, digits in enumerate(found) if _YEAR.fullmatch(digits)]
    return years[0] if years and not _DATE.fullmatch(found[0]) else 0


def _undecided(one: str, other: str, where: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"which of the data versions {shown(one)} and {shown(other)} in {where} is the later one cannot be said: they "
        f"{why}",
        _LITERAL,
    )
