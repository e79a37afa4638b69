"""The property diff of azure-native: old inputs against new ones, path by path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["add", "delete", "update"]


@dataclass(frozen=True, slots=True)
class Change:
    """What happened at one property path, and whether it takes a replacement."""

    kind: Kind
    replaces: bool


def normal_location(location: str) -> str:
    """`West Europe` and `westeurope` are one place."""
    return location.replace(" ", "").lower()


def changes(old: Mapping[str, Any], new: Mapping[str, Any], create_only: frozenset[str]) -> dict[str, Change]:
    """Changes by property path (`tags.owner`, `rules[0]`); plain values in, unknown counts as changed.

    Names in `create_only` are top-level properties; a change anywhere under one replaces the resource.
    """
    found: dict[str, Change] = {}
    for key in old.keys() | new.keys():
        if key.startswith("__") or _same_place(key, old, new):
            continue
        for path, kind in _compare(_step("", key), old, new, key):
            found[path] = Change(kind, key in create_only)
    return dict(sorted(found.items()))


def same_at(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether both have the property with one value; to spell out what ARM had filled in does not change it."""
    return key in old and key in new and (old[key] == new[key] or _same_place(key, old, new))


def _same_place(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    before, after = old.get(key), new.get(key)
    if key != "location" or not isinstance(before, str) or not isinstance(after, str):
        return False
    return normal_location(before) == normal_location(after)


def _compare(
    path: str, old: Mapping[str, Any], new: Mapping[str, Any], key: str
) -> Iterator[tuple[str, Kind]]:
    if key not in new:
        yield path, "delete"
    elif key not in old:
        yield path, "add"
    else:
        yield from _values(path, old[key], new[key])


def _values(path: str, before: Any, after: Any) -> Iterator[tuple[str, Kind]]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            yield from _compare(_step(path, key), before, after, key)
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            here = f"{path}[{index}]"
            if index >= len(after):
                yield here, "delete"
            elif index >= len(before):
                yield here, "add"
            else:
                yield from _values(here, before[index], after[index])
    elif before != after or type(before) is not type(after):
        yield path, "update"


def _step(path: str, key: str) -> str:
    if re.fullmatch(r"[A-Za-z_$][\w$]*", key):
        return f"{path}.{key}" if path else key
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'{path}["{quoted}"]'
