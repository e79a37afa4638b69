"""The catalogue of training runs, and the retirement of models that nobody serves any more."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from clients.clock import Clock
from clients.errors import ConfigurationError, NotFound
from clients.storage import Blob, Container
from retrain_hooks.bound import InUse
from retrain_hooks.ledger import CorruptRecord, Ledger, Run

_KEY = re.compile(r"[0-9a-f]{1,64}")
_MODEL = re.compile(r"(?P<folder>models/[^/]+/[0-9a-f]{64}/)(?P<attempt>\d+)\.[a-z.]+")


def newest_first(runs: list[Run]) -> list[Run]:
    """*runs* by the last thing that happened to them."""
    return sorted(runs, key=lambda run: (when(run), run.key), reverse=True)


def when(run: Run) -> str:
    """The time of the last thing that happened to a run, ISO-8601 in UTC."""
    return run.ended_at or run.started_at or run.planned_at


def find(ledger: Ledger, prefix: str) -> Run:
    """The run whose key starts with *prefix*.

    Raises ConfigurationError where none or several do, CorruptRecord where its record can't be read.
    """
    if not _KEY.fullmatch(prefix):
        raise ConfigurationError(
            f"{prefix!r} is no run key", "give the first digits of one that ./dev runs shows"
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


def verdicts(registry: Container, key: str) -> list[dict[str, Any]]:
    """The gate's verdicts on a run's model, as they are recorded; one that can't be read as its ``problem``."""
    found: list[dict[str, Any]] = []
    for blob in registry.list(f"verdicts/{key}/"):
        try:
            record = json.loads(registry.read(blob.name)[0])
            found.append({**record, "name": blob.name})
        except (NotFound, ValueError, TypeError):
            found.append({"name": blob.name, "problem": "this verdict cannot be read"})
    return found


@dataclass(frozen=True)
class Wish:
    """Which models may be retired: past the *keep* newest of each experiment, and *older_than* so many days."""

    keep: int = 5
    older_than: float | None = None

    def __post_init__(self) -> None:
        if self.keep < 1:
            raise ConfigurationError(
                "at least the newest model of each experiment is kept", "give --keep 1 or more"
            )


@dataclass
class Plan:
    """What a prune would do: *retire* these, with their *blobs*; *bound* ones stay, as do unreadable records."""

    retire: list[Run] = field(default_factory=list)
    blobs: dict[str, list[Blob]] = field(default_factory=dict)
    bound: dict[str, list[str]] = field(default_factory=dict)
    corrupt: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refused: str = ""

    def bytes(self, run: Run) -> int:
        """How much a run's retirement frees."""
        return sum(blob.size for blob in self.blobs[run.key])


class Pruner:
    """Retires old models: record first, blobs after; never one that *in_use* names, nor any while it can't tell."""

    def __init__(self, ledger: Ledger, in_use: Callable[[], InUse], clock: Clock) -> None:
        self._ledger = ledger
        self._in_use = in_use
        self._clock = clock

    def plan(self, wish: Wish) -> Plan:
        """What would be retired now. Reads only."""
        plan, used = Plan(), self._in_use()
        plan.notes = used.notes
        blobs = self._blobs()
        for run in self._old(wish, plan):
            own = _attempts(blobs, run)
            if run.state == "retired" and not own:
                continue
            if where := _served(run, used):
                plan.bound[run.key] = where
            else:
                plan.retire.append(run)
                plan.blobs[run.key] = own
        plan.refused = _unsure(used)
        if plan.refused:
            plan.retire, plan.blobs = [], {}
        return plan

    def carry_out(self, plan: Plan) -> list[Run]:
        """Retire what was planned and is still as it was; those that were retired."""
        retired = []
        for run in plan.retire:
            entry = self._ledger.find(run.key)
            if entry is None or entry.run != run:
                plan.notes.append(f"run {run.key[:12]} has changed meanwhile: left as it is")
            elif run.state == "retired" or self._ledger.advance(entry, replace(run, state="retired"))[1]:
                retired.append(run)
        # Bound while the records were written: those models are needed after all.
        used = self._in_use()
        done = []
        for run in retired:
            if _unsure(used) or _served(run, used):
                plan.notes.append(f"run {run.key[:12]} was bound meanwhile: kept")
                self._restore(run)
                continue
            for blob in plan.blobs[run.key]:
                self._ledger.registry.delete(blob.name)
            done.append(run)
        return done

    def _restore(self, run: Run) -> None:
        entry = self._ledger.find(run.key)
        if entry is not None and entry.run == replace(run, state="retired"):
            self._ledger.advance(entry, run)

    def _old(self, wish: Wish, plan: Plan) -> list[Run]:
        """Finished runs past what *wish* keeps, and retired ones, of which an interrupted prune may have left blobs."""
        experiments: dict[str, list[Run]] = defaultdict(list)
        found: list[Run] = []
        for run in self._ledger.runs():
            if isinstance(run, CorruptRecord):
                plan.corrupt.append(run.cause)
            elif run.state == "finished":
                experiments[run.experiment].append(run)
            elif run.state == "retired":
                found.append(run)
        for runs in experiments.values():
            found += [run for run in newest_first(runs)[wish.keep :] if self._aged(run, wish)]
        return found

    def _aged(self, run: Run, wish: Wish) -> bool:
        if wish.older_than is None:
            return True
        try:
            ended = datetime.fromisoformat(run.ended_at)
            return self._clock.now() - ended > timedelta(days=wish.older_than)
        except (ValueError, TypeError):
            return False

    def _blobs(self) -> dict[str, list[Blob]]:
        """What lies in the folders of models."""
        found: dict[str, list[Blob]] = defaultdict(list)
        for blob in self._ledger.registry.list("models/"):
            if match := _MODEL.fullmatch(blob.name):
                found[match["folder"]].append(blob)
        return found


def _attempts(blobs: dict[str, list[Blob]], run: Run) -> list[Blob]:
    """What this attempt and those before it left; a later one is somebody's who trains it again."""
    return [
        blob
        for blob in blobs.get(_folder(run.address), [])
        if int(blob.name.removeprefix(_folder(run.address)).partition(".")[0]) <= run.attempt
    ]


def _served(run: Run, used: InUse) -> list[str]:
    """Where any attempt of the run is served."""
    return [
        where
        for address, places in used.where.items()
        if _folder(address) == _folder(run.address)
        for where in places
    ]


def _folder(address: str) -> str:
    return address.rpartition("/")[0] + "/"


def _unsure(used: InUse) -> str:
    """Why nothing may be retired; empty where it may."""
    return "; ".join(used.unreadable)
