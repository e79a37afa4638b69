"""Routes of request-response: ``{service}/execute``."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from graph import Experiment, GraphError, ModuleError, rows_of
from localcloud.facilities.errors import BadArgument, BadUserArgument, ModuleExecutionError
from localcloud.facilities.wire import json_object, member
from localcloud.studio.data_plane import open_endpoint, routes_below
from localcloud.studio.parameters import global_parameters
from localcloud.studio.request_response.wire import read_inputs, table_json
from localcloud.works.context import Works, works_of
from localcloud.works.services import Endpoint

_TRUE = "true"


async def execute(request: Request) -> Response:
    """POST execute: score rows, in the form and with the details that the query asks for."""
    works, endpoint = works_of(request), open_endpoint(request)
    endpoint = works.bindings.scored_by(request, endpoint)
    async with works.calls.one(endpoint):
        body = await json_object(request, constants=True)
        swagger = request.query_params.get("format", "").lower() == "swagger"
        details = request.query_params.get("details", "").lower() == _TRUE
        loop = asyncio.get_running_loop()
        results = await loop.run_in_executor(works.scoring, _score, works, endpoint, body, swagger, details)
    return JSONResponse({"Results": results})


def _score(
    works: Works, endpoint: Endpoint, body: Mapping[str, Any], swagger: bool, details: bool
) -> dict[str, Any]:
    experiment = works.graphs.experiment(endpoint.package)
    _refuse_training(experiment)
    scorer = works.graphs.scorer(endpoint.package, endpoint.resources)
    inputs = read_inputs(body, experiment.inputs)
    parameters = global_parameters(experiment, member(body, "GlobalParameters"), BadUserArgument)
    try:
        outputs = scorer.score(inputs, parameters)
    except ModuleError as error:
        if error.module in experiment.inputs:
            raise BadUserArgument("InputParseError", str(error), error.module) from None
        raise ModuleExecutionError(error.code, str(error), error.module) from None
    except GraphError as error:
        raise BadUserArgument("InputMismatchError", error.message, error.target or None) from None
    types = dict(scorer.output_schema)
    if swagger:
        return {name: rows_of(frame, types) for name, frame in outputs.items()}
    return {name: table_json(frame, types, details=details) for name, frame in outputs.items()}


def _refuse_training(experiment: Experiment) -> None:
    if experiment.trains:
        raise BadArgument(
            "WebServiceTypeInvalid",
            "this web service trains a model, which only batch execution does: POST .../jobs?api-version=2.0",
        )


def routes() -> list[BaseRoute]:
    """All routes of this API."""
    return [*routes_below("/execute", execute, "POST")]
