"""Jobs that misbehave: lost by the service, or stalled."""

from __future__ import annotations

from starlette.requests import Request

from studio.bes.state import NOT_STARTED, Job
from studio.context import Studio


async def on_start(studio: Studio, request: Request, job: Job) -> None:
    """What may happen to a job that is being started: it stalls, or it is lost."""
    stall = studio.faults.fires(request, "stalled-job")
    if stall is not None:
        studio.jobs.stall(job.id)
        if stall.seconds is not None:
            studio.faults.later(job.id, stall.seconds, lambda: go_on(studio, job.id))
    if studio.faults.fires(request, "lost-job"):
        await _lose(studio, job)


async def lost(studio: Studio, request: Request, job: Job) -> bool:
    """Whether a started job is lost at this look at it."""
    if job.state == NOT_STARTED or studio.faults.fires(request, "lost-job") is None:
        return False
    await _lose(studio, job)
    return True


def go_on(studio: Studio, job_id: str | None = None) -> None:
    """Let a stalled job go on, or all of them."""
    studio.jobs.release(job_id)
    studio.runner.wake()


async def _lose(studio: Studio, job: Job) -> None:
    studio.jobs.delete(job.id)
    await studio.runner.drop_forgotten()
