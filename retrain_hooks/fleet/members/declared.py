"""What a list says of each member."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clients.errors import ConfigurationError, RetrainError
from clients.names import likeliest, shown
from retrain_hooks.fleet.members.names import wrong_endpoint, wrong_name
from retrain_hooks.fleet.members.pattern import Pattern
from retrain_hooks.gate.inputs import GateInputs
from retrain_hooks.host.inputs import Inputs, prop


@dataclass(frozen=True)
class Entry(Inputs):
    """One member as a list or a file has it."""

    name: str = prop("the member's name")
    path: str = prop("where its data is, where that is not the fleet's path", default="", judge=Pattern.parse)
    version: str = prop("its data version, where that is not the fleet's", default="")
    endpoint: str = prop("the name of its endpoint", default="")
    parameters: Mapping[str, Any] = prop("parameters of its own, over the fleet's", default={})
    gate: Mapping[str, Any] = prop("a gate of its own, over the fleet's", default={})
    probe_rows: int | None = prop("with how many rows it is probed", default=None, least=0, unit="rows")
    formerly: str = prop("the name that it had", default="")


KEYS = tuple(row.name for row in Entry.table())
GATE_KEYS = tuple(row.name for row in GateInputs.table() if not row.rules.output)
# What tells who a member is, whatever else is wrong with its entry.
_IDENTITY = ("name", "endpoint", "formerly")


@dataclass(frozen=True)
class Declared:
    """A member that is listed; with a *problem* no more of its entry may be known than who it is."""

    entry: Entry
    problem: str = ""


def declared(listed: Sequence[Any]) -> tuple[Declared, ...]:
    """The members of a list: each an object, or a text, which is its name."""
    return tuple(map(_declared, listed))


def _declared(given: Any) -> Declared:
    if isinstance(given, str):
        given = {"name": given}
    if not isinstance(given, Mapping):
        return Declared(
            Entry(""), f"{shown(str(given))} is neither a name nor an object; write a name, or name: …"
        )
    given = {key: value for key, value in given.items() if value is not None}
    try:
        entry = Entry.parse({"name": ""} | given)
    except ConfigurationError as error:
        kept = {key: given[key] for key in _IDENTITY if isinstance(given.get(key), str)}
        return Declared(Entry.parse({"name": ""} | kept), told(error))
    return Declared(entry, _problem(entry, given))


def _problem(entry: Entry, given: Mapping[str, Any]) -> str:
    problem = wrong_name(entry.name)
    problem = problem or _unknown(given, KEYS, "") or _unknown(entry.gate, GATE_KEYS, "gate.")
    problem = problem or (wrong_endpoint(entry.endpoint) if entry.endpoint else "")
    if entry.gate and not problem:
        try:
            GateInputs.parse(entry.gate)
        except ConfigurationError as error:
            return told(error)
    return problem


def _unknown(given: Mapping[str, Any], known: Collection[str], within: str) -> str:
    for key in given:
        if key not in known:
            return f"there is no {within}{shown(str(key))}; write {within}{likeliest(str(key), known)}"
    return ""


def told(error: RetrainError) -> str:
    """Cause and remedy in one line."""
    return f"{error.cause}; {error.remedy}"
