"""In-memory stand-ins for the two services that unit tests of the logic need: a blob container and batch jobs."""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from clients.clock import ManualClock
from clients.errors import Conflict, NotFound
from clients.protocols import JobState, JobStatus
from clients.storage import Blob, BlobRef

EVALUATION = b"AUC,Accuracy,F-Score\r\n0.75,0.8,0.5\r\n"


class MemoryContainer:
    """A container with ETags and conditional writes."""

    def __init__(self, name: str = "registry") -> None:
        self.name = name
        self.blobs: dict[str, tuple[bytes, str]] = {}
        self.without_md5: set[str] = set()
        self.said_md5: dict[str, str] = {}
        self.said_sha256: dict[str, str] = {}
        self.read_blobs: list[str] = []
        self.writes: list[str] = []
        self.metadata: dict[str, dict[str, str]] = {}
        self.before_write: Callable[[], None] | None = None
        self._tags = itertools.count(1)

    def put(self, name: str, content: bytes, *, md5_of: bytes | None = None) -> None:
        """Somebody stores a blob, unconditionally, and says that its MD5 is that of *md5_of*, where given."""
        self.said_md5.pop(name, None)
        self.said_sha256.pop(name, None)
        self.metadata.pop(name, None)
        if md5_of is not None:
            self.said_md5[name] = _md5(md5_of)
        self.blobs[name] = (content, f"etag-{next(self._tags)}")

    def put_model(self, address: str, sha256: str, content: bytes = b"") -> None:
        """A run left its model: *content*, which has the *sha256* of its record, whatever that is."""
        self.put(address, content)
        self.without_md5.add(address)
        self.said_sha256[address] = sha256

    def url(self, name: str) -> str:
        return f"http://blob/{self.name}/{name}"

    def delete(self, name: str, *, etag: str | None = None) -> None:
        self._meddle()
        if etag and name in self.blobs and self.blobs[name][1] != etag:
            raise Conflict(f"{name} was changed", "again", status=412)
        self.writes.append(name)
        self.blobs.pop(name, None)

    def list(self, prefix: str = "", *, metadata: bool = False) -> list[Blob]:
        return [self._blob(name) for name in sorted(self.blobs) if name.startswith(prefix)]

    def read(self, name: str) -> tuple[bytes, str]:
        if name not in self.blobs:
            raise NotFound(f"there is no blob {name}", "check its name", status=404, code="BlobNotFound")
        return self.blobs[name]

    def chunks(self, name: str, etag: str) -> Iterator[bytes]:
        content, found = self.read(name)
        if found != etag:
            raise Conflict(f"{name} was changed", "again", status=412)
        self.read_blobs.append(name)
        yield content

    def sha256(self, name: str, etag: str) -> str:
        return self.said_sha256.get(name) or hashlib.sha256(b"".join(self.chunks(name, etag))).hexdigest()

    def read_start(self, name: str, size: int) -> bytes:
        return self.read(name)[0][:size]

    def read_range(self, name: str, start: int, size: int) -> bytes:
        return self.read(name)[0][start : start + size]

    def stat(self, name: str) -> Blob | None:
        return self._blob(name) if name in self.blobs else None

    def write(
        self, name: str, content: bytes, *, etag: str | None, metadata: Mapping[str, str] | None = None
    ) -> str:
        self._meddle()
        if self.blobs.get(name, (b"", None))[1] != etag:
            raise Conflict(f"{name} was changed", "again", status=412)
        self.writes.append(name)
        self.put(name, content)
        self.metadata[name] = dict(metadata or {})
        return self.blobs[name][1]

    def readable(self, name: str) -> BlobRef:
        return BlobRef("http://blob/", f"{self.name}/{name}", "?s")

    def writable(self, name: str) -> BlobRef:
        return BlobRef("http://blob/", f"{self.name}/{name}", connection="c")

    def _meddle(self) -> None:
        if self.before_write:
            meddle, self.before_write = self.before_write, None
            meddle()

    def _blob(self, name: str) -> Blob:
        content, etag = self.blobs[name]
        md5 = self.said_md5.get(name) or _md5(content)
        said = self.metadata.get(name, {})
        return Blob(name, len(content), None if name in self.without_md5 else md5, etag, None, said)


def _md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


@dataclass
class BatchService:
    """Jobs that take *looks* looks to end in *end*, and then leave model and evaluation in *registry*.

    The first *queued* looks after its start say NotStarted.
    """

    registry: MemoryContainer
    looks: int = 2
    queued: int = 0
    end: JobState = JobState.FINISHED
    details: str = ""
    evaluation: bytes = EVALUATION
    model: bytes = b"a model"
    created: list[str] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    outputs: dict[str, Mapping[str, BlobRef]] = field(default_factory=dict)
    parameters: dict[str, Mapping[str, str]] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    registered: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def create(
        self,
        _name: str,
        inputs: Mapping[str, BlobRef],
        outputs: Mapping[str, BlobRef],
        parameters: Mapping[str, str],
        _seconds: float = 0.0,
    ) -> str:
        job = f"job{len(self.created) + 1}"
        self.created.append(job)
        self.outputs[job] = outputs
        self.parameters[job] = parameters
        return job

    def start(self, job: str) -> None:
        self.started.append(job)

    def status(self, job: str) -> JobStatus:
        if job not in self.outputs:
            return JobStatus(JobState.LOST, {})
        if job not in self.started:
            return JobStatus(JobState.NOT_STARTED, {})
        self.seen[job] = self.seen.get(job, 0) + 1
        if self.seen[job] <= self.queued:
            return JobStatus(JobState.NOT_STARTED, {})
        if self.seen[job] < self.looks:
            return JobStatus(JobState.RUNNING, {}, progress="Train Model", rows=18903)
        if self.end is not JobState.FINISHED:
            return JobStatus(self.end, {}, self.details)
        for ref in self.outputs[job].values():
            path = ref.path.partition("/")[2]
            self.registry.put(path, self.model if path.endswith(".ilearner") else self.evaluation)
        return JobStatus(JobState.FINISHED, self.outputs[job])

    def cancel(self, job: str) -> None:
        self.cancelled.append(job)
        self.outputs.pop(job, None)

    def fetch(self, result: BlobRef) -> bytes:
        return self.evaluation

    def gather(self, model: BlobRef) -> None:
        """The job has written it to its place."""

    def register(self, model: BlobRef, tags: Mapping[str, str]) -> None:
        self.registered[model.path] = dict(tags)


class Listener:
    """Collects what a person would be told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def status(self, message: str) -> None:
        self.lines.append(message)

    def info(self, message: str) -> None:
        self.lines.append(message)


class OpenGuard:
    """A guard of an update that nobody interrupts."""

    def check(self) -> None:
        return


__all__ = ["EVALUATION", "BatchService", "Listener", "ManualClock", "MemoryContainer", "OpenGuard"]
