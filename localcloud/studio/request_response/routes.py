"""Routes of request-response: ``{service}/execute``."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from graph import Experiment, GraphError, ModuleError, Rows, Scorer
from localcloud.facilities.bodies import LARGEST
from localcloud.facilities.errors import BadArgument, BadUserArgument, ModuleExecutionError
from localcloud.facilities.wire import json_object, member
from localcloud.studio.data_plane import open_endpoint, routes_below
from localcloud.studio.parameters import global_parameters
from localcloud.studio.request_response.wire import answer_json, read_inputs, rows_json, table_json
from localcloud.works.context import Works, works_of
from localcloud.works.services import Endpoint

EXECUTE = "/execute"


@dataclass(frozen=True)
class _Call:
    """A request to score, as it was read."""

    endpoint: Endpoint
    body: Mapping[str, Any]
    size: int
    swagger: bool
    details: bool


async def execute(request: Request) -> Response:
    """POST execute: score rows, in the form and with the details that the query asks for."""
    works, endpoint = works_of(request), open_endpoint(request)
    endpoint = works.bindings.scored_by(request, endpoint)
    async with works.calls.one(endpoint):
        body = await json_object(request, constants=True)
        size = int(request.headers.get("content-length") or LARGEST)
        swagger, details = _form(request.scope["query_string"])
        call = _Call(endpoint, body, size, swagger, details)
        answer = _at_once(works, call)
        if answer is None:
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(works.scoring, _score, works, call)
    return Response(answer, media_type="application/json")


@lru_cache(256)
def _form(query: bytes) -> tuple[bool, bool]:
    """Whether the answer is to be in the swagger form, and whether with details."""
    asked = QueryParams(query)
    return asked.get("format", "").lower() == "swagger", asked.get("details", "").lower() == "true"


def _at_once(works: Works, call: _Call) -> str | None:
    """The answer, where a compiled graph has it within a moment; None where a thread is to work on it."""
    scorer = works.graphs.known_scorer(call.endpoint.package, call.endpoint.resources)
    if scorer is None or scorer.interpreted:
        return None
    if not works.pace.is_quick(scorer, call.size):
        return None
    with works.pace.measured(scorer, call.size):
        outputs = scorer.compiled(*_read(works, call))
        return None if outputs is None else _written(scorer, outputs, call)


def _score(works: Works, call: _Call) -> str:
    _refuse_training(works.graphs.experiment(call.endpoint.package))
    scorer = works.graphs.scorer(call.endpoint.package, call.endpoint.resources)
    inputs, parameters = _read(works, call)
    experiment = scorer.experiment
    try:
        with works.pace.measured(scorer, call.size):
            return _written(scorer, scorer.score(inputs, parameters), call)
    except ModuleError as error:
        if error.module in experiment.inputs:
            raise BadUserArgument("InputParseError", str(error), error.module) from None
        raise ModuleExecutionError(error.code, str(error), error.module) from None
    except GraphError as error:
        raise BadUserArgument("InputMismatchError", error.message, error.target or None) from None


def _read(works: Works, call: _Call) -> tuple[dict[str, Rows], dict[str, str]]:
    experiment = works.graphs.experiment(call.endpoint.package)
    inputs = read_inputs(call.body, experiment.inputs)
    return inputs, global_parameters(experiment, member(call.body, "GlobalParameters"), BadUserArgument)


def _written(scorer: Scorer, outputs: Mapping[str, Any], call: _Call) -> str:
    types = dict(scorer.output_schema)
    write = rows_json if call.swagger else partial(table_json, details=call.details)
    return answer_json({name: write(frame, types) for name, frame in outputs.items()})


def _refuse_training(experiment: Experiment) -> None:
    if experiment.trains:
        raise BadArgument(
            "WebServiceTypeInvalid",
            "this web service trains a model, which only batch execution does: POST .../jobs?api-version=2.0",
        )


def routes() -> list[BaseRoute]:
    """All routes of this API."""
    return [*routes_below(EXECUTE, execute, "POST")]
