"""Property paths such as `tags.name`, `list[0]`, `a["b.c"]`, `rules[*].port`, as in ignoreChanges."""

from __future__ import annotations

import re
from typing import Any

from backend.values import Secret
from engine.errors import StepError

Path = list[str | int]
MISSING = object()
_STEP = re.compile(r"""\.?([^.\[]+) | \["((?:[^"\\]|\\.)*)"\] | \[(\d+|\*)\]""", re.VERBOSE | re.DOTALL)


def parse(text: str) -> Path:
    """The path's steps; `*` stands for every key or index.

    Raises:
        StepError: not a property path.
    """
    steps: Path = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise StepError(
                f"invalid property path {text!r}: no property or index can be read at {text[at:]!r}"
            )
        name, quoted, index = match.groups()
        if index is None:
            steps.append(name or re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL))
        else:
            steps.append("*" if index == "*" else int(index))
        at = match.end()
    return steps


def show(path: Path) -> str:
    """The path's text; the inverse of `parse`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif not step or any(c in '.[]"' for c in step):
            escaped = step.replace("\\", "\\\\").replace('"', '\\"')
            text += f'["{escaped}"]'
        else:
            text += f".{step}" if text else step
    return text


def covers(pattern: Path, path: Path) -> bool:
    """Whether `path` is what `pattern` names, or lies below it."""
    if len(pattern) > len(path):
        return False
    return all(p in ("*", s) for p, s in zip(pattern, path, strict=False))


def get(value: Any, path: Path) -> Any:
    """The value at a path without wildcards, or `MISSING`; secrets are looked into."""
    for step in path:
        if isinstance(value, Secret):
            value = value.value
        if isinstance(value, list) and isinstance(step, int):
            value = value[step] if step < len(value) else MISSING
        else:
            value = value.get(step, MISSING) if isinstance(value, dict) else MISSING
    return value


def reset(new: Any, old: Any, path: Path) -> Any:
    """`new` with what lies at `path` set back to what `old` has there (removed where `old` has nothing)."""
    if not path:
        return old
    if isinstance(new, Secret) or isinstance(old, Secret):
        inner_new = new.value if isinstance(new, Secret) else new
        inner_old = old.value if isinstance(old, Secret) else old
        return Secret(reset(inner_new, inner_old, path))
    step, rest = path[0], path[1:]
    if isinstance(new, dict) and isinstance(old, dict) and isinstance(step, str):
        out = dict(new)
        for key in {*new, *old} if step == "*" else {step}:
            if not rest and key not in old:
                out.pop(key, None)
            elif key in old and (key in new or not rest):
                out[key] = reset(new.get(key), old[key], rest)
        return out
    if isinstance(new, list) and isinstance(old, list):
        items = list(new)
        for index in range(min(len(new), len(old))):
            if step in ("*", index):
                items[index] = reset(items[index], old[index], rest)
        return items
    return new
