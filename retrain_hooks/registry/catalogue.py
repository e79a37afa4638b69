"""The catalogue of training runs: found by the first digits of a key, and the newest first."""

from __future__ import annotations

import re
from typing import TypeVar

from clients.errors import ConfigurationError
from retrain_hooks.registry.ledger import Ledger, Run
from retrain_hooks.registry.summaries import Summary

_KEY = re.compile(r"[0-9a-f]{1,64}")


def newest_first(runs: list[Run]) -> list[Run]:
    """*runs* by the last thing that happened to them."""
    return sorted(runs, key=lambda run: (when(run), run.key), reverse=True)


R = TypeVar("R", Run, Summary)


def distinct(runs: list[R]) -> list[R]:
    """*runs*, without those that are on record under the key of an earlier release as well, which their models bear."""
    keys = {run.key for run in runs}
    return [run for run in runs if run.former not in keys]


def when(run: Run) -> str:
    """The time of the last thing that happened to a run, ISO-8601 in UTC."""
    return run.ended_at or run.started_at or run.planned_at


def find(ledger: Ledger, prefix: str) -> Run:
    """The run whose key starts with *prefix*.

    Raises ConfigurationError where none or several do, Unreadable where its record can't be read.
    """
    if not _KEY.fullmatch(prefix):
        raise ConfigurationError(
            f"{prefix!r} is not a run key", "give the first digits of a key that ./dev runs shows"
        )
    keys = ledger.keys(prefix)
    if len(keys) > 1:
        raise ConfigurationError(
            f"{len(keys)} runs have keys that start with {prefix}: {', '.join(key[:16] for key in keys[:5])}",
            "give more digits",
        )
    entry = ledger.find(keys[0]) if keys else None
    if entry is None:
        raise ConfigurationError(f"there is no run {prefix}", "see ./dev runs for those that there are")
    return entry.run
