"""Routes of request-response: ``{service}/execute``."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from studio.context import Studio, studio_of
from studio.data_plane import open_endpoint, routes_below
from studio.errors import BadArgument, BadUserArgument, ModuleExecutionError
from studio.management.state import Endpoint
from studio.parameters import global_parameters
from studio.rrs.wire import read_inputs, rows_json, table_json
from studio.wire import json_object, member

if TYPE_CHECKING:
    from studio.graph import Experiment

_TRUE = "true"


async def execute(request: Request) -> Response:
    """POST execute: score rows, in the form and with the details that the query asks for."""
    studio, endpoint = studio_of(request), open_endpoint(request)
    endpoint = studio.faults.scored_by(request, endpoint)
    with studio.calls.one(endpoint):
        body = await json_object(request)
        swagger = request.query_params.get("format", "").lower() == "swagger"
        details = request.query_params.get("details", "").lower() == _TRUE
        loop = asyncio.get_running_loop()
        results = await loop.run_in_executor(studio.scoring, _score, studio, endpoint, body, swagger, details)
    return JSONResponse({"Results": results})


def _score(
    studio: Studio, endpoint: Endpoint, body: Mapping[str, Any], swagger: bool, details: bool
) -> dict[str, Any]:
    from studio.graph import GraphError, ModuleError

    experiment = studio.graphs.experiment(endpoint.package)
    _refuse_training(experiment)
    scorer = studio.graphs.scorer(endpoint.package, endpoint.resources)
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
    if swagger:
        return {name: rows_json(frame) for name, frame in outputs.items()}
    types = dict(scorer.output_schema)
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
