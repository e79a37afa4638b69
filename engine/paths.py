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


def reset(new: Any, old: Any, path: Path, secret: bool = False, within: bool = False) -> Any:
    """`new` with what lies at `path` set back to what `old` has there, removed where that has nothing.

    Nothing is added to or taken from a list. What is `secret` in `old` stays so, unless it lies `within` a secret.
    """
    if isinstance(old, Secret):
        return reset(new, old.value, path, True, within)
    if isinstance(new, Secret):
        return Secret(reset(new.value, old, path, secret, True))
    step, rest = path[0], path[1:]

    def back(key: Any) -> Any:
        if rest:
            return reset(new[key], old[key] if key in places else None, rest, secret, within)
        return Secret(old[key]) if secret and not within else old[key]

    places: Any = range(len(old)) if isinstance(old, list) else old if isinstance(old, dict) else ()
    if isinstance(new, list) and isinstance(old, list) and not (isinstance(step, str) and step != "*"):
        return [back(i) if step in ("*", i) and i in places else each for i, each in enumerate(new)]
    if (
        not isinstance(new, dict)
        or isinstance(step, int)
        or (not isinstance(old, dict) and (rest or step == "*"))
    ):
        return new
    if rest:
        return {k: back(k) if k == step or (step == "*" and k in places) else v for k, v in new.items()}
    kept = {k: v for k, v in new.items() if step not in ("*", k)}
    return kept | {k: back(k) for k in places if step in ("*", k)}
