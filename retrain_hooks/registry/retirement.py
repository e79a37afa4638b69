"""The retirement of models that nobody serves any more.

A model is where its run's record says (its address); a model that a run which is kept has as well stays, whosever run it
was first.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from clients.clock import Clock
from clients.errors import ConfigurationError
from clients.storage import Blob
from retrain_hooks.registry.catalogue import newest_first
from retrain_hooks.registry.ledger import Ledger, Run
from retrain_hooks.registry.markers import InUse
from retrain_hooks.registry.records import NewerFormat, Unreadable

_MODEL = re.compile(r"(?P<folder>models/[^/]+/[0-9a-f]{64}/)(?P<attempt>\d+)(?:\.[a-z.]+|/.+)")


@dataclass(frozen=True)
class Wish:
    """Which models may be retired: past the *keep* newest of each experiment, and *older_than* so many days.

    Runs that have one model are one of them.
    """

    keep: int = 5
    older_than: float | None = None

    def __post_init__(self) -> None:
        if self.keep < 1:
            raise ConfigurationError(
                "at least the newest model of each experiment is kept", "give --keep 1 or more"
            )


@dataclass
class Plan:
    """What a prune would do: *retire* these, with their *blobs*. Those that are *bound* stay, those whose model another run
    that is kept has as well (*shared*: whose, by key), and those whose records cannot be read.
    """

    retire: list[Run] = field(default_factory=list)
    blobs: dict[str, list[Blob]] = field(default_factory=dict)
    bound: dict[str, list[str]] = field(default_factory=dict)
    shared: dict[str, list[str]] = field(default_factory=dict)
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
        runs, unreadable = self._runs()
        plan.corrupt = [f"{problem.what} cannot be read" for problem in unreadable]
        old, blobs = self._old(runs, wish), self._blobs()
        for run in old:
            if where := _at(run, used.where):
                plan.bound[run.key] = where
            elif others := _at(run, _models(runs, old)):
                plan.shared[run.key] = others
            elif (own := _attempts(blobs, run)) or run.state != "retired":
                plan.retire.append(run)
                plan.blobs[run.key] = own
        later = [problem.cause for problem in unreadable if isinstance(problem, NewerFormat)]
        plan.refused = "; ".join([*used.unreadable, *later])
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
        # Bound, or taken up by another run, while the records were written: those models are needed after all.
        used, models = self._in_use(), _models(self._runs()[0], retired)
        done = []
        for run in retired:
            if used.unreadable or _at(run, used.where) or _at(run, models):
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

    def _old(self, runs: list[Run], wish: Wish) -> list[Run]:
        """Finished runs past what *wish* keeps, and retired ones, of which an interrupted prune may have left blobs."""
        experiments: dict[str, list[Run]] = defaultdict(list)
        for run in newest_first(runs):
            if run.state == "finished":
                experiments[run.experiment].append(run)
        found = [run for run in runs if run.state == "retired"]
        for finished in experiments.values():
            newest = list(dict.fromkeys(run.address for run in finished))[: wish.keep]
            found += [run for run in finished if run.address not in newest and self._aged(run, wish)]
        return found

    def _runs(self) -> tuple[list[Run], list[Unreadable]]:
        """All that is on record, and what of it cannot be read."""
        found = list(self._ledger.runs())
        return (
            [each for each in found if not isinstance(each, Unreadable)],
            [each for each in found if isinstance(each, Unreadable)],
        )

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
        if (found := _MODEL.fullmatch(blob.name)) and int(found["attempt"]) <= run.attempt
    ]


def _models(runs: list[Run], old: list[Run]) -> dict[str, list[str]]:
    """The runs that need the model at an address, without the *old* ones and those that are retired."""
    found, keys = defaultdict(list), {run.key for run in old}
    for run in runs:
        if run.key not in keys and run.state != "retired":
            found[run.address].append(f"run {run.key[:12]}")
    return found


def _at(run: Run, places: Mapping[str, list[str]]) -> list[str]:
    """What *places* says, by address, of any attempt of the run."""
    folder = _folder(run.address)
    return [where for address, found in places.items() if _folder(address) == folder for where in found]


def _folder(address: str) -> str:
    return address.rpartition("/")[0] + "/"
