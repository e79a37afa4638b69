"""What a fleet costs: as ``./dev bench fleet`` prints it, all in one run.

Services in memory (``world.py``) whose jobs take real seconds: many members beside a loop and beside single resources.
The local cloud: tiny models of the deployed fleet's services, and previews of members that stay as they are.

    python -m tests.fleet.bench [--quick] [--stored 10000]
"""

from __future__ import annotations

import argparse
import json
import resource
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from cli.services.fleets import fleet_of
from clients.clock import SystemClock
from clients.http.listening import tell
from clients.protocols import Binding, JobState, JobStatus
from clients.storage import Blob, Container
from retrain_hooks.binding.lifecycle import ModelBindingLifecycle
from retrain_hooks.fleet.inputs import FleetInputs
from retrain_hooks.fleet.lifecycle import FleetLifecycle
from retrain_hooks.fleet.planning.planned import planned
from retrain_hooks.fleet.planning.wishes import endpoint_of
from retrain_hooks.fleet.records import MemberRecord, MemberRecords, Standing
from retrain_hooks.fleet.roster import FleetRosterLifecycle
from retrain_hooks.fleet.working.parts import apply
from retrain_hooks.gate.lifecycle import PromotionLifecycle
from retrain_hooks.host.lifecycle import Context, Props
from retrain_hooks.services.endpoint import EndpointLifecycle
from retrain_hooks.training.lifecycle import TrainedModelLifecycle
from tests.fleet.world import PATH, RESOURCE, Fleet, Jobs
from tests.unit.fakes import MemoryContainer

TARGET = "local"
_STACK = "fleet"
_JOB_SECONDS = 2.0
_PROVIDER_THREADS = 4
_LOOK_SECONDS = 0.25
_WRITERS = 8
_ROWS = 200
_PREVIEWED = (1, 1000, 10_000)
_STAYING = "bench-{run}-{count}"


class _Silent:
    """Nobody is told, and nobody interrupts."""

    def status(self, message: str) -> None: ...

    def info(self, message: str) -> None: ...

    def check(self) -> None: ...


class _Shared(MemoryContainer):
    """A container that many threads use."""

    def __init__(self, name: str = "registry") -> None:
        super().__init__(name)
        self._turn = threading.RLock()

    def write(self, name: str, content: bytes, **conditions: Any) -> str:
        with self._turn:
            return super().write(name, content, **conditions)

    def put(self, name: str, content: bytes, **more: Any) -> None:
        with self._turn:
            super().put(name, content, **more)

    def delete(self, name: str, *, etag: str | None = None) -> None:
        with self._turn:
            super().delete(name, etag=etag)

    def list(self, prefix: str = "", *, metadata: bool = False) -> list[Blob]:
        with self._turn:
            return super().list(prefix, metadata=metadata)


class _Timed(Jobs):
    """Jobs that end so many seconds after their start; each answer is told to who listens, as a service's is."""

    seconds = _JOB_SECONDS

    def __init__(self, *containers: MemoryContainer) -> None:
        super().__init__(*containers)
        self._began: dict[str, float] = {}

    def create(self, name: str, inputs: Any, outputs: Any, parameters: Any) -> str:
        job = super().create(name, inputs, outputs, parameters)
        tell("POST", 200, 0.0)
        return job

    def start(self, job: str) -> None:
        super().start(job)
        self._began[job] = time.monotonic()
        tell("POST", 200, 0.0)

    def status(self, job: str) -> JobStatus:
        tell("GET", 200, 0.0)
        began = self._began.get(job)
        if began is None:
            return JobStatus(JobState.NOT_STARTED, {})
        if time.monotonic() - began < self.seconds:
            return JobStatus(JobState.RUNNING, {})
        self._looks[job] = max(1, self._looks[job])
        return super().status(job)


def _fleet(members: int, seconds: float) -> Fleet:
    """So many shops with data, and services whose jobs take *seconds*."""
    fleet = Fleet()
    fleet.registry, fleet.data = _Shared(), _Shared("data")
    services = type(fleet.services)(fleet.registry, fleet.data)
    services.batch = _Timed(fleet.registry, fleet.data)
    services.batch.seconds = seconds
    fleet.services, fleet.clock, fleet.told = services, SystemClock(), _Silent()  # type: ignore[assignment]
    for number in range(members):
        fleet.shop(f"shop{number:05}")
    return fleet


def _by_fleet(members: int, seconds: float, **schedule: Any) -> float:
    """Seconds that a fleet takes; all members must serve what they are to."""
    fleet = _fleet(members, seconds)
    began = time.perf_counter()
    outputs = fleet.up(schedule=schedule)
    took = time.perf_counter() - began
    assert outputs["counts"] == {"members": members, "serving": members, "failed": 0}, outputs["failed"]
    return took


def _by_loop(members: int) -> float:
    """Seconds that a script takes: for each member it submits a job, waits, judges, makes an endpoint, binds and probes."""
    fleet = _fleet(members, _JOB_SECONDS)
    jobs, services = fleet.services.batch, fleet.services
    began = time.perf_counter()
    for number in range(members):
        name = f"shop{number:05}"
        outputs = {
            "output1": fleet.registry.writable(f"models/{name}.ilearner"),
            "output2": fleet.registry.writable(f"models/{name}.csv"),
        }
        job = jobs.create(name, {"input1": fleet.data.readable(f"shops/{name}/1.csv")}, outputs, {})
        jobs.start(job)
        while not (status := jobs.status(job)).state.ended:
            time.sleep(_LOOK_SECONDS)
        assert b"0.8" in jobs.fetch(status.results["output2"])
        services.put_endpoint("predictive", name, "")
        services.bindings("predictive", name).write(RESOURCE, status.results["output1"])
        assert services.scoring("predictive", name).score([{}])
    return time.perf_counter() - began


def _by_resources(members: int) -> float:
    """Seconds that the parts of as many single endpoints take, in the threads that a provider has."""
    fleet = _fleet(members, _JOB_SECONDS)
    checked = FleetLifecycle(fleet.context).check(fleet.props(), {})
    plan, _found = planned(fleet.context, FleetInputs.parse(checked))
    context = fleet.context
    lives = (TrainedModelLifecycle, EndpointLifecycle, PromotionLifecycle, ModelBindingLifecycle)
    models, endpoints, promotions, bindings = (life(context) for life in lives)

    def one(name: str) -> None:
        wish, staging = plan.wishes[name], f"staging{name}"
        model = apply(models, wish.model, {})
        apply(endpoints, endpoint_of(wish.fleet, staging, "", wish.owner("staging")), {})
        promotion = apply(promotions, wish.promotion(staging, model), {})
        apply(endpoints, wish.live(promotion["start"]), {})
        apply(bindings, wish.binding(staging, promotion["model"]), {})

    began = time.perf_counter()
    with ThreadPoolExecutor(_PROVIDER_THREADS) as pool:
        list(pool.map(one, plan.wishes))
    return time.perf_counter() - began


def _say(what: str, value: float, unit: str, target: str = "") -> None:
    print(f"{what:<52} {value:10,.2f} {unit:<4} {target}", flush=True)


def _ratio(what: str, value: float, bound: float, *, least: bool = False) -> None:
    met = value >= bound if least else value <= bound
    sign = ">=" if least else "<="
    _say(what, value, "", f"({sign} {bound:g}: {'met' if met else 'MISSED'})")


def _in_memory(quick: bool) -> None:
    few, many = (10, 100) if quick else (50, 500)
    fleet = _by_fleet(few, _JOB_SECONDS, concurrency="50")
    _say(f"{few} members, jobs of 2 s, 50 at once", fleet, "s")
    resources = _by_resources(few)
    _say("  as many resources, four threads", resources, "s")
    loop = _by_loop(few)
    _say("  the loop", loop, "s")
    _ratio("  loop / fleet", loop / fleet, 10, least=True)
    _ratio("  resources / fleet", resources / fleet, 5, least=True)
    took, ideal = _by_fleet(many, _JOB_SECONDS, concurrency="40"), many * _JOB_SECONDS / 40
    _say(f"{many} members, jobs of 2 s, 40 at once", took, "s")
    _ratio("  beside the ideal", took / ideal, 1.3)
    each = {}
    for count in (50, 200 if quick else 1000):
        busy = time.process_time()
        each[count] = _by_fleet(count, 0.0, concurrency="16") / count
        busy = (time.process_time() - busy) / count
        told = f"processor {busy * 1e3:.1f} ms"
        _say(f"{count:,} members, jobs of no time, a member", each[count] * 1e3, "ms", told)
    few_each, many_each = each.values()
    _ratio("  many / few", many_each / few_each, 1.5)


def _tiny(quick: bool) -> None:
    """Tiny models, each trained, judged, bound and probed by the local cloud, on slices of the flights."""
    from cli.cloud.example_data import monthly_blobs

    count = 30 if quick else 120
    deployed = fleet_of(_STACK).inputs
    _name, month = next(iter(monthly_blobs()))
    header, *rows = month.splitlines(keepends=True)
    run = secrets.token_hex(4)
    context = Context(_Silent(), _Silent())
    container = context.data(TARGET)
    for number in range(count):
        piece = b"".join(rows[number * 50 : number * 50 + _ROWS])
        container.write(f"bench-{run}/m{number:04}/1.csv", header + piece, etag=None)
    owner = deployed.owner
    assert owner is not None
    props = replace(deployed, owner=replace(owner, name=f"bench{run}"), fleet="", expect="").props() | {
        "members": {"path": f"bench-{run}/{{member}}/{{version}}.csv"},
        "version": "1",
        "holdout": "",
        "schedule": {"maxFailures": "100%"},
        "gate": {"rules": ["auc >= 0"]},
    }
    life = FleetLifecycle(context)
    checked = life.check(props, {})
    began, busy = time.perf_counter(), time.process_time()
    _id, outputs = life.create(checked)
    took, busy = time.perf_counter() - began, time.process_time() - busy
    try:
        serving = outputs["counts"].get("serving", 0)
        _say(
            f"{count} models of {_ROWS} rows, local cloud",
            took,
            "s",
            f"processor {busy:.1f} s, {serving} serve",
        )
        print("\n".join(f"    {line}" for line in outputs["failed"][:3]))
        _ratio("  models an hour", serving / took * 3600, 12_000, least=True)
    finally:
        FleetRosterLifecycle(context).delete("", outputs)
        for blob in container.list(f"bench-{run}/"):
            container.delete(blob.name)


class _Endpoints:
    """Endpoints that serve what the records of a bench say."""

    def __init__(self, registry: str, count: int) -> None:
        self._registry, self._count = registry, count

    def listed(self, _service: str) -> dict[str, list[Binding]]:
        return {
            name: [Binding(RESOURCE, f"{self._registry}/{_address(name)}")]
            for name in (f"shop{number:05}" for number in range(self._count))
        }


def _address(name: str) -> str:
    return f"models/shops/1/{name}.ilearner"


def _staying(run: str, count: int, *, stored: bool) -> tuple[Context, Props]:
    """A fleet whose data and records are in one container, its endpoints in memory.

    The container is the local storage's where it is *stored*, which takes long to fill; else it is in memory, too.
    """
    context = Context(_Silent(), _Silent())
    target = context.target(TARGET)
    name = _STAYING.format(run=run, count=count)
    kept: Any = _Shared(name)
    if stored:
        kept = Container(target.connection_string, name, target.remedy)
    context.registry = lambda _target: kept  # type: ignore[method-assign]
    context.data = lambda _target, name=None: kept  # type: ignore[method-assign]
    context.services = lambda _target, _service: _Endpoints(kept.name, count)  # type: ignore[method-assign,assignment,return-value]
    return context, Fleet().props()


def _fill(context: Context, props: Props, count: int) -> None:
    """Data, records and models as an update would leave them, written directly."""
    container = context.registry(TARGET)
    names = [f"shop{number:05}" for number in range(count)]

    def data(name: str) -> None:
        container.write(PATH.format(member=name, version="1"), f"a,b\n1,{name}\n".encode(), etag=None)
        container.write(_address(name), b"a model", etag=None)

    with ThreadPoolExecutor(_WRITERS) as pool:
        list(pool.map(data, names))
        fleet = FleetInputs.parse(props)
        fleet = replace(fleet, fleet=fleet.id)
        wishes = planned(context, fleet, addresses=False)[0].wishes
        records = MemberRecords(container, fleet.fleet)

        def record(name: str) -> None:
            wish = wishes[name]
            standing = Standing(
                name,
                wish.member.endpoint,
                "serving",
                wish.covers.key,
                _address(name),
                size=len(b"a model"),
                url=f"http://local/{name}",
                asks=wish.asks,
                cause=wish.cause,
            )
            records.save(records.ready(name, wish.member.endpoint), MemberRecord(standing))

        list(pool.map(record, names))


def _preview(run: str, count: int, *, stored: bool) -> None:
    """One preview, in a process of its own: seconds, those of its processor, requests, lists, and peak memory, as JSON."""
    import requests

    import retrain_hooks.providers  # noqa: F401  what a provider's process has loaded

    asked: list[str] = []
    send = requests.Session.send

    def counting(self: Any, request: Any, **options: Any) -> Any:
        asked.append(request.url)
        return send(self, request, **options)

    requests.Session.send = counting  # type: ignore[method-assign]
    context, props = _staying(run, count, stored=stored)
    if not stored:
        _fill(context, props, count)
        context.memory.forget()
    began, busy = time.perf_counter(), time.process_time()
    found = FleetLifecycle(context).check(props, {})
    took, busy = time.perf_counter() - began, time.process_time() - busy
    assert found["plan"] == [f"{count:,} unchanged"], found["plan"]
    lists = sum("comp=list" in url for url in asked)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps({"seconds": took, "busy": busy, "requests": len(asked), "lists": lists, "megabytes": peak})
    )


@contextmanager
def _container(name: str) -> Iterator[None]:
    from azure.storage.blob import BlobServiceClient

    connection = Context(_Silent(), _Silent()).target(TARGET).connection_string
    with BlobServiceClient.from_connection_string(connection) as service:
        service.create_container(name)
        try:
            yield
        finally:
            service.delete_container(name)


def _unchanged(quick: bool, most: int) -> None:
    """Previews of members that stay as they are; up to *most* with their blobs in the local storage."""
    run = secrets.token_hex(4)
    seconds: dict[int, float] = {}
    one, some, many = _PREVIEWED
    bounds = {one: (0.0, 0), some: (3.0, 200), **({} if quick else {many: (5.0, 300)})}
    for count, (more, memory) in bounds.items():
        stored = count <= most
        with _container(_STAYING.format(run=run, count=count)):
            if stored:
                _fill(*_staying(run, count, stored=True), count)
            command = [sys.executable, "-m", "tests.fleet.bench", "--preview", run, str(count)]
            command += ["--stored", str(most)]
            shown = [
                json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(2)
            ]
        found = min(shown, key=lambda one: one["seconds"])
        seconds[count] = found["seconds"]
        where = "" if stored else " (blobs in memory)"
        what = f"processor {found['busy']:.2f} s, {found['requests']} requests, {found['lists']} of them lists, {found['megabytes']:.0f} MB"
        _say(f"preview, {count:,} unchanged{where}", found["seconds"], "s", what)
        if count > one:
            _ratio("  seconds more than for one", seconds[count] - seconds[one], more)
            _ratio("  MB", found["megabytes"], memory)
        if count == some:
            _ratio("  requests", found["requests"], 20)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument(
        "--stored", type=int, default=_PREVIEWED[1], help="so many members' blobs are stored, not in memory"
    )
    parser.add_argument("--preview", nargs=2)
    given = parser.parse_args()
    if given.preview:
        run, count = given.preview[0], int(given.preview[1])
        _preview(run, count, stored=count <= given.stored)
        return
    _in_memory(given.quick)
    _tiny(given.quick)
    _unchanged(given.quick, given.stored)


if __name__ == "__main__":
    main()
