"""The ledger: one JSON record per run key in the registry, at ``runs/<run key>.json``.

::

    planned ──> submitted(job id) ──> finished(sha256, metrics, …)
                               └────> failed(the service's own error)

A finished run whose model was deleted by ``./dev runs prune`` is ``retired``. No lease: every write is a compare-and-swap on the blob's ETag, so of two that want the same step one wins and the
other reads what it did. The job's id is recorded between the job's creation and its start: a crash leaves at worst a
job that never ran.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from clients.errors import Conflict, LedgerError, NotFound
from clients.storage import BlobRef, Container
from retrain_hooks.registry.plain import SPARSE, is_time
from retrain_hooks.registry.records import Corrupt, Records, Unreadable
from retrain_hooks.registry.run_key import digest, key_of, model_address
from retrain_hooks.registry.summaries import Summary, index_of, summary_in

FORMAT = 2  # of what is written; what an earlier release wrote is read, and keeps its format
SLICES = "slices/"  # below it the registry keeps the rows of a fleet's members
_SHOWN = 200  # characters of an error, where many runs are told of
_MOST_ATTEMPTS = 1_000_000
_TRAIN_AGAIN = "run the update again: the model of a declared data version is trained again"
State = Literal["planned", "submitted", "finished", "failed", "retired"]


@dataclass(frozen=True)
class Job:
    """A batch job as the service knows it: its *id*, the *service* it belongs to, and that service's workspace."""

    id: str
    service: str
    workspace: dict[str, str]


@dataclass(frozen=True)
class Origin:
    """Where a model that was not trained here was served: the *location* as the service says it, and its full *uri*."""

    service: str
    endpoint: str
    resource: str
    location: str
    uri: str


@dataclass(frozen=True)
class Learnt:
    """What a model was trained to tell, and from what.

    By the model itself: its *label*, the *classes* (of two the second is the positive one) and the *columns* that it asks
    for, each with its kind. By the head of its data: the columns of the *table*, each with its kind, the label's *values*
    there, where they are few, and how the columns *lean*: their correlation with the positive class. Empty: not known.
    """

    label: str = ""
    classes: tuple[str, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    table: dict[str, str] = field(default_factory=dict)
    values: tuple[str, ...] = ()
    leans: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """One training run.

    *inputs* is what the key covers. *data* says where that data was read from: container, version, and the ETag of
    each blob when the job was submitted. Times are ISO-8601 in UTC, *seconds* is the job's duration, *bytes* the
    model's size. *adopted* says of a model that was not trained here where it was served; one that could not be copied has
    no hash. *learnt* is what the model tells, None where nobody looked. *former* is the key of FORMAT 1 that a run
    was found under: its model lies there.
    """

    key: str
    experiment: str
    inputs: dict[str, Any]
    state: State = "planned"
    attempt: int = 1
    data: dict[str, Any] = field(default_factory=dict)
    job: Job | None = None
    planned_at: str = ""
    started_at: str = ""
    ended_at: str = ""
    seconds: float | None = None
    sha256: str = ""
    md5: str = ""
    bytes: int = 0
    metrics: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    adopted: Origin | None = field(default=None, metadata=SPARSE)
    former: str = field(default="", metadata=SPARSE)
    learnt: Learnt | None = field(default=None, metadata=SPARSE)
    version: int = FORMAT

    @property
    def address(self) -> str:
        """Where this attempt leaves its model, as a path in the registry container."""
        return model_address(self.experiment, self.former or self.key, self.attempt)

    def told(self) -> dict[str, str]:
        """What a model that a service registers says of itself: its run's key and what that covers, its hash and metrics."""
        said = {name: str(self.inputs.get(name) or "") for name in ("experiment", "data")}
        said |= {"runKey": self.key, "sha256": self.sha256, "dataVersion": self.data_version}
        metrics = {f"metric.{name}": str(value) for name, value in (self.metrics or {}).items()}
        return {f"retrain.{name}": value for name, value in said.items() if value} | metrics

    @property
    def summary(self) -> Summary:
        """What is told of it among many."""
        numbers = {
            name: value
            for name, value in self.metrics.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
        return Summary(
            self.key,
            self.experiment,
            self.state,
            self.attempt,
            self.address,
            self.data_version,
            str(self.inputs.get("data") or "").removeprefix("2-"),
            self.ended_at or self.started_at or self.planned_at,
            self.seconds,
            numbers,
            self.error[:_SHOWN],
            self.former,
            any(name.startswith(SLICES) for name in self.data.get("etags") or ()),
        )

    @property
    def data_version(self) -> str:
        """The data version that it was trained from; empty where that is not on record."""
        return which(str(self.data.get("version") or ""), self.data.get("etags") or ())

    def next_attempt(self, now: str) -> Run:
        """The same run, planned anew, with an address of its own."""
        return Run(self.key, self.experiment, self.inputs, attempt=self.attempt + 1, planned_at=now)


@dataclass(frozen=True)
class Entry:
    """A run with the ETag of its record; writing it back succeeds only while the record has that ETag."""

    run: Run
    etag: str


class Ledger:
    """The training runs of all stacks that share a registry."""

    def __init__(self, registry: Container) -> None:
        self.registry = registry
        self._records = Records(
            registry,
            "runs",
            Run,
            tuple(range(1, FORMAT + 1)),
            own_name=lambda run: run.key,
            problem=_problem,
            what="the record of run {name:.12}",
            remedy="look at the registry's {blob}; the next update sets it aside and trains again",
            index=lambda run: index_of(run.summary),
        )

    def find(self, key: str) -> Entry | None:
        """The record of *key*; None where there is none. Raises Corrupt, NewerFormat."""
        found = self._records.find(key)
        return Entry(found.value, found.etag) if found else None

    def at(self, address: str) -> Run | None:
        """The run whose model lies at *address*; None where no record that can be trusted says so."""
        key = key_of(address)
        try:
            entry = self.find(key) if key else None
        except LedgerError:
            return None
        return entry.run if entry and entry.run.address == address else None

    def finished(self, address: str) -> Run | None:
        """The run that left the model at *address*; None where no record that can be trusted says so."""
        run = self.at(address)
        return run if run and run.state == "finished" else None

    def usable(self, key: str) -> Run | None:
        """The run recorded under *key* where it can be trusted, and its model is there or on its way."""
        try:
            entry = self.find(key)
        except LedgerError:
            return None
        run = entry.run if entry else None
        if run is None or not as_keyed(run):
            return None
        return run if run.state == "submitted" or (run.state == "finished" and self.intact(run)) else None

    def adopt(self, key: str, former: str) -> Entry | None:
        """Record the run of the *former* key under *key* as well; None where that one can't be used any more."""
        run = self.usable(former)
        if run is None:
            return None
        return self.plan(replace(run, key=key, former=run.former or run.key, version=FORMAT))

    def keys(self, prefix: str = "") -> list[str]:
        """The keys on record that start with *prefix*."""
        return self._records.names(prefix)

    def runs(self) -> Iterator[Run | Unreadable]:
        """All runs, in the order of their keys; a record that cannot be read as its error."""
        for found in self._records.all():
            yield found if isinstance(found, Unreadable) else found.value

    def summaries(self) -> Iterator[Summary | Unreadable]:
        """The same of all runs as one listing tells it; records of which it tells nothing are read."""
        unread = []
        for name, index in self._records.indexed():
            found = summary_in(index)
            if found is not None and found.key == name:
                yield found
            else:
                unread.append(name)
        for entry in self._records.some(unread):
            yield entry if isinstance(entry, Unreadable) else entry.value.summary

    def set_aside(
        self, key: str, experiment: str, inputs: dict[str, Any], record: Corrupt, now: str
    ) -> Entry:
        """Keep an unreadable record under ``corrupt/`` and plan the run anew, past all attempts that left a model."""
        aside = f"corrupt/{key}-{hashlib.sha256(record.content).hexdigest()[:12]}.json"
        with suppress(Conflict):
            self.registry.write(aside, record.content, etag=None)
        run = Run(key, experiment, inputs, attempt=self.last_attempt(experiment, key) + 1, planned_at=now)
        return self._offer(run, record.etag)[0]

    def last_attempt(self, experiment: str, key: str) -> int:
        """The highest attempt that left a blob, 0 where none did: what is known of a run without its record."""
        folder = model_address(experiment, key, 0).rpartition("/")[0] + "/"
        numbers = (blob.name.removeprefix(folder).partition(".")[0] for blob in self.registry.list(folder))
        return max((int(number) for number in numbers if number.isdigit()), default=0)

    def plan(self, run: Run) -> Entry:
        """Record *run* as planned, or answer what somebody else recorded first."""
        return self._offer(run, None)[0]

    def advance(self, entry: Entry, run: Run) -> tuple[Entry, bool]:
        """Swap *entry* for *run*; the record as it is now, and whether it is ours."""
        return self._offer(run, entry.etag)

    def intact(self, run: Run) -> bool:
        """Whether a finished run's model is still what the run left, by its bytes, whatever its Content-MD5 says; of one
        that was never copied nothing is ours.
        """
        if run.adopted and not run.sha256:
            return True
        blob = self.registry.stat(run.address)
        if blob is None or blob.size != run.bytes or blob.md5 not in (None, run.md5):
            return False
        return self._has(run.address, run.sha256)

    def hand_over(self, address: str, sha256: str = "") -> BlobRef:
        """How a service gets at the model at *address*: whoever gives one to a service asks here.

        Its bytes are those that its run left, by the run's record; where that is lost, by another attempt's, which equal
        inputs make equal, or by the *sha256* that a state knows. Raises LedgerError where they are others, or nobody knows.
        """
        run = self.at(address)
        if run is not None and run.state == "finished":
            whole = self.intact(run)
        elif known := sha256 or self._sha256(address):
            whole = self._has(address, known)
        elif not key_of(address):  # no run's: the service says what it makes of it
            whole = True
        else:
            raise LedgerError(
                f"nothing is on record of the model {address} that tells whether it is the one that its run left",
                "declare the data version that it is trained from: the next update then trains it again",
            )
        if not whole:
            raise LedgerError(
                f"the model {address} is gone, or is not the one that its run left", _TRAIN_AGAIN
            )
        return self.registry.readable(address)

    def _sha256(self, address: str) -> str:
        """What the model of any attempt of the same run is, by its record; empty where that isn't known."""
        try:
            entry = self.find(key_of(address)) if key_of(address) else None
        except LedgerError:
            return ""
        return entry.run.sha256 if entry and as_keyed(entry.run) else ""

    def _has(self, address: str, sha256: str) -> bool:
        """Whether the blob at *address* is there, and has these bytes."""
        with suppress(NotFound, Conflict):  # gone, or written over, since it was looked at
            blob = self.registry.stat(address)
            return blob is not None and self.registry.sha256(address, blob.etag) == sha256
        return False

    def _offer(self, run: Run, etag: str | None) -> tuple[Entry, bool]:
        found, ours = self._records.offer(run.key, run, etag)
        return Entry(found.value, found.etag), ours


def _problem(run: Run) -> str:
    """What is wrong with a run that is on record."""
    if not 1 <= run.attempt <= _MOST_ATTEMPTS:
        return f"attempt is {run.attempt}"
    for name in ("planned_at", "started_at", "ended_at"):
        if not is_time(getattr(run, name)):
            return f"{name} is {getattr(run, name)[:40]!r}, not a time with its zone"
    if run.state == "finished" and not run.sha256 and not run.adopted:
        return "it is finished and has no sha256"
    return "it is submitted and names no job" if run.state == "submitted" and run.job is None else ""


def which(version: str, blobs: Iterable[str]) -> str:
    """A data version as it was asked for, and its *blobs* where that does not say which one it is."""
    named = sorted(blobs)
    if version != "latest" or not named:
        return version
    return f"{version} ({named[0]}{f' … {named[-1]}' if len(named) > 1 else ''})"


def as_keyed(run: Run) -> bool:
    """Whether a record's inputs are those that its key says, unless it was forged."""
    return digest(run.inputs) == (run.former or run.key)
