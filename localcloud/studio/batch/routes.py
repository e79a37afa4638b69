"""Routes of batch execution: ``{service}/jobs...``."""

from __future__ import annotations

import asyncio
import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from localcloud.facilities.wire import json_object
from localcloud.studio.batch.errors import cannot_start, no_job
from localcloud.studio.batch.wire import check_request, status_json
from localcloud.studio.data_plane import open_endpoint, routes_below
from localcloud.works.batch.jobs import FINISHED, Job
from localcloud.works.context import works_of


async def submit(request: Request) -> Response:
    """POST jobs: check and record; the answer is the job's id as a JSON string and nothing else."""
    works, endpoint = works_of(request), open_endpoint(request)
    body = await json_object(request)
    experiment = await asyncio.to_thread(works.graphs.experiment, endpoint.package)
    checked = check_request(body, experiment, works.cloud)
    job_id = works.jobs.create(endpoint.id, endpoint.package, endpoint.resources, checked)
    # Clients cut the first and last characters: exactly two quotes, no line end.
    return Response(json.dumps(job_id), media_type="application/json; charset=utf-8")


def _job(request: Request) -> Job:
    job_id = request.path_params["job"]
    job = works_of(request).jobs.get(open_endpoint(request).id, job_id)
    if job is None:
        raise no_job(job_id)
    return job


async def start(request: Request) -> Response:
    """POST start: queue the job; a second start is CannotStartJob."""
    works, job = works_of(request), _job(request)
    if not works.jobs.start(job.id):
        raise cannot_start(job.id, job.state)
    await works.job_faults.on_start(request, job)
    works.runner.wake()
    return Response(status_code=200)


async def status(request: Request) -> Response:
    """GET a job."""
    works, job = works_of(request), _job(request)
    if await works.job_faults.lost(request, job):
        raise no_job(job.id)
    expired = job.state == FINISHED and works.faults.fires(request, "expired-sas") is not None
    progress = works.runner.progress(job.id)
    return JSONResponse(status_json(job, works.cloud, progress, expired=expired))


async def cancel(request: Request) -> Response:
    """DELETE a job: stop it if it runs, and forget it."""
    works, job = works_of(request), _job(request)
    works.jobs.delete(job.id)
    await works.runner.drop_forgotten()
    return Response(status_code=200)


def routes() -> list[BaseRoute]:
    """All routes of this API."""
    return [
        *routes_below("/jobs", submit, "POST"),
        *routes_below("/jobs/{job}/start", start, "POST"),
        *routes_below("/jobs/{job}", status, "GET"),
        *routes_below("/jobs/{job}", cancel, "DELETE"),
    ]
