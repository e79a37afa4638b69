"""Rules: which requests a fault is for, how often it fires, and what it does; read strictly, written back whole."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from localcloud.faults.errors import invalid

# Faults of the answer, which any request can meet, those first that settle what is answered.
SETTLING = ("status", "drop", "truncate")
TRANSPORT = ("latency", *SETTLING)
UNCHANGED, STALE, ROLLED_BACK = "unchanged-binding", "stale-model", "rolled-back"
BINDING = (UNCHANGED, STALE, ROLLED_BACK)
INCOMPATIBLE = "incompatible-model"
KINDS = (*TRANSPORT, "lost-job", "stalled-job", "expired-sas", *BINDING, INCOMPATIBLE)

STATUSES = (429, 500, 503)
_LONGEST_SECONDS = 86_400
_COMMON = ("kind", "service", "method", "path", "count", "after", "probability")
# The fields that only some kinds have, and whether they must be given.
_OWN: Mapping[str, Mapping[str, bool]] = {
    "latency": {"seconds": True},
    "status": {"status": True, "retryAfter": False, "when": False},
    "drop": {"when": False},
    "stalled-job": {"seconds": False},
    STALE: {"seconds": False},
    ROLLED_BACK: {"seconds": True},
}
_METHOD = re.compile(r"[A-Za-z]{1,16}")


@dataclass(frozen=True)
class FaultRule:
    """One rule. `path` is a glob over the path without its query, whatever its case; ``*`` goes over slashes too.

    `after` matching requests pass, then at most `count` fire, each with `probability`. `seconds` is how long:
    the delay, until a stalled job goes on or a stale model goes, until a binding is rolled back; None is for ever.
    `when` says whether the client is refused before the request is carried out or after it was.
    """

    kind: str
    service: str | None = None
    method: str | None = None
    path: str | None = None
    count: int | None = None
    after: int = 0
    probability: float = 1.0
    seconds: float | None = None
    status: int | None = None
    retry_after: int | None = None
    when: str = "before"

    def matches(self, service: str, method: str, path: str) -> bool:
        """Whether a request is one that this rule is for."""
        return (
            self.service in (None, service)
            and self.method in (None, method.upper())
            and (self.path is None or fnmatchcase(path.lower(), self.path.lower()))
        )

    def to_json(self) -> dict[str, Any]:
        """The rule as it could be sent again."""
        values = {**vars(self), "retryAfter": self.retry_after}
        return {name: values[name] for name in (*_COMMON, *_OWN.get(self.kind, {}))}


def read_rules(body: Mapping[str, Any]) -> tuple[int, list[FaultRule]]:
    """Seed and rules of PUT ``/_local/faults``. Raises `BadArgument` that names the first wrong field."""
    for name in body:
        if name not in ("seed", "rules"):
            raise invalid(str(name), "there is no such field; there are seed and rules")
    entries = body.get("rules")
    if not isinstance(entries, list):
        raise invalid("rules", "a list of rules is required")
    seed = body.get("seed", 0)
    if not _is_whole(seed):
        raise invalid("seed", "it is a whole number")
    return seed, [read_rule(entry, f"rules[{number}]") for number, entry in enumerate(entries)]


def read_rule(entry: Any, where: str = "rule") -> FaultRule:
    """One rule; fields that are absent or null have their defaults. Raises `BadArgument`."""
    if not isinstance(entry, dict):
        raise invalid(where, "it is not an object")
    kind = entry.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise invalid(f"{where}.kind", f"it is one of {', '.join(KINDS)}")
    own = _OWN.get(kind, {})
    for name, value in entry.items():
        if name not in (*_COMMON, *own) and not (value is None and _belongs_elsewhere(name)):
            listed = ", ".join((*_COMMON, *own))
            raise invalid(f"{where}.{name}", f"a rule of kind {kind} has no such field; it has {listed}")
    given = {name: value for name, value in entry.items() if value is not None}
    for name, required in own.items():
        if required and name not in given:
            raise invalid(f"{where}.{name}", f"a rule of kind {kind} needs it")
    for name, value in given.items():
        _check(name, value, kind, f"{where}.{name}")
    if "method" in given:
        given["method"] = given["method"].upper()
    if "retryAfter" in given:
        given["retry_after"] = given.pop("retryAfter")
    return FaultRule(**given)


def _belongs_elsewhere(name: object) -> bool:
    return any(name in own for own in _OWN.values())


def _check(name: str, value: Any, kind: str, target: str) -> None:
    match name:
        case "service":
            allowed = ("studio", "blob") if kind in TRANSPORT else ("studio",)
            if value not in allowed:
                raise invalid(target, f"for kind {kind} it is {' or '.join(allowed)}, or null for any")
        case "method":
            if not isinstance(value, str) or not _METHOD.fullmatch(value):
                raise invalid(target, "it is an HTTP method such as POST, or null for any")
        case "path":
            if not isinstance(value, str) or not value:
                raise invalid(target, "it is a glob such as */jobs/*, or null for any")
        case "count":
            if not _is_whole(value) or value < 1:
                raise invalid(target, "it is a whole number from 1, or null for no limit")
        case "after" | "retryAfter":
            if not _is_whole(value) or value < 0:
                raise invalid(target, "it is a whole number from 0")
        case "probability":
            if not _is_number(value) or not 0 <= value <= 1:
                raise invalid(target, "it is a number from 0 to 1")
        case "seconds":
            if not _is_number(value) or not 0 <= value <= _LONGEST_SECONDS:
                raise invalid(target, f"it is a number from 0 to {_LONGEST_SECONDS}")
        case "status":
            if not _is_whole(value) or value not in STATUSES:
                raise invalid(target, f"it is one of {', '.join(map(str, STATUSES))}")
        case "when":
            if value not in ("before", "after"):
                raise invalid(target, "it is before or after")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
