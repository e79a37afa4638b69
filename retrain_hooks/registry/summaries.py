"""What is told of each of many runs: the index of its record, so that one listing tells it of thousands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from retrain_hooks.registry.plain import Malformed, decode, encode

_INDEX = "told"
_MOST = 6_000  # characters, of the 8 KB that a service keeps beside a blob


@dataclass(frozen=True)
class Summary:
    """A run without what only its own page tells; *when* is the time of the last thing that happened to it; *member*
    says that it was trained for a fleet's member, from rows of a table.
    """

    key: str
    experiment: str
    state: str
    attempt: int
    address: str
    data_version: str
    data_digest: str
    when: str
    seconds: float | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    former: str = ""
    member: bool = False


def index_of(summary: Summary) -> Mapping[str, str]:
    """What a listing tells of a run's record; nothing where it is too much."""
    text = json.dumps(encode(summary), separators=(",", ":"))
    return {_INDEX: text} if len(text) <= _MOST else {}


def summary_in(index: Mapping[str, str]) -> Summary | None:
    """What a listing has told; None for a record of an earlier release, or that somebody else wrote."""
    try:
        found: Summary = decode(Summary, json.loads(index[_INDEX]))
    except (KeyError, ValueError, Malformed):
        return None
    return found
