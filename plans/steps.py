"""The steps of a run as either engine tells them: those of `pulumi preview --json`, or of the CLI's event log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

UNKNOWN: Final = "[unknown]"
# How Pulumi writes a value that is not known yet, by its type: sdk/go/common/resource/plugin/rpc.go of 3.260.
_UNKNOWNS: Final = frozenset(
    (
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    )
)
_PYTHON: Final = "__provider"  # how a dynamic provider is kept in a state; says nothing of the resource


@dataclass(frozen=True)
class Step:
    """One operation on one resource. `old` and `new` are its properties: inputs, and over them outputs; without secrets."""

    operation: str
    """What it comes to, in a word: the engine's `op`, or in its place adopt, take over, withhold, leave."""
    urn: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    inputs: Mapping[str, Any]
    custom: bool = True
    op: str = ""

    @cached_property
    def type(self) -> str:
        """The resource's own type."""
        return self.urn.split("::", 3)[2].rsplit("$", 1)[-1]

    @cached_property
    def name(self) -> str:
        """The name that the program gives the resource."""
        return self.urn.split("::", 3)[3]

    @property
    def kind(self) -> str:
        """`pulumi-python:dynamic/retrain:TrainedModel` → `TrainedModel`."""
        return self.type.rpartition(":")[2]

    @property
    def ours(self) -> bool:
        """Whether one of this project's providers makes it."""
        return "retrain:" in self.type


def steps_of(document: Mapping[str, Any]) -> list[Step]:
    """The steps that a run tells of, providers left out; of a component that is told of twice the latter."""
    return list({(step.urn, step.operation): step for step in _steps(document.get("steps") or ())}.values())


def _steps(told: Iterable[Mapping[str, Any]]) -> Iterator[Step]:
    for step in told:
        old, new = step.get("oldState") or {}, step.get("newState") or {}
        urn = str(step["urn"])
        if "pulumi:providers:" in urn:
            continue
        operation = str(step.get("outcome") or step["op"])
        custom = bool((new or old).get("custom"))
        inputs = _plain(new.get("inputs") or {})
        yield Step(operation, urn, _props(old), _props(new), inputs, custom, str(step["op"]))


def _props(state: Mapping[str, Any]) -> dict[str, Any]:
    return _plain({**(state.get("inputs") or {}), **(state.get("outputs") or {})})


def _plain(props: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _told(value) for name, value in props.items() if name != _PYTHON}


def _told(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _told(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_told(each) for each in value]
    return UNKNOWN if isinstance(value, str) and value in _UNKNOWNS else value


def has_unknowns(value: Any) -> bool:
    """Whether something in it is known only when the update has come to it."""
    if isinstance(value, Mapping):
        return any(map(has_unknowns, value.values()))
    if isinstance(value, list):
        return any(map(has_unknowns, value))
    return bool(value == UNKNOWN)
