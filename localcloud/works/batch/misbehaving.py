"""Jobs that misbehave: lost by the service, or stalled."""

from __future__ import annotations

from starlette.requests import Request

from localcloud.faults.state import Faults
from localcloud.works.batch.jobs import NOT_STARTED, Job, Jobs
from localcloud.works.batch.runner import Runner


class JobFaults:
    """What the rules have happen to jobs."""

    def __init__(self, faults: Faults, jobs: Jobs, runner: Runner) -> None:
        self._faults = faults
        self._jobs = jobs
        self._runner = runner

    async def on_start(self, request: Request, job: Job) -> None:
        """What may happen to a job that is being started: it stalls, or it is lost."""
        stall = self._faults.fires(request, "stalled-job")
        if stall is not None:
            self._jobs.stall(job.id)
            if stall.seconds is not None:
                self._faults.later(job.id, stall.seconds, lambda: self.go_on(job.id))
        if self._faults.fires(request, "lost-job"):
            await self._lose(job)

    async def lost(self, request: Request, job: Job) -> bool:
        """Whether a started job is lost at this look at it."""
        if job.state == NOT_STARTED or self._faults.fires(request, "lost-job") is None:
            return False
        await self._lose(job)
        return True

    def go_on(self, job_id: str | None = None) -> None:
        """Let a stalled job go on, or all of them."""
        self._jobs.release(job_id)
        self._runner.wake()

    async def _lose(self, job: Job) -> None:
        self._jobs.delete(job.id)
        await self._runner.drop_forgotten()
