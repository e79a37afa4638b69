"""What changed between two property maps: to decide on a step, and to show it.

Source: `sdk/go/common/resource/properties_diff.go`, `pkg/resource/deploy/step_generator.go`,
`pkg/engine/detailedDiff.go` of Pulumi 3.260.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

from backend.checkpoint import State
from backend.values import Props, Unknown, contains, equal, masked, reveal
from engine import paths
from engine.errors import StepError
from engine.events import UNKNOWN_TEXT, Kind, PropertyDiff
from engine.paths import MISSING

INIT_ERRORS = "#initerror"


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


def leaves(old: Any, new: Any, path: paths.Path) -> Iterator[tuple[paths.Path, Kind, Any, Any]]:
    """The places where two values differ; nulls count as absent in objects."""
    if old is MISSING or new is MISSING:
        if old is not new:
            yield (path, "add", None, new) if old is MISSING else (path, "delete", old, None)
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from leaves(_present(old, key), _present(new, key), [*path, key])
    elif isinstance(old, list) and isinstance(new, list):
        for index, (before, after) in enumerate(zip_longest(old, new, fillvalue=MISSING)):
            yield from leaves(before, after, [*path, index])
    elif not equal(old, new):
        yield path, "update", old, new


def _present(props: Props, key: str) -> Any:
    return MISSING if props.get(key) is None else props[key]


def of_inputs(old: Props, new: Props) -> Diff:
    """The diff of plain inputs, for providers that leave it to the engine."""
    found = list(leaves(reveal(old), reveal(new), []))
    if not found:
        return Diff(changes=False)
    details = {paths.show(p): Detail(kind, input=True) for p, kind, _, _ in found}
    return Diff(True, changed_keys=sorted({str(p[0]) for p, *_ in found}), details=details)


def ignore_changes(inputs: Props, old: Props, ignored: Iterable[str]) -> Props:
    """The inputs with ignored properties set back to their old values."""
    for text in ignored:
        with contextlib.suppress(StepError):  # the CLI passes over what is no path, too
            inputs = paths.reset(inputs, old, paths.parse(text))
    return inputs


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


def to_show(
    diff: Diff | None, old: State | None, new: State | None, *, outputs: bool = False
) -> list[PropertyDiff]:
    """A step's properties, old → new, secrets masked, the provider's code and internals left out.

    `outputs` compares outputs as well, as a refresh does.
    """
    if old is None or new is None:
        return []
    details = diff.details if diff else None
    shown: dict[str, PropertyDiff] = {}
    if details:
        for text, detail in sorted(details.items()):
            path = paths.parse(text)
            if not path or _internal(path):
                continue
            before = paths.get(old.inputs if detail.input else old.outputs, path)
            if before is MISSING:
                before = paths.get(old.inputs, path)
            after = paths.get(new.outputs if outputs and not detail.input else new.inputs, path)
            shown[text] = _shown(path, detail.kind, before, after, detail.replaces)
    else:
        shown = _compare(old.inputs, new.inputs)
        if outputs:
            shown = {**_compare(old.outputs, new.outputs), **shown}
    for key in (diff.replace_keys if diff else None) or []:
        if key in shown:
            shown[key] = replace(shown[key], replaces=True)
    return list(shown.values())


def outputs_diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[PropertyDiff]:
    """How a stack's (masked) outputs change."""
    out = []
    for path, kind, before, after in leaves(dict(old), dict(new), []):
        unknown = after == UNKNOWN_TEXT
        out.append(PropertyDiff(paths.show(path), kind, before, None if unknown else after, unknown))
    return out


def _compare(old: Props, new: Props) -> dict[str, PropertyDiff]:
    found = {}
    for path, kind, before, after in leaves(old, new, []):
        if not _internal(path):
            found[paths.show(path)] = _shown(path, kind, before, after, False)
    return found


def _internal(path: paths.Path) -> bool:
    return isinstance(path[0], str) and path[0].startswith("__")


def _shown(path: paths.Path, kind: Kind, before: Any, after: Any, replaces: bool) -> PropertyDiff:
    unknown = after is not MISSING and isinstance(after, Unknown)
    old = None if before is MISSING or kind == "add" else masked(before)
    new = None if after is MISSING or kind == "delete" or unknown else masked(after)
    return PropertyDiff(paths.show(path), kind, old, new, unknown or contains(after, Unknown), replaces)
