"""The swagger document of an endpoint, with what R's client reads from it.

It needs ``definitions.input1Item`` and ``output1Item``, an example request, a path that matches ``/execute?`` and at
least two paths, of which it takes the method of the second. It also strips whatever looks like an HTML tag, so no
text here has angle brackets. Source: RevolutionAnalytics/AzureML R/discover.R, R/services.R.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from graph import Experiment, Scorer
from localcloud.works.services import WebService

_TYPES: dict[str, dict[str, str]] = {
    "Boolean": {"type": "boolean"},
    "Int32": {"type": "integer", "format": "int32"},
    "Int64": {"type": "integer", "format": "int64"},
    "Double": {"type": "number", "format": "double"},
    "DateTime": {"type": "string", "format": "date-time"},
}
_OK = {"200": {"description": "ok"}}


def document(service: WebService, experiment: Experiment, scorer: Scorer | None, api: str) -> dict[str, Any]:
    """The document of the data plane at `api`; `scorer` is None for a web service that trains."""
    address = urlsplit(api)
    paths: dict[str, Any] = {"/swagger.json": {"get": _operation("getSwaggerDocument")}}
    if scorer is not None:
        paths["/execute?api-version=2.0&format=swagger"] = {"post": _execute()}
    paths["/jobs?api-version=2.0"] = {"post": _operation("submitJob")}
    paths["/jobs/{jobId}/start?api-version=2.0"] = {"post": _operation("startJob")}
    paths["/jobs/{jobId}?api-version=2.0"] = {
        "get": _operation("getJob"),
        "delete": _operation("deleteJob"),
    }
    return {
        "swagger": "2.0",
        "info": {"version": "2.0", "title": service.name, "description": _plain(service.description)},
        "host": address.netloc,
        "basePath": address.path,
        "schemes": [address.scheme],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "paths": paths,
        "securityDefinitions": {"apiKey": {"type": "apiKey", "name": "Authorization", "in": "header"}},
        "security": [{"apiKey": []}],
        "definitions": _definitions(experiment, scorer),
    }


def _operation(name: str) -> dict[str, Any]:
    return {"operationId": name, "responses": _OK}


def _execute() -> dict[str, Any]:
    return {
        "operationId": "execute",
        "parameters": [
            {
                "name": "executionPayload",
                "in": "body",
                "required": True,
                "schema": {"$ref": "#/definitions/ExecutionRequest"},
            }
        ],
        "responses": {
            "200": {"description": "ok", "schema": {"$ref": "#/definitions/ExecutionResults"}},
        },
    }


def _definitions(experiment: Experiment, scorer: Scorer | None) -> dict[str, Any]:
    inputs = dict(scorer.input_schema) if scorer else {}
    outputs = dict(scorer.output_schema) if scorer else {}
    example = {name: scorer.example.get(name) for name in inputs} if scorer else {}
    items = {name: f"{name}Item" for name in experiment.inputs}
    results = {output.name: f"{output.name}Item" for output in experiment.outputs}
    return {
        "ExecutionRequest": {
            "type": "object",
            "properties": {
                "Inputs": {"$ref": "#/definitions/ExecutionInputs"},
                "GlobalParameters": {
                    "type": "object",
                    "properties": {name: {"type": "string"} for name in experiment.parameters},
                },
            },
            "example": {
                "Inputs": {name: [example] for name in experiment.inputs},
                "GlobalParameters": {
                    name: parameter.default or "" for name, parameter in experiment.parameters.items()
                },
            },
        },
        "ExecutionInputs": {"type": "object", "properties": _tables(items)},
        **{item: _row(inputs) for item in items.values()},
        "ExecutionResults": {
            "type": "object",
            "properties": {"Results": {"type": "object", "properties": _tables(results)}},
        },
        **{item: _row(outputs) for item in results.values()},
    }


def _tables(items: dict[str, str]) -> dict[str, Any]:
    return {
        name: {"type": "array", "items": {"$ref": f"#/definitions/{item}"}} for name, item in items.items()
    }


def _row(columns: dict[str, str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: _TYPES.get(kind, {"type": "string"}) for name, kind in columns.items()},
    }


def _plain(text: str) -> str:
    return text.replace("<", "(").replace(">", ")")
