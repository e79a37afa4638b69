"""What a plan promises of each step: the engine's operation, and digests by property of what it is given."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from plans.steps import Step, has_unknowns

_HIDDEN: Final = "[secret]"
OPERATION: Final = ""
"""What a promise has the engine's operation under."""
# What tells of the moment, or is found out by the update: not what is done.
_PASSING: Final = ("plan", "why", "verdict", "rules", "first", "metrics", "etags")


def digest(value: Any) -> str:
    """SHA-256 of a JSON value in one form, 64 hex digits; 1.0 is 1."""
    text = json.dumps(_plain(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def promise(step: Step) -> dict[str, str]:
    """The engine's operation, and digests of what it is given, as far as that is known and no secret."""
    given = step.old if step.op.startswith("delete") else step.inputs
    told = {
        name: digest(value)
        for name, value in given.items()
        if name not in _PASSING and not has_unknowns(value) and _HIDDEN not in json.dumps(value, default=str)
    }
    return {OPERATION: step.op, **told}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
