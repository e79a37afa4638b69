"""What a plan promises of each step, as digests by property, and the check that a step is one of those.

A step that is not in the approved plan is refused where it would be made: by the provider, just before it writes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from plans.steps import Step, has_unknowns

APPROVED: Final = "RETRAIN_APPROVED_PLAN"
"""The environment variable that names the file with the promises of the plan that an update carries out."""
_HIDDEN: Final = "[secret]"
_OPERATION: Final = ""
# What tells of the moment, or is found out by the update: not what is done.
_PASSING: Final = ("plan", "why", "verdict", "rules", "first", "metrics")
_SAME_AS: Final = {
    "adopt": "create",
    "take over": "create",
    "withhold": "create",
    "leave": "delete",
    "replace": "create",
}

Promises = Mapping[str, Mapping[str, str]]


def digest(value: Any) -> str:
    """SHA-256 of a JSON value in one form, 64 hex digits; 1.0 is 1."""
    text = json.dumps(_plain(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def promise(step: Step) -> dict[str, str]:
    """The digests of what a step is going to do, as far as that is known and no secret."""
    told = {
        name: digest(value)
        for name, value in step.inputs.items()
        if name not in _PASSING and not has_unknowns(value) and _HIDDEN not in json.dumps(value, default=str)
    }
    return {_OPERATION: step.operation, **told}


def kept(promises: Promises, kind: str, operation: str, inputs: Mapping[str, Any]) -> bool:
    """Whether the *operation* (create, update, delete) on a resource of that *kind* is one of the promises."""
    found = {name: digest(value) for name, value in inputs.items()}
    return any(
        urn.rpartition("::")[0].endswith(f":{kind}")
        and _SAME_AS.get(told[_OPERATION], told[_OPERATION])
        in (operation, "create-replacement", "delete-replaced")
        and all(found.get(name, value) == value for name, value in told.items() if name != _OPERATION)
        for urn, told in promises.items()
    )


def read(file: str) -> Promises:
    """The promises in a file."""
    promises: Promises = json.loads(Path(file).read_text(encoding="utf-8"))
    return promises


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
