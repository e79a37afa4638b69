"""Jobs on a Dask cluster: `distributed`, used as it is.

The server reads a job's blobs, the cluster computes, the server writes the outputs: neither keys nor addresses of blobs
leave this machine, and a task that the cluster runs twice is written once. What is sent is plain data (`Task`) and a
reference to `compute_there`, so scheduler and workers must have this package, in this version.

A worker that dies is Dask's matter. Where the scheduler goes away, or has no workers, jobs wait and are submitted
again when it is back; after `AWAY_SECONDS` without it they fail.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
import warnings
from concurrent.futures import CancelledError
from typing import Any, TypedDict
from uuid import uuid4

import dask
from distributed import Client, Future, KilledWorker, get_worker

from localcloud.facilities.errors import StartError
from localcloud.works.batch.computing import JobFailure, Task, compute, signature
from localcloud.works.batch.execution import deliver, gather
from localcloud.works.batch.executor import OnProgress, Order, Results
from localcloud.works.batch.jobs import JobProgress

_log = logging.getLogger("localcloud.works.batch")

AWAY_SECONDS = 600.0
_CONNECT_SECONDS = 10.0
_LOOK_SECONDS = 0.5
_TOPIC = "retraining-progress"
_SCHEMES = ("tcp://", "tls://")
_START_IT = "start its scheduler and workers (docs/cluster.md), or ./dev cloud start --executor processes"
_SAME = "install this version there, with the packages of requirements.lock (docs/cluster.md), or ./dev cloud start --executor processes"
_one_at_a_time = threading.Lock()


class Outcome(TypedDict, total=False):
    """What a task answers: `outputs` by port, or why there are none."""

    outputs: dict[str, bytes]
    failure: str


def compute_there(task: Task, expected: dict[str, str], job: str) -> Outcome:
    """Compute a task on a worker of the cluster.

    One at a time in a process: how many threads a fit has decides the last bits of some models.
    """
    if unlike := _difference(expected, signature()):
        return {"failure": f"a worker of the Dask cluster has {unlike}"}

    def told(progress: JobProgress) -> None:
        get_worker().log_event(_TOPIC, {"job": job, "progress": dict(progress)})

    warnings.simplefilter("ignore")
    with _one_at_a_time:
        try:
            return {"outputs": compute(task, told)}
        except JobFailure as failure:
            return {"failure": str(failure)}


class DaskCluster:
    """The cluster whose scheduler has that address."""

    def __init__(self, address: str, away_seconds: float = AWAY_SECONDS) -> None:
        # A task has its data in it: data that is kept on a worker goes with the worker.
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "2GiB"})
        self._address = address
        self._away_seconds = away_seconds
        self._client: Client | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._seen = time.monotonic()
        self._room = 1
        self._taken = 0
        self._changed = asyncio.Event()
        self._hearing: dict[str, OnProgress] = {}

    async def check(self) -> None:
        """Whether the cluster is there and would compute the same bytes. Raises `StartError`."""
        if not self._address.startswith(_SCHEMES):
            raise StartError(
                f"the executor {self._address} is neither processes nor the address of a Dask scheduler",
                "./dev cloud start --executor processes, or --executor with an address like tcp://scheduler:8786",
            )
        try:
            self._client = await self._connect()
        except (OSError, ValueError, TypeError) as error:
            raise StartError(
                f"no Dask scheduler answers at {self._address} ({type(error).__name__})", _START_IT
            ) from None
        unlike = await self._unlike(self._client)
        if unlike:
            await self._close()
            raise StartError(f"the Dask cluster {self._address} is not like this machine: {unlike}", _SAME)

    def start(self) -> None:
        """Watch over the cluster."""
        self._seen = time.monotonic()
        self._watcher = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Leave the cluster, which drops what it has of ours."""
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
        await self._close()

    async def room(self) -> _Slot:
        """Room for a task more: one runs on each worker, and one waits there."""
        while self._taken >= self._room:
            self._changed.clear()
            await self._changed.wait()
        self._taken += 1
        return _Slot(self)

    def give_back(self) -> None:
        """Free what `room` took."""
        self._taken -= 1
        self._changed.set()

    async def compute(self, task: Task, on_progress: OnProgress) -> dict[str, bytes]:
        """Have a task computed, however often the cluster goes away meanwhile. Raises `JobFailure`."""
        while True:
            client = await self._present()
            key = f"retraining-{uuid4().hex}"
            self._hearing[key] = on_progress
            future = client.submit(compute_there, task, signature(), key, key=key, pure=False)
            try:
                outcome = await self._outcome(future)
            except CancelledError:  # Dask's: the scheduler went away, and all that it knew with it
                _log.info("the Dask cluster went away while a job ran: it is submitted again")
                continue
            except KilledWorker as error:
                raise JobFailure(f"the Dask cluster's workers ended while the job ran: {error}") from None
            finally:
                self._hearing.pop(key, None)
            if "outputs" in outcome:
                return outcome["outputs"]
            raise JobFailure(outcome["failure"])

    async def _outcome(self, future: Future[Outcome]) -> Outcome:
        """A future's result; it is cancelled with this call, or where the cluster stays away too long."""
        waiting = asyncio.ensure_future(_result(future))
        try:
            while not waiting.done():
                await asyncio.wait({waiting}, timeout=_LOOK_SECONDS)
                self._want_it_here()
            return await waiting
        finally:
            if not waiting.done():
                waiting.cancel()
                with contextlib.suppress(Exception):
                    await future.cancel()

    async def _present(self) -> Client:
        """A client that is connected. Raises `JobFailure` where there is none in time."""
        while self._client is None or self._client.status != "running":
            self._want_it_here()
            await asyncio.sleep(_LOOK_SECONDS)
        return self._client

    def _want_it_here(self) -> None:
        away = time.monotonic() - self._seen
        if away > self._away_seconds:
            raise JobFailure(
                f"the Dask cluster {self._address} has been away, or without workers, for {away:.0f} s"
            )

    async def _watch(self) -> None:
        """See whether the cluster is there and how large it is; connect again where Dask has given up."""
        while True:
            try:
                if self._client is None or self._client.status in ("closed", "closing"):
                    self._client = await self._connect()
                workers = await asyncio.wait_for(self._client.nthreads(), _CONNECT_SECONDS)
                if workers:
                    self._seen = time.monotonic()
                self._room = max(1, 2 * len(workers))
                self._changed.set()
            except (OSError, ValueError, TypeError, TimeoutError, CancelledError) as error:
                _log.debug("the Dask cluster does not answer: %r", error)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _connect(self) -> Client:
        client: Client = await Client(
            self._address,
            asynchronous=True,
            timeout=_CONNECT_SECONDS,
            set_as_default=False,
            name="retraining",
        )
        client.subscribe_topic(_TOPIC, self._on_progress)
        return client

    def _on_progress(self, event: tuple[float, Any]) -> None:
        _when, said = event
        hearing = self._hearing.get(said["job"])
        if hearing is not None:
            hearing(said["progress"])

    async def _unlike(self, client: Client) -> str:
        """How scheduler or workers differ from this machine; empty where they don't."""
        found: dict[str, Any] = await client.run(signature, on_error="return")
        try:
            found["the scheduler"] = await client.run_on_scheduler(signature)
        except Exception as error:  # whatever stands in the way of running our function there
            found["the scheduler"] = error
        for where, there in found.items():
            unlike = str(there) if isinstance(there, Exception) else _difference(signature(), there)
            if unlike:
                return f"{where} has {unlike}" if isinstance(there, dict) else f"{where} says {unlike}"
        return ""

    async def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(OSError, TimeoutError):
                await client.close()


class _Slot:
    """Room for one task."""

    def __init__(self, cluster: DaskCluster) -> None:
        self._cluster = cluster

    def give_back(self) -> None:
        """Free it."""
        self._cluster.give_back()

    async def run(self, order: Order, on_progress: OnProgress) -> Results:
        """Run a job: blobs are read and written here, in a thread."""
        try:
            task = await asyncio.to_thread(gather, order)
            outputs = await self._cluster.compute(task, on_progress)
            return await asyncio.to_thread(deliver, order, outputs)
        finally:
            self.give_back()


async def _result(future: Future[Outcome]) -> Outcome:
    outcome: Outcome = await future
    return outcome


def _difference(ours: dict[str, str], theirs: dict[str, str]) -> str:
    """The first thing that is of another version there; empty where all is the same."""
    return next(
        (f"{name} {theirs.get(name)}, not {mine}" for name, mine in ours.items() if theirs.get(name) != mine),
        "",
    )
