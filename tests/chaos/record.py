"""What a history leaves behind: its stacks, and all that the invariants need to know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos import program
from tests.chaos.engine import Declared, State

Json = dict[str, Any]


@dataclass
class Stack:
    """One stack: its state, and what its configuration says now."""

    name: str
    state: State
    declared: program.Stack
    config: program.Config
    reported: str | None = None  # what is bound as the last update said, where it succeeded
    component: str = ""  # what the endpoint's component is called now
    former: str | None = None  # … and what it was called before, as its alias says
    ending: bool = False  # a destroy has begun, and no update succeeded since
    taking_over: bool = False  # another checkout has its name; to be taken over by the next update

    def program(self, config: program.Config | None = None) -> list[Declared]:
        """What its program declares."""
        return program.resources(config or self.config, self.declared)


@dataclass
class Record:
    """All that a history left behind for the invariants."""

    journal: list[Json] = field(default_factory=list)
    trace: list[Json] = field(default_factory=list)
    # (key, attempt) → every state and job that its record was seen with.
    seen: dict[tuple[str, int], set[tuple[str, str]]] = field(default_factory=dict)
    ledger: dict[str, Json] = field(default_factory=dict)
    runs: dict[str, Json] = field(default_factory=dict)  # each key's record when it was last seen finished
    damaged: set[str] = field(default_factory=set)  # addresses of models that were deleted or altered
    corrupted: set[str] = field(default_factory=set)  # keys whose record was corrupted
    disturbed: set[str] = field(default_factory=set)  # versions whose blob was touched or changed
    services: dict[str, Json] = field(
        default_factory=dict
    )  # of each job that a record named: its web service
    destroyed: set[str] = field(default_factory=set)  # jobs that went with their service
    errors: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    violations: list[tuple[str, str]] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)

    def violate(self, kind: str, text: str) -> None:
        """Note that an invariant does not hold."""
        self.violations.append((kind, text))


def writes(journal: Sequence[Json]) -> Counter[str]:
    """The writes of a journal as ``METHOD path``, counted."""
    return Counter(
        f"{entry['method']} {entry['path'].partition('?')[0]}"
        for entry in journal
        if entry["effect"] == "write"
    )
