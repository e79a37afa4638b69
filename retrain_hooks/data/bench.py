"""How what is done with data versions grows with the data, in containers of its own that are deleted afterwards.

Prints three comparisons, each measured in one run against the storage of the target `local`:

    a preview     20,000 blobs in the container beside 20, and how often it lists
    a large blob  300 MB without Content-MD5: what the process has of memory, and how often the bytes are read
    a set         of 5,000 blobs beside one of 500: what `up` does with its bytes before a job starts

    python -m retrain_hooks.data.bench
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from clients.storage import Container
from retrain_hooks.data.inputs import DataReference
from retrain_hooks.data.lifecycle import DataVersionLifecycle
from retrain_hooks.data.training_data import TrainingData
from retrain_hooks.host.lifecycle import Context, Props

TARGET = "local"
_FEW, _MANY = 20, 20_000
_PARTS = (500, 5_000)
_LARGE = 300 * 2**20
_PIECE = 4 * 2**20
_WRITERS = 8
_TIMES = 3
# In a process that has loaded what a provider has.
_AS_A_PROVIDER = "import retrain_hooks.providers; from retrain_hooks.data.bench import main; main()"


class _Bench:
    """Containers of this run: one with few blobs, one with many, and a registry."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.few, self.many, self.registry = (f"bench-{run}-{name}" for name in ("few", "many", "registry"))

    def context(self) -> Context:
        """As a new process has it."""
        found = Context(_Silent(), _Silent())
        target = found.target(TARGET)
        registry = Container(target.connection_string, self.registry, target.remedy)
        found.registry = lambda target: registry  # type: ignore[method-assign]
        return found

    def preview(self, container: str, version: str, *, path: str = "sales/{version}.csv") -> Props:
        """The check of a data version in a process that knows nothing yet."""
        life = DataVersionLifecycle(self.context())
        asked = {"target": TARGET, "container": container, "path": path, "version": version}
        return life.check(asked, {})

    def take(self, version: str) -> None:
        """What an update does with a set's bytes: it is identified, verified, and joined for the job."""
        life = DataVersionLifecycle(context := self.context())
        asked = {"target": TARGET, "container": self.many, "path": "sets/{version}/", "version": version}
        _id, found = life.create(life.check(asked, {}))
        reference = DataReference(self.many, version, found["digest"], tuple(found["blobs"]))
        data = TrainingData(context, TARGET, reference)
        data.snapshot()
        data.reference()

    @contextmanager
    def filled(self) -> Iterator[None]:
        """While the containers are there."""
        from azure.storage.blob import BlobServiceClient

        with BlobServiceClient.from_connection_string(
            Context(_Silent(), _Silent()).target(TARGET).connection_string
        ) as service:
            names = (self.few, self.many, self.registry)
            try:
                for name in names:
                    service.create_container(name)
                _upload(service.get_container_client(self.few), _versions(_FEW))
                parts = {
                    f"sets/{count}/part-{at:05}.csv": f"late,day\n{at % 2},{at}\n".encode()
                    for count in _PARTS
                    for at in range(count)
                }
                others = _versions(_MANY - len(parts))
                _upload(service.get_container_client(self.many), parts | others)
                with service.get_blob_client(self.few, "large/1.csv") as large:
                    _upload_large(large)
                yield
            finally:
                for name in names:
                    service.delete_container(name)


def main() -> None:
    """Measure and print."""
    if len(sys.argv) == 3:
        _look_at_large(_Bench(sys.argv[1]), sys.argv[2])
        return
    bench = _Bench(secrets.token_hex(4))
    with bench.filled():
        _previews(bench)
        _large(bench)
        _sets(bench)


def _previews(bench: _Bench) -> None:
    numbers = {bench.few: _FEW, bench.many: _MANY}
    for version in ("000007", "latest"):
        found = {}
        for container, count in numbers.items():
            bench.preview(container, version)
            with _counted() as listings:
                found[container] = _least(partial(bench.preview, container, version), _TIMES)
            lists = len(listings) // _TIMES
            _say(f"preview of {version}, {count:,} blobs", found[container], f"{lists} list requests")
        ratio, more = found[bench.many] / found[bench.few], found[bench.many] - found[bench.few]
        print(f"  {_MANY:,} / {_FEW} blobs {ratio:.2f}, {more:.2f} s more", flush=True)


def _large(bench: _Bench) -> None:
    for step in ("preview", "preview", "up", "preview", "up"):
        command = [sys.executable, "-c", _AS_A_PROVIDER, bench.run, step]
        subprocess.run(command, check=True)


def _look_at_large(bench: _Bench, step: str) -> None:
    """One step, in a process of its own."""
    read, chunks = 0, Container.chunks

    def counting(self: Container, name: str, etag: str) -> Iterator[bytes]:
        nonlocal read
        for chunk in chunks(self, name, etag):
            read += len(chunk)
            yield chunk

    Container.chunks = counting  # type: ignore[method-assign]
    before = _peak()
    asked = {"target": TARGET, "container": bench.few, "path": "large/{version}.csv", "version": "1"}
    started = time.perf_counter()
    life = DataVersionLifecycle(bench.context())
    found = life.check(asked, {})
    if step == "up":
        life.create(found)
    seconds = time.perf_counter() - started
    seen = f"{read / 2**20:.0f} MB read, peak {_peak():.0f} MB ({before:.0f} MB before)"
    _say(f"300 MB, {step}", seconds, seen)


def _sets(bench: _Bench) -> None:
    seconds = []
    for count in _PARTS:
        started = time.perf_counter()
        bench.take(str(count))
        seconds.append(time.perf_counter() - started)
        _say(f"a set of {count:,} blobs", seconds[-1], f"{seconds[-1] / count * 1e3:.2f} ms a blob")
    print(f"  {_PARTS[1]:,} / {_PARTS[0]} blobs {seconds[1] / seconds[0]:.2f}", flush=True)


def _say(what: str, seconds: float, more: str) -> None:
    print(f"{what:<32} {seconds:8.3f} s   {more}", flush=True)


def _versions(count: int) -> dict[str, bytes]:
    return {f"sales/{at:06}.csv": f"late,day\n{at % 2},{at}\n".encode() for at in range(count)}


def _upload(container: Any, blobs: dict[str, bytes]) -> None:
    from azure.storage.blob import ContentSettings

    def put(name: str) -> None:
        md5 = hashlib.md5(blobs[name], usedforsecurity=False).digest()
        container.upload_blob(name, blobs[name], content_settings=ContentSettings(content_md5=bytearray(md5)))

    with ThreadPoolExecutor(_WRITERS) as writers:
        list(writers.map(put, blobs))


def _upload_large(blob: Any) -> None:
    """A list of blocks never has a Content-MD5."""
    from azure.storage.blob import BlobBlock

    piece = b"late,day\n" + b"0,1\n" * (_PIECE // 4)
    ids = [base64.b64encode(f"{at:06}".encode()).decode() for at in range(_LARGE // _PIECE)]
    for one in ids:
        blob.stage_block(one, piece)
        piece = b"0,1\n" * (_PIECE // 4)
    blob.commit_block_list([BlobBlock(one) for one in ids])


@contextmanager
def _counted() -> Iterator[list[str]]:
    """The listings that are asked for meanwhile, a page each."""
    from clients.http import connections

    found: list[str] = []
    send = connections.SESSION.send

    def counting(request: Any, **options: Any) -> Any:
        if "comp=list" in request.url:
            found.append(request.url)
        return send(request, **options)

    connections.SESSION.send = counting  # type: ignore[method-assign]
    try:
        yield found
    finally:
        connections.SESSION.send = send  # type: ignore[method-assign]


def _least(call: Callable[[], object], times: int) -> float:
    found = []
    for _time in range(times):
        started = time.perf_counter()
        call()
        found.append(time.perf_counter() - started)
    return min(found)


def _peak() -> float:
    """The most memory that this process has had, in MB; what started it does not count."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


class _Silent:
    """Nobody watches, and nobody cancels."""

    def status(self, message: str) -> None:
        """Said to nobody."""

    info = status

    def check(self) -> None:
        """Go on."""


if __name__ == "__main__":
    main()
