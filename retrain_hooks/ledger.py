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
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from clients.errors import Conflict, LedgerError, NotFound
from clients.storage import Container
from retrain_hooks.run_key import canonical_json, key_of, model_address

FORMAT = 1
State = Literal["planned", "submitted", "finished", "failed", "retired"]


@dataclass(frozen=True)
class Job:
    """A batch job as the service knows it: its *id*, the *service* it belongs to, and that service's workspace."""

    id: str
    service: str
    workspace: dict[str, str]


@dataclass(frozen=True)
class Run:
    """One training run.

    *inputs* is what the key covers. *data* says where that data was read from: container, version, and the ETag of
    each blob when the job was submitted. Times are ISO-8601 in UTC, *seconds* is the job's duration, *bytes* the
    model's size. *adopted* says of a model that was not trained here where it was served: service, endpoint, resource,
    location and uri; one that could not be copied has no hash.
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
    adopted: dict[str, Any] = field(default_factory=dict)
    version: int = FORMAT

    @property
    def address(self) -> str:
        """Where this attempt leaves its model, as a path in the registry container."""
        return model_address(self.experiment, self.key, self.attempt)

    def next_attempt(self, now: str) -> Run:
        """The same run, planned anew, with an address of its own."""
        return Run(self.key, self.experiment, self.inputs, attempt=self.attempt + 1, planned_at=now)


class CorruptRecord(LedgerError):
    """The record of *key* cannot be read; *content* and *etag* are the blob's as it was found."""

    def __init__(self, key: str, content: bytes, etag: str) -> None:
        super().__init__(
            f"the record of run {key[:12]} cannot be read",
            f"look at the registry's {_name(key)}; the next update sets it aside and trains again",
        )
        self.key = key
        self.content = content
        self.etag = etag


@dataclass(frozen=True)
class Entry:
    """A run with the ETag of its record; writing it back succeeds only while the record has that ETag."""

    run: Run
    etag: str


class Ledger:
    """The training runs of all stacks that share a registry."""

    def __init__(self, registry: Container) -> None:
        self.registry = registry

    def find(self, key: str) -> Entry | None:
        """The record of *key*; None where there is none. Raises CorruptRecord, or LedgerError for a newer format."""
        try:
            content, etag = self.registry.read(_name(key))
        except NotFound as error:
            if error.code == "ContainerNotFound":
                raise
            return None
        return Entry(_parse(key, content, etag), etag)

    def at(self, address: str) -> Run | None:
        """The run whose model lies at *address*; None where no record that can be trusted says so."""
        key = key_of(address)
        try:
            entry = self.find(key) if key else None
        except LedgerError:
            return None
        return entry.run if entry and entry.run.address == address else None

    def keys(self, prefix: str = "") -> list[str]:
        """The keys on record that start with *prefix*."""
        blobs = self.registry.list(f"runs/{prefix}")
        return [blob.name.removeprefix("runs/").removesuffix(".json") for blob in blobs]

    def runs(self) -> Iterator[Run | CorruptRecord]:
        """All runs, in the order of their keys; a record that cannot be read as its error."""
        for key in self.keys():
            try:
                found = self.find(key)
            except CorruptRecord as error:
                yield error
            else:
                if found is not None:
                    yield found.run

    def set_aside(
        self, key: str, experiment: str, inputs: dict[str, Any], record: CorruptRecord, now: str
    ) -> Entry:
        """Keep an unreadable record under ``corrupt/`` and plan the run anew, past all attempts that left a model."""
        aside = f"corrupt/{key}-{hashlib.sha256(record.content).hexdigest()[:12]}.json"
        with suppress(Conflict):
            self.registry.write(aside, record.content, etag=None)
        run = Run(key, experiment, inputs, attempt=self.last_attempt(experiment, key) + 1, planned_at=now)
        try:
            return Entry(run, self._write(run, record.etag))
        except Conflict:
            return self._again(key)

    def last_attempt(self, experiment: str, key: str) -> int:
        """The highest attempt that left a blob, 0 where none did: what is known of a run without its record."""
        folder = model_address(experiment, key, 0).rpartition("/")[0] + "/"
        numbers = (blob.name.removeprefix(folder).partition(".")[0] for blob in self.registry.list(folder))
        return max((int(number) for number in numbers if number.isdigit()), default=0)

    def plan(self, run: Run) -> Entry:
        """Record *run* as planned, or answer what somebody else recorded first."""
        try:
            return Entry(run, self._write(run, None))
        except Conflict:
            return self._again(run.key)

    def advance(self, entry: Entry, run: Run) -> tuple[Entry, bool]:
        """Swap *entry* for *run*; the record as it is now, and whether it is ours."""
        try:
            return Entry(run, self._write(run, entry.etag)), True
        except Conflict:
            # A write whose answer was lost is sent again, and then meets itself.
            found = self._again(run.key)
            return found, found.run == run

    def intact(self, run: Run) -> bool:
        """Whether a finished run's model is still what the run left; of one that was never copied nothing is ours."""
        if run.adopted and not run.sha256:
            return True
        blob = self.registry.stat(run.address)
        return blob is not None and blob.size == run.bytes and blob.md5 in (None, run.md5)

    def _write(self, run: Run, etag: str | None) -> str:
        record = asdict(run)
        if not run.adopted:
            del record["adopted"]  # as earlier releases write and read it
        return self.registry.write(_name(run.key), canonical_json(record), etag=etag)

    def _again(self, key: str) -> Entry:
        entry = self.find(key)
        if entry is None:
            raise LedgerError(
                f"the record of run {key[:12]} vanished while it was used",
                "see who deletes blobs from the registry, then run the update again",
            )
        return entry


def _name(key: str) -> str:
    return f"runs/{key}.json"


def _parse(key: str, content: bytes, etag: str) -> Run:
    try:
        record = json.loads(content)
        if record["version"] != FORMAT:
            raise LedgerError(
                f"the record of run {key[:12]} has format {record['version']}, this program knows {FORMAT}",
                "use the release that wrote it, or a later one",
            )
        job = record.pop("job")
        run = Run(**record, job=Job(**job) if job else None)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CorruptRecord(key, content, etag) from None
    if run.key != key or run.state not in get_args(State) or not _typed(run):
        raise CorruptRecord(key, content, etag)
    return run


def _typed(run: Run) -> bool:
    """Whether what decisions are made from has its type."""
    return (
        isinstance(run.attempt, int)
        and run.attempt > 0
        and isinstance(run.inputs, dict)
        and isinstance(run.metrics, dict)
        and isinstance(run.adopted, dict)
        and (run.state != "finished" or (bool(run.sha256 or run.adopted) and isinstance(run.bytes, int)))
        and (run.state != "submitted" or run.job is not None)
    )


def same_inputs(run: Run, inputs: dict[str, Any]) -> bool:
    """Whether a record was made for these inputs; the key says so, unless it was forged."""
    return canonical_json(run.inputs) == canonical_json(inputs)
