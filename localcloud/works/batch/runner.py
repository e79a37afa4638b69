"""Runs queued jobs in warm worker processes, first come, first served.

A worker (`localcloud.works.batch.worker`) is started with its imports done and waits for jobs on its standard input; what it
says comes back on its standard output, one JSON document a line. A job is cancelled by killing its worker: training
can't be interrupted in any other way. Studio ran up to 40 jobs of one endpoint at once and queued further ones in
order; with as many workers as this machine has room for, that limit is never reached and the order is what remains.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from dataclasses import asdict
from typing import Any

from localcloud.facilities.cloud import Cloud
from localcloud.facilities.errors import ApiError
from localcloud.facilities.logs import redact
from localcloud.works.batch.jobs import Job, JobProgress, Jobs
from localcloud.works.batch.places import input_location, output_location
from localcloud.works.models import Models
from localcloud.works.services import Services

_log = logging.getLogger("localcloud.works.batch")

_LINE_LIMIT = 4 * 1024 * 1024
_WATCH_SECONDS = 0.5
_RESTART_SECONDS = 1.0


class _WorkerDiedError(Exception):
    """The worker's output ended."""


class Runner:
    """Keeps the workers alive and hands them jobs."""

    def __init__(self, jobs: Jobs, services: Services, models: Models, cloud: Cloud, workers: int) -> None:
        self._jobs = jobs
        self._services = services
        self._models = models
        self._cloud = cloud
        self._count = workers
        self._queued = asyncio.Event()
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._progress: dict[str, JobProgress] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Queue again what a killed server left running, and start the workers."""
        recovered = self._jobs.recover()
        if recovered:
            _log.info("%d job(s) of the previous run start again", recovered)
        self._queued.set()
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self._count)]
        self._tasks.append(asyncio.create_task(self._watch()))

    async def stop(self) -> None:
        """Kill the workers; their jobs run again at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def wake(self) -> None:
        """There is a queued job."""
        self._queued.set()

    def progress(self, job_id: str) -> JobProgress | None:
        """What a running job last said."""
        return self._progress.get(job_id)

    async def drop_forgotten(self) -> None:
        """Kill the workers whose job was deleted, with its endpoint, service or workspace perhaps."""
        for job_id, process in list(self._running.items()):
            if not self._jobs.exists(job_id):
                _kill(process)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            await self.drop_forgotten()

    async def _work(self) -> None:
        """One worker process after the other, for ever."""
        while True:
            try:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "localcloud.works.batch.worker",
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    limit=_LINE_LIMIT,
                )
            except OSError as error:
                _log.error("cannot start a worker process: %s", error)
                await asyncio.sleep(_RESTART_SECONDS)
                continue
            try:
                await _hear(process)
                while True:
                    await self._run(process, await self._next(process))
            except _WorkerDiedError:
                if process.returncode not in (0, None, -9):
                    _log.warning("a worker process ended with status %s", process.returncode)
                    await asyncio.sleep(_RESTART_SECONDS)
            finally:
                _kill(process)
                await process.wait()

    async def _next(self, process: asyncio.subprocess.Process) -> Job:
        """The next job for a worker that lives. Raises `_WorkerDiedError` for one that ended while it was idle."""
        ended = asyncio.ensure_future(process.wait())
        try:
            while not ended.done():
                job = self._jobs.take()
                if job is not None:
                    return job
                self._queued.clear()
                queued = asyncio.ensure_future(self._queued.wait())
                try:
                    await asyncio.wait({queued, ended}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    queued.cancel()
        finally:
            ended.cancel()
        raise _WorkerDiedError

    async def _run(self, process: asyncio.subprocess.Process, job: Job) -> None:
        try:
            order = json.dumps(self._order(job))
        except (ApiError, LookupError) as error:
            # A record that an older version accepted, say: it fails alone, the queue goes on.
            self._jobs.fail(job.id, f"Error 0000: Internal error: {redact(str(error))}")
            return
        self._running[job.id] = process
        begun = False
        try:
            assert process.stdin is not None
            process.stdin.write(order.encode() + b"\n")
            with contextlib.suppress(ConnectionError):
                await process.stdin.drain()
            while True:
                said = await _hear(process)
                begun = True
                match said["kind"]:
                    case "begun":
                        pass
                    case "progress":
                        self._progress[job.id] = said["progress"]
                    case "finished":
                        self._jobs.finish(job.id, said["results"])
                        return
                    case _:
                        self._jobs.fail(job.id, redact(said["details"]))
                        _log.info("job %s failed: %s", job.id, said["details"])
                        return
        except _WorkerDiedError:
            await process.wait()
            if not begun:
                # It was idle, and ended as the job came: that is not the job's fault.
                self._jobs.put_back(job.id)
                self._queued.set()
            elif self._jobs.exists(job.id):
                self._jobs.fail(
                    job.id, f"the worker process ended while the job ran (status {process.returncode})"
                )
            raise
        finally:
            self._running.pop(job.id, None)
            self._progress.pop(job.id, None)

    def _order(self, job: Job) -> dict[str, Any]:
        """All that a worker needs; it reads no database."""
        cloud = self._cloud
        return {
            "package": self._services.package(job.package),
            "parameters": job.request.parameters,
            "resources": {
                resource.name: str(self._models.path(resource.sha256)) for resource in job.resources
            },
            "inputs": {
                name: asdict(input_location(reference, cloud, name))
                for name, reference in job.request.inputs.items()
            },
            "outputs": {
                name: asdict(output_location(reference, cloud, name))
                for name, reference in job.request.outputs.items()
            },
        }


async def _hear(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        await process.wait()
        raise _WorkerDiedError
    said: dict[str, Any] = json.loads(line)
    return said


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
