"""Gives queued jobs to an executor, first come, first served, and keeps the books.

Studio ran up to 40 jobs of one endpoint at once and queued further ones in order; with as many at once as the executor
has room for, that limit is never reached and the order is what remains.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import asdict

from localcloud.facilities.cloud import Cloud
from localcloud.facilities.errors import ApiError
from localcloud.facilities.logs import redact
from localcloud.works.batch.computing import JobFailure
from localcloud.works.batch.executor import Executor, NotBegun, Order, Slot
from localcloud.works.batch.jobs import Job, JobProgress, Jobs
from localcloud.works.batch.places import input_location, output_location
from localcloud.works.models import Models
from localcloud.works.services import Services

_log = logging.getLogger("localcloud.works.batch")

_WATCH_SECONDS = 0.5


class Runner:
    """Hands jobs to the executor, and drops those that were deleted."""

    def __init__(
        self, jobs: Jobs, services: Services, models: Models, cloud: Cloud, executor: Executor
    ) -> None:
        self._jobs = jobs
        self._services = services
        self._models = models
        self._cloud = cloud
        self.executor = executor
        self._queued = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._progress: dict[str, JobProgress] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Queue again what a killed server left running, and start the executor."""
        recovered = self._jobs.recover()
        if recovered:
            _log.info("%d job(s) of the previous run start again", recovered)
        self._queued.set()
        self.executor.start()
        self._tasks |= {asyncio.create_task(self._dispatch()), asyncio.create_task(self._watch())}

    async def stop(self) -> None:
        """End the jobs and the executor; the jobs run again at the next start."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.executor.stop()

    def wake(self) -> None:
        """There is a queued job."""
        self._queued.set()

    def progress(self, job_id: str) -> JobProgress | None:
        """What a running job last said."""
        return self._progress.get(job_id)

    async def run_aside(self, job: Job) -> None:
        """Run what is in no book, when there is room for it. Raises `JobFailure`."""
        order = self._order(job)
        while True:
            slot = await self.executor.room()
            with contextlib.suppress(NotBegun):
                await slot.run(order, lambda _progress: None)
                return

    async def drop_forgotten(self) -> None:
        """End the jobs that were deleted, with their endpoint, service or workspace perhaps."""
        for job_id, task in list(self._running.items()):
            if not self._jobs.exists(job_id):
                task.cancel()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            await self.drop_forgotten()

    async def _dispatch(self) -> None:
        while True:
            await self._queued.wait()
            slot = await self.executor.room()
            job = self._jobs.take()
            if job is None:
                slot.give_back()
                self._queued.clear()
                continue
            task = asyncio.create_task(self._run(slot, job))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, slot: Slot, job: Job) -> None:
        """Run a job and write down what came of it; a job that was deleted has no row to write to."""
        task = asyncio.current_task()
        assert task is not None
        # Only now: a task that is cancelled before its first step never gives its slot back.
        self._running[job.id] = task
        try:
            try:
                order = self._order(job)
            except (ApiError, LookupError) as error:
                # A record that an older version accepted, say: it fails alone, the queue goes on.
                slot.give_back()
                raise JobFailure(f"Error 0000: Internal error: {error}") from None
            results = await slot.run(order, lambda progress: self._progress.update({job.id: progress}))
            self._jobs.finish(job.id, results)
        except NotBegun:
            self._jobs.put_back(job.id)
            self._queued.set()
        except JobFailure as failure:
            self._jobs.fail(job.id, redact(str(failure)))
            _log.info("job %s failed: %s", job.id, failure)
        except Exception as error:
            _log.exception("unexpected error around a job")
            self._jobs.fail(job.id, f"Error 0000: Internal error: {type(error).__name__}")
        finally:
            self._running.pop(job.id, None)
            self._progress.pop(job.id, None)

    def _order(self, job: Job) -> Order:
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
