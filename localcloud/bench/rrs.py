"""Request-response beside a bare server with the same model, each a process of its own, in turn, by the same calls.

Both get the same bytes of JSON and give the same JSON, which is compared first; the local cloud asks for the endpoint's key,
checks what it reads, and keeps its journal, as always. The experiment and its data are the caller's:

    python -m localcloud.bench.rrs experiments/flights flights.csv
"""

from __future__ import annotations

import argparse
import hashlib
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from graph import parse_experiment, read_table, run
from localcloud.bench.load import Load, drive, once, request
from localcloud.facilities.cloud import Cloud
from localcloud.works.context import open_works
from localcloud.works.services import MOST_CALLS, Resource

CONNECTIONS = (1, 8, 32)
ROWS = (1, 1000)
_IDLE = 10.0  # percent of a processor
_SECRET = "bGl0dGxl"  # noqa: S105 - of a storage account that no one asks here
_SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"


@dataclass
class Server:
    """One of the two: its process, its port and how a call to it begins."""

    name: str
    process: psutil.Process
    port: int
    path: str = "/"
    key: str = ""

    def call(self, body: bytes) -> bytes:
        """A call as it is sent."""
        return request(self.path, self.port, body, self.key)


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(prog="python -m localcloud.bench.rrs", description=__doc__)
    arguments.add_argument(
        "experiment", type=Path, help="folder with training.json, predictive.json, sample.json"
    )
    arguments.add_argument("data", type=Path, help="a .csv to train on")
    arguments.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    arguments.add_argument("--runs", type=int, default=5, help="measurements of each, in turn")
    given = arguments.parse_args()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        model = directory / "model.ilearner"
        model.write_bytes(_trained(given.experiment, given.data))
        ours = stack.enter_context(_local_cloud(directory, given.experiment, model.read_bytes()))
        bare = stack.enter_context(_bare(model))
        rows = _rows(given.experiment, given.data)
        for count in ROWS:
            body = json.dumps({"Inputs": {"input1": rows[:count]}}).encode()
            answers = [json.loads(once(server.port, server.call(body))) for server in (ours, bare)]
            if answers[0] != answers[1]:
                raise SystemExit(f"the two answer differently: {str(answers)[:1000]}")
            for server in (ours, bare):
                _wait_until_idle(server.process)
            for connections in CONNECTIONS:
                _compare(ours, bare, body, count, connections, given.seconds, given.runs)
        mine, other = (server.process.memory_info().rss / 2**20 for server in (ours, bare))
        print(f"memory           {ours.name} {mine:.0f} MiB, {bare.name} {other:.0f} MiB: {mine / other:.2f}")


def _wait_until_idle(process: psutil.Process) -> None:
    """Wait until all that a server imports in the background is there."""
    for _ in range(120):
        if process.cpu_percent(interval=0.5) < _IDLE:
            return


def _compare(
    ours: Server, bare: Server, body: bytes, rows: int, connections: int, seconds: float, runs: int
) -> None:
    """Time the two in turn, and print the medians of what was found."""
    found: dict[str, list[Load]] = {ours.name: [], bare.name: []}
    busy: dict[str, list[float]] = {ours.name: [], bare.name: []}
    for each in (ours, bare):
        drive(each.port, each.call(body), connections, min(1.0, seconds))
    for at in range(runs):
        for each in (ours, bare) if at % 2 else (bare, ours):
            before = sum(each.process.cpu_times()[:2])
            load = drive(each.port, each.call(body), connections, seconds)
            found[each.name].append(load)
            busy[each.name].append((sum(each.process.cpu_times()[:2]) - before) / load.calls)
    rate = [statistics.median(load.rate for load in loads) for loads in found.values()]
    tail = [statistics.median(load.p99 for load in loads) * 1e3 for loads in found.values()]
    work = [statistics.median(each) * 1e3 for each in busy.values()]
    middle = [statistics.median(load.median for load in loads) * 1e3 for loads in found.values()]
    print(
        f"{rows:>4} row{'s' if rows > 1 else ' '} {connections:>2} at once   "
        f"calls/s {rate[0]:7.1f} beside {rate[1]:7.1f}: {rate[0] / rate[1]:.2f}   "
        f"median {middle[0]:6.2f} ms beside {middle[1]:6.2f}   "
        f"p99 {tail[0]:6.2f} ms beside {tail[1]:6.2f}: {tail[0] / tail[1]:.2f}   "
        f"processor {work[0]:.3f} ms beside {work[1]:.3f}",
        flush=True,
    )


def _trained(experiment: Path, data: Path) -> bytes:
    train = parse_experiment(_json(experiment / "training.json"))
    frame = read_table(data.read_bytes(), data.suffix)
    outputs = run(train, dict.fromkeys(train.inputs, frame)).values()
    return next(value for value in outputs if isinstance(value, bytes))


def _rows(experiment: Path, data: Path) -> list[dict[str, Any]]:
    """Rows of the data as a client sends them: the columns of the sample, numbers as JSON's."""
    [(_, sample)] = _json(experiment / "sample.json").items()
    frame = read_table(data.read_bytes(), data.suffix).dropna(subset=list(sample))
    found: list[dict[str, Any]] = json.loads(frame[list(sample)].head(max(ROWS)).to_json(orient="records"))
    return found


@contextmanager
def _local_cloud(directory: Path, experiment: Path, model: bytes) -> Iterator[Server]:
    """A local cloud that serves the experiment's predictive graph with the model."""
    port, blob_port = _free_port(), _free_port()
    cloud = Cloud(f"http://127.0.0.1:{blob_port}/a", "http://127.0.0.1:9/a", "a", _SECRET, "t", _SUBSCRIPTION)
    file = directory / "cloud.json"
    keys = {"accountKey": cloud.account_key, "armToken": cloud.arm_token, "subscription": cloud.subscription}
    file.write_text(json.dumps({"blob": cloud.blob, "azurite": cloud.azurite, "account": "a", **keys}))
    works = open_works(cloud, directory / "data")
    package = _json(experiment / "predictive.json")
    sha256 = hashlib.sha256(model).hexdigest()
    works.models.path(sha256).write_bytes(model)
    works.store.create_workspace("w", "w", "t1", "t2")
    names = parse_experiment(package).resources
    resources = [Resource(name, "", "", sha256) for name in names]
    endpoint = works.services.publish("w", "e", "bench", "", works.services.keep_package(package), resources)
    works.services.configure(endpoint.id, max_concurrent_calls=MOST_CALLS)
    works.store.close()
    options = {
        "--cloud-file": file,
        "--port": port,
        "--blob-port": blob_port,
        "--data-dir": directory / "data",
    }
    command = ["localcloud", *(str(part) for pair in options.items() for part in pair), "--workers", "1"]
    path = f"/workspaces/w/services/{endpoint.id}/execute?api-version=2.0&format=swagger"
    with _process(command, port) as process:
        yield Server("local cloud", process, port, path, endpoint.primary_key)


@contextmanager
def _bare(model: Path) -> Iterator[Server]:
    port = _free_port()
    with _process(["localcloud.bench.bare", str(model), str(port)], port) as process:
        yield Server("bare server", process, port)


@contextmanager
def _process(command: list[str], port: int) -> Iterator[psutil.Process]:
    """A module that serves on that port, until the end of the block."""
    with subprocess.Popen([sys.executable, "-m", *command], stderr=subprocess.DEVNULL) as started:
        try:
            for _ in range(300):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield psutil.Process(started.pid)
        finally:
            started.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
