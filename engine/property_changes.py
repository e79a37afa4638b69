"""What changed between two property maps, as a tree: the engine decides on a step with it, the terminal shows it.

Source: `sdk/go/common/resource/properties_diff.go`, `pkg/resource/deploy/step_generator.go`,
`pkg/engine/detailedDiff.go` of Pulumi 3.260.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from backend.checkpoint import State
from backend.values import UNKNOWN, UNKNOWN_TEXT, Props, Secret, Unknown, contains, equal, masked, reveal
from engine import paths
from engine.errors import StepError
from engine.paths import MISSING

INIT_ERRORS = "#initerror"
Kind = Literal["add", "delete", "update"]


@dataclass
class Change:
    """What became of a value; of two maps or two lists, what became of each entry."""

    kind: Literal["add", "delete", "update", "same"]
    old: Any = None
    new: Any = None
    entries: dict[str | int, Change] | None = None

    def leaves(self, *path: str | int) -> Iterator[tuple[paths.Path, Change]]:
        """The places that differ."""
        if self.entries is not None:
            for key, each in self.entries.items():
                yield from each.leaves(*path, key)
        elif self.kind != "same":
            yield list(path), self


def compare(old: Any, new: Any, *, exact: bool = False) -> Change | None:
    """What changed; None if nothing did. Nulls in maps are taken to be absent.

    If not `exact`, secrets are taken to be equal, and `__…` is left out.
    """
    entries: dict[str | int, Change] = {}
    if isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            if index >= len(old):
                entries[index] = Change("add", new=new[index])
            elif index >= len(new):
                entries[index] = Change("delete", old=old[index])
            else:
                same = Change("same", new=new[index])
                entries[index] = compare(old[index], new[index], exact=exact) or same
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            before, after = old.get(key), new.get(key)
            if (key.startswith("__") and not exact) or (before is None and after is None):
                continue
            if before is None:
                entries[key] = Change("add", new=after)
            elif after is None:
                entries[key] = Change("delete", old=before)
            else:
                entries[key] = compare(before, after, exact=exact) or Change("same", new=before)
    else:
        hidden = not exact and isinstance(old, Secret) and isinstance(new, Secret)
        return None if hidden or equal(old, new) else Change("update", old, new)
    if all(each.kind == "same" for each in entries.values()):
        return None
    return Change("update", old, new, entries)


@dataclass(frozen=True)
class Detail:
    """One entry of a detailed diff."""

    kind: Kind
    replaces: bool = False
    input: bool = False


@dataclass
class Diff:
    """A provider's answer: whether there are changes, which, and whether they replace the resource."""

    changes: bool | None  # None: the provider doesn't know
    replace_keys: list[str] = field(default_factory=list)
    changed_keys: list[str] = field(default_factory=list)
    details: dict[str, Detail] | None = None
    delete_before_replace: bool = False

    @property
    def replaces(self) -> bool:
        """Whether the resource has to be replaced."""
        return bool(self.replace_keys) or any(d.replaces for d in (self.details or {}).values())

    def inverted(self) -> Diff:
        """The diff seen from the other side, as a refresh shows it."""
        turn: dict[Kind, Kind] = {"add": "delete", "delete": "add", "update": "update"}
        details = self.details and {p: replace(d, kind=turn[d.kind]) for p, d in self.details.items()}
        return replace(self, details=details)


def of_details(
    details: Mapping[str, Detail], values: Callable[[Detail], tuple[dict[str, Any], dict[str, Any]]]
) -> Change:
    """The tree of a provider's detailed diff; `values` gives the maps, old and new, that an entry is about."""
    root = Change("update", entries={})
    for text, detail in sorted(details.items()):
        try:
            path = paths.parse(text)
        except StepError:
            path = [text]
        _insert(root, path, detail.kind, *values(detail))
    return root


def _insert(parent: Change, path: paths.Path, kind: Kind, olds: Any, news: Any) -> None:
    first, rest = path[0], path[1:]
    (old, was_there), (new, is_there) = _entry(olds, first), _entry(news, first)
    if parent.entries is None:
        parent.entries = {}
    if not rest and kind == "update":
        parent.entries[first] = compare(old, new) or Change("update", old, new)
    elif (not rest and kind == "add") or (rest and old is None and new is not None):
        parent.entries[first] = Change("add", new=new if is_there else UNKNOWN)
    elif not rest or (old is not None and new is None):
        parent.entries[first] = Change("delete", old=old if was_there else UNKNOWN)
    else:
        _insert(parent.entries.setdefault(first, Change("update", old, new)), rest, kind, old, new)


def _entry(value: Any, key: str | int) -> tuple[Any, bool]:
    """What is under a key, and whether anything is; what is unknown or secret is so in all its parts."""
    if isinstance(value, Unknown | Secret):
        return value, True
    if isinstance(value, dict):
        return value.get(str(key)), isinstance(key, str) and key in value
    if isinstance(value, list) and isinstance(key, int) and key < len(value):
        return value[key], True
    return None, False


# -- to decide


def of_inputs(old: Props, new: Props) -> Diff:
    """The diff of plain inputs, for providers that leave it to the engine."""
    change = compare(reveal(old), reveal(new), exact=True)
    if change is None:
        return Diff(changes=False)
    found = list(change.leaves())
    details = {paths.show(path): Detail(_kind(leaf), input=True) for path, leaf in found}
    return Diff(True, changed_keys=sorted({str(path[0]) for path, _ in found}), details=details)


def ignore_changes(inputs: Props, old: Props, ignored: Iterable[str]) -> Props:
    """The inputs with ignored properties set back to their old values."""
    for text in ignored:
        with contextlib.suppress(StepError):  # the CLI passes over what is no path, too
            inputs = paths.reset(inputs, old, paths.parse(text))
    return inputs


def resolve(diff: Diff, old_inputs: Props, new_inputs: Props, ignored: list[str]) -> Diff:
    """A provider's diff, with a comparison of inputs where the provider leaves it to the engine."""
    if diff.changes is not None:
        return diff
    plain = of_inputs(old_inputs, ignore_changes(new_inputs, old_inputs, ignored))
    plain.replace_keys, plain.delete_before_replace = diff.replace_keys, diff.delete_before_replace
    return plain


def with_replace_on_changes(diff: Diff, patterns: list[str], init_errors: bool) -> Diff:
    """The diff in which changes of the named properties replace the resource."""
    if not diff.changes and not init_errors:
        return diff
    parsed = [paths.parse(p) for p in patterns]

    def named(path: str) -> bool:
        return any(paths.covers(p, paths.parse(path)) for p in parsed)

    details = diff.details
    if details is not None:
        details = {p: replace(d, replaces=True) if named(p) else d for p, d in details.items()}
    keys = [*diff.replace_keys, *(k for k in diff.changed_keys if k not in diff.replace_keys and named(k))]
    changes = diff.changes
    if init_errors and named(INIT_ERRORS):
        keys.append(INIT_ERRORS)
        changes = True
    return replace(diff, changes=changes, details=details, replace_keys=keys)


# -- to show, one line a property


@dataclass(frozen=True)
class PropertyDiff:
    """One property, old → new; secrets are masked and `unknown` says that `new` isn't known yet."""

    path: str
    kind: Kind
    old: Any = None
    new: Any = None
    unknown: bool = False
    replaces: bool = False


def to_show(diff: Diff | None, old: State | None, new: State | None, *, outputs: bool) -> list[PropertyDiff]:
    """A step's properties, old → new, secrets masked, the provider's code and internals left out.

    `outputs` compares outputs as well, as a refresh does.
    """
    if old is None or new is None:
        return []
    shown: dict[str, PropertyDiff] = {}
    if diff and diff.details:
        for text, detail in sorted(diff.details.items()):
            path = paths.parse(text)
            if not path or _internal(path):
                continue
            before = paths.get(old.inputs if detail.input else old.outputs, path)
            if before is MISSING:
                before = paths.get(old.inputs, path)
            after = paths.get(new.outputs if outputs and not detail.input else new.inputs, path)
            shown[text] = _shown(path, detail.kind, before, after, detail.replaces)
    else:
        shown = _listed(old.inputs, new.inputs)
        if outputs:
            shown = {**_listed(old.outputs, new.outputs), **shown}
    for key in diff.replace_keys if diff else ():
        if key in shown:
            shown[key] = replace(shown[key], replaces=True)
    return list(shown.values())


def outputs_diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[PropertyDiff]:
    """How a stack's (masked) outputs change."""
    out = []
    for path, leaf in _leaves(dict(old), dict(new)):
        unknown = leaf.new == UNKNOWN_TEXT
        now = None if unknown else leaf.new
        out.append(PropertyDiff(paths.show(path), _kind(leaf), leaf.old, now, unknown))
    return out


def _leaves(old: Props, new: Props) -> Iterable[tuple[paths.Path, Change]]:
    change = compare(old, new, exact=True)
    return change.leaves() if change else ()


def _kind(leaf: Change) -> Kind:
    assert leaf.kind != "same"
    return leaf.kind


def _listed(old: Props, new: Props) -> dict[str, PropertyDiff]:
    return {
        paths.show(path): _shown(path, _kind(leaf), leaf.old, leaf.new, False)
        for path, leaf in _leaves(old, new)
        if not _internal(path)
    }


def _internal(path: paths.Path) -> bool:
    return isinstance(path[0], str) and path[0].startswith("__")


def _shown(path: paths.Path, kind: Kind, before: Any, after: Any, replaces: bool) -> PropertyDiff:
    unknown = after is not MISSING and isinstance(after, Unknown)
    old = None if before is MISSING or kind == "add" else masked(before)
    new = None if after is MISSING or kind == "delete" or unknown else masked(after)
    return PropertyDiff(paths.show(path), kind, old, new, unknown or contains(after, Unknown), replaces)
