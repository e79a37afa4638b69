"""Property paths such as `tags.name`, `list[0]`, `a["b.c"]`, `rules[*].port`, as in ignoreChanges."""

from __future__ import annotations

from typing import Any

from backend.values import Secret
from engine.errors import StepError

Path = list[str | int]
MISSING = object()


def parse(text: str) -> Path:
    """The path's steps; `*` stands for every key or index.

    Raises:
        StepError: not a property path.
    """
    steps: Path = []
    rest = text
    while rest:
        if rest[0] == ".":
            rest = rest[1:]
            if not rest or rest[0] in ".[":
                raise StepError(f"invalid property path {text!r}")
        elif rest[0] == "[":
            if rest.startswith('["'):
                end, key = _quoted(rest, text)
                steps.append(key)
                rest = rest[end:]
                continue
            inner, bracket, rest = rest[1:].partition("]")
            if not bracket:
                raise StepError(f"invalid property path {text!r}: missing closing bracket")
            if inner == "*":
                steps.append("*")
            elif inner.isdecimal():
                steps.append(int(inner))
            else:
                raise StepError(f"invalid property path {text!r}: invalid array index")
        else:
            length = next((i for i, c in enumerate(rest) if c in ".["), len(rest))
            steps.append(rest[:length])
            rest = rest[length:]
    return steps


def _quoted(rest: str, text: str) -> tuple[int, str]:
    key, index = "", 2
    while index < len(rest):
        if rest[index] == "\\" and index + 1 < len(rest):
            key, index = key + rest[index + 1], index + 2
        elif rest[index] == '"':
            if rest[index + 1 : index + 2] != "]":
                break
            return index + 2, key
        else:
            key, index = key + rest[index], index + 1
    raise StepError(f"invalid property path {text!r}: missing closing quote or bracket")


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
