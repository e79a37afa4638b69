"""Routes of what a workspace holds: ``/api/workspaces/{ws}/trainedmodels``, ``.../modules``, ``.../outputdata/...``."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from graph.modules import find, names
from localcloud.facilities.errors import ModuleExecutionError
from localcloud.facilities.logs import redact
from localcloud.studio.assets.wire import models_json, module_json
from localcloud.studio.workspaces.errors import no_run
from localcloud.studio.workspaces.opening import open_experiment, open_workspace
from localcloud.works.batch.computing import JobFailure
from localcloud.works.batch.jobs import FINISHED
from localcloud.works.context import works_of
from localcloud.works.output_data import output_data
from localcloud.works.trained_models import trained_models


async def list_trained_models(request: Request) -> Response:
    """GET the trained models that experiments and endpoints hold, and those that jobs made."""
    works, workspace = works_of(request), open_workspace(request)

    def make() -> list[dict[str, Any]]:
        held = trained_models(works.store, works.models, works.cloud, workspace.id)
        return models_json(held, works.cloud)

    return JSONResponse(await asyncio.to_thread(make))


async def list_transforms(request: Request) -> Response:
    """GET saved transforms: none, for what a graph has learnt from data goes with its trained model."""
    open_workspace(request)
    return JSONResponse([])


async def list_modules(request: Request) -> Response:
    """GET the modules that experiments can have."""
    open_workspace(request)
    found = await asyncio.to_thread(lambda: [find(name) for name in names()])
    return JSONResponse([module_json(module) for module in found if module is not None])


async def get_output(request: Request) -> Response:
    """GET what a node of an experiment put out in its last run, a table as CSV: run again as far as that node."""
    works, experiment, path = works_of(request), open_experiment(request), request.path_params
    job = works.jobs.last(experiment.id, FINISHED)
    if job is None:
        raise no_run(experiment.description)
    try:
        content, media = await output_data(works, job, path["node"], path["port"])
    except JobFailure as failure:
        raise ModuleExecutionError("ModuleOutputNotFound", redact(str(failure)), path["node"]) from None
    return Response(content, media_type=media)


def routes() -> list[BaseRoute]:
    """All routes of this API."""
    one = "/api/workspaces/{workspace}"
    return [
        Route(f"{one}/trainedmodels", list_trained_models, methods=["GET"]),
        Route(f"{one}/transformmodules", list_transforms, methods=["GET"]),
        Route(f"{one}/modules", list_modules, methods=["GET"]),
        Route(f"{one}/experiments/{{experiment}}/outputdata/{{node}}/{{port}}", get_output, methods=["GET"]),
    ]
