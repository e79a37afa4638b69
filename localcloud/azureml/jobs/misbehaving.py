"""Faults on request of jobs, by the rules in force: one stalls, or the service loses it."""

from __future__ import annotations

from starlette.requests import Request

from localcloud.azureml.assets.places import Document
from localcloud.azureml.jobs import state as states
from localcloud.azureml.jobs.runner import JobRunner
from localcloud.works.context import works_of


def submit(request: Request, runner: JobRunner, job_id: str) -> None:
    """Bring a job to its end, unless a rule says that it stalls, or is lost."""
    faults = works_of(request).faults
    stall = faults.fires(request, "stalled-job")
    if stall is None:
        runner.submit(job_id)
    else:
        runner.stall(job_id)
        if stall.seconds is not None:
            faults.later(job_id, stall.seconds, lambda: runner.go_on(job_id))
    if faults.fires(request, "lost-job"):
        runner.lose(job_id)


def look(request: Request, runner: JobRunner, job: Document) -> None:
    """Lose a job at this look at it, if a rule says so."""
    over = job["properties"]["status"] in states.OVER
    if not over and works_of(request).faults.fires(request, "lost-job"):
        runner.lose(job["id"])
