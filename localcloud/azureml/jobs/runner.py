"""Brings jobs to their end, first come, first served, so many at once; what a killed server left goes on.

A job whose command runs has a supervisor of its own, which is found again by its process; one that was only prepared
is prepared anew. A server that stops in order ends the commands, and their jobs begin again with the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import sys
from pathlib import Path

import psutil

from localcloud.azureml.assets.places import Document, Workspace
from localcloud.azureml.environments.making import Environments
from localcloud.azureml.jobs import finishing, supervisor
from localcloud.azureml.jobs import state as states
from localcloud.azureml.jobs.logs import NAME, LogBlob
from localcloud.azureml.jobs.preparing import JobFailed, Site, prepare
from localcloud.azureml.jobs.state import Jobs
from localcloud.azureml.jobs.supervisor import End
from localcloud.facilities.logs import redact

_log = logging.getLogger("localcloud.azureml.jobs")

_LOOK_SECONDS = 0.3
_LAST_TRIES = 5
_OURS = ("PATH", "PYTHONPATH", "PYTHONUTF8", "PYTHONPYCACHEPREFIX", "SYSTEMROOT")


class JobRunner:
    """Used from the event loop only. `most` commands run at once."""

    def __init__(self, jobs: Jobs, environments: Environments, directory: Path, most: int) -> None:
        self.jobs = jobs
        self._environments = environments
        self._directory = directory
        self._room = asyncio.Semaphore(most)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stalled: set[str] = set()
        self._stopping = False

    def start(self) -> None:
        """Go on with what a killed server left."""
        for job_id in self.jobs.unfinished():
            self.submit(job_id)

    def submit(self, job_id: str) -> None:
        """Bring a job to its end, in the background."""
        task = asyncio.create_task(self._bring(job_id))
        self._tasks[job_id] = task
        task.add_done_callback(lambda _: self._tasks.pop(job_id, None))

    def stall(self, job_id: str) -> None:
        """Have a job say that it runs, and get nowhere until it goes on or is cancelled."""
        self.jobs.mark(job_id, states.RUNNING)
        self._stalled.add(job_id)

    def go_on(self, *stalled: str) -> None:
        """Bring stalled jobs to their end, or all of them."""
        for job_id in set(stalled or self._stalled) & self._stalled:
            self._stalled.discard(job_id)
            self.submit(job_id)

    def lose(self, job_id: str) -> None:
        """Have a job fail, wherever it is: the service has lost it."""
        error = {"code": "JobLost", "message": "The service lost the job."}
        if (job := self.jobs.mark(job_id, states.FAILED, error=error)) is not None:
            self._stalled.discard(job_id)
            _kill(job, self._site(job))
            if task := self._tasks.get(job_id):
                task.cancel()

    def cancel(self, job_id: str) -> None:
        """Have a job end; it is over soon after."""
        job = self.jobs.mark(job_id, states.CANCEL_REQUESTED)
        if job is None:
            return
        site = self._site(job)
        if job_id in self._stalled:
            self.go_on(job_id)
        elif "pid" in job["run"] and site.folder.exists():
            (site.folder / supervisor.CANCEL).touch()
        elif task := self._tasks.get(job_id):
            task.cancel()

    async def stop(self) -> None:
        """End what runs; it begins again with the next start."""
        self._stopping = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _site(self, job: Document) -> Site:
        return Site(self._directory / job["run"]["folder"])

    @staticmethod
    def _log_of(job: Document, workspace: Workspace, site: Site) -> LogBlob:
        place = workspace.artifacts(job["name"], NAME)
        return LogBlob(workspace.cloud, place, site.folder / supervisor.LOG)

    async def _bring(self, job_id: str) -> None:
        job = self.jobs.get(job_id)
        workspace = self.jobs.workspace(job) if job else None
        if job is None or workspace is None:
            return
        site = self._site(job)
        try:
            await self._go_on(job, workspace, site)
            self.jobs.mark(job_id, states.COMPLETED)
        except JobFailed as failure:
            self._fail(job_id, failure)
        except asyncio.CancelledError:
            if self._stopping:
                self._end_process(job_id)
                raise
            self.jobs.mark(job_id, states.CANCELED)
        except Exception as error:
            _log.exception("unexpected error around the job %s", job_id)
            message = f"The local cloud's log has the details: {type(error).__name__}."
            self._fail(job_id, JobFailed("ServiceError", message))
        await asyncio.to_thread(shutil.rmtree, site.folder, ignore_errors=True)

    def _fail(self, job_id: str, failure: JobFailed) -> None:
        # The service cancels what runs for too long.
        status = states.CANCELED if failure.code == "JobExceededTimeLimit" else states.FAILED
        error = {"code": failure.code, "message": redact(str(failure))}
        if self.jobs.mark(job_id, status, error=error) is not None:
            _log.info("job %s failed: %s", job_id.rpartition("/")[2], error["code"])

    async def _go_on(self, job: Document, workspace: Workspace, site: Site) -> None:
        """From where a job stands to its end. Raises `JobFailed`, and CancelledError for one that is cancelled."""
        if _has_begun(job, site):
            await self._watch_and_finish(job, workspace, site)
            return
        _kill(job, site)  # one that was started and got no order
        if job["properties"]["status"] == states.CANCEL_REQUESTED:
            raise asyncio.CancelledError
        self.jobs.mark(job["id"], states.QUEUED)
        async with self._room:
            self.jobs.mark(job["id"], states.PREPARING)
            order = await prepare(job, workspace, site, self._environments)
            await asyncio.to_thread(self._log_of(job, workspace, site).begin)
            process = await self._begin(job, site, order)
            await self._watch_and_finish(job, workspace, site)
            await process.wait()  # held until here: asyncio ends a process that nobody holds

    async def _begin(self, job: Document, site: Site, order: Document) -> asyncio.subprocess.Process:
        """Start the supervisor, write down which process it is, and only then give it the order."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "localcloud.azureml.jobs.supervisor",
            str(site.folder),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={name: os.environ[name] for name in _OURS if name in os.environ},
            start_new_session=True,
        )
        born = psutil.Process(process.pid).create_time()
        if self.jobs.mark(job["id"], states.RUNNING, pid=process.pid, born=born) is None:
            process.kill()
            raise asyncio.CancelledError
        assert process.stdin is not None
        process.stdin.write(json.dumps(order).encode())
        with contextlib.suppress(ConnectionError):
            await process.stdin.drain()
        process.stdin.close()
        return process

    async def _watch_and_finish(self, job: Document, workspace: Workspace, site: Site) -> None:
        log = self._log_of(job, workspace, site)
        end = await self._watch(job, site, log)
        if end.why == supervisor.CANCELLED:
            await self._last(log)
            raise asyncio.CancelledError
        self.jobs.mark(job["id"], states.FINALIZING)
        await self._last(log)
        await finishing.bring_kept(job, workspace, site)
        finishing.check(end, job, site.folder / supervisor.LOG)
        await finishing.bring_outputs(job, workspace, site)
        finishing.register_outputs(job, workspace)

    async def _watch(self, job: Document, site: Site, log: LogBlob) -> End:
        """Bring the log over until the command has ended."""
        began = self.jobs.get(job["id"]) or job
        while True:
            lives = _lives(began)
            if (end := supervisor.read_end(site.folder)) is not None:
                return end
            if not lives:
                supervisor.end_left_over(site.folder)
                return End(supervisor.LOST)
            job_now = self.jobs.get(job["id"])
            if job_now is None:  # deleted, with its workspace perhaps
                _kill(began, site)
                raise asyncio.CancelledError
            with contextlib.suppress(FileNotFoundError):
                os.utime(site.folder / supervisor.WATCHED)
                if job_now["properties"]["status"] == states.CANCEL_REQUESTED:
                    (site.folder / supervisor.CANCEL).touch()
            try:
                more = await asyncio.to_thread(log.catch_up)
            except Exception as error:
                more = False
                _log.warning("the log of the job %s waits: %s", job["name"], redact(str(error)))
            await asyncio.sleep(0 if more else _LOOK_SECONDS)

    async def _last(self, log: LogBlob) -> None:
        """Bring the rest of the log over, and go on without it where the blob store does not take it."""
        for number in range(_LAST_TRIES):
            try:
                while await asyncio.to_thread(log.catch_up):
                    pass
            except Exception as error:
                _log.warning("the end of a log waits: %s", redact(str(error)))
                await asyncio.sleep(number)
            else:
                return

    def _end_process(self, job_id: str) -> None:
        """End a job's process with the server; it will begin again."""
        job = self.jobs.get(job_id)
        if job is None or job["properties"]["status"] in states.OVER:
            return
        site = self._site(job)
        if "pid" in job["run"] and supervisor.read_end(site.folder) is None:
            _kill(job, site)
            job["run"] = {name: value for name, value in job["run"].items() if name not in ("pid", "born")}
            if job["properties"]["status"] != states.CANCEL_REQUESTED:
                job["properties"]["status"] = states.QUEUED
            self.jobs.put(job)


def _kill(job: Document, site: Site) -> None:
    """End a job's supervisor and all that it started, without asking."""
    if not _lives(job):
        return
    with contextlib.suppress(psutil.Error):
        around = psutil.Process(job["run"]["pid"])
        inside = around.children(recursive=True)
        for process in (around, *inside):
            with contextlib.suppress(psutil.Error):
                process.kill()
    supervisor.end_left_over(site.folder)


def _lives(job: Document) -> bool:
    """Whether the process that was written down is still there."""
    try:
        process = psutil.Process(job["run"]["pid"])
        return bool(process.create_time() == job["run"]["born"] and process.status() != psutil.STATUS_ZOMBIE)
    except (psutil.Error, KeyError):
        return False


def _has_begun(job: Document, site: Site) -> bool:
    """Whether the command was begun, by a server before this one."""
    return "pid" in job["run"] and (site.folder / supervisor.BEGAN).exists()
