"""Routes of the Studio API: ``/api/workspaces/{ws}...``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from localcloud.facilities.errors import BadArgument, PackageError
from localcloud.facilities.regions import region_name
from localcloud.facilities.wire import json_object, member
from localcloud.studio.management.binding import fetch
from localcloud.studio.management.wire import given_resources
from localcloud.studio.web_services.definition import definition_of
from localcloud.studio.web_services.schema import pascal
from localcloud.studio.workspaces.errors import already_published, no_activity
from localcloud.studio.workspaces.opening import open_experiment, open_workspace
from localcloud.studio.workspaces.wire import activity_json, experiment_json, workspace_json
from localcloud.works.context import Works, works_of
from localcloud.works.experiments import Experiment
from localcloud.works.new_models import IncompatibleModel, check_model, prepare
from localcloud.works.services import Resource

_LOCATION = "South Central US"


async def get_workspace(request: Request) -> Response:
    """GET the workspace."""
    return JSONResponse(workspace_json(open_workspace(request)))


async def list_experiments(request: Request) -> Response:
    """GET the experiments."""
    works, workspace = works_of(request), open_workspace(request)
    runs = works.jobs.runs(workspace.id)
    return JSONResponse(
        [experiment_json(one, runs.get(one.id)) for one in works.experiments.list(workspace.id)]
    )


async def get_experiment(request: Request) -> Response:
    """GET one experiment."""
    return JSONResponse(_shown(works_of(request), open_experiment(request)))


async def save_experiment(request: Request) -> Response:
    """POST an experiment: its graph checked, its models fetched at once; saved under its description."""
    works, workspace = works_of(request), open_workspace(request)
    body = await json_object(request)
    description, graph = member(body, "Description"), member(body, "Graph")
    if not isinstance(description, str) or not description.strip():
        raise BadArgument(
            "BadParameterValue", "Description, the experiment's name, is missing", "Description"
        )
    if not isinstance(graph, dict):
        raise BadArgument("MissingWebServicePackage", "Graph, the experiment package, is missing", "Graph")
    experiment = await asyncio.to_thread(works.graphs.parse, graph)
    resources = await _models(works, body, experiment.resources)
    package = works.services.keep_package(graph)
    if not experiment.trains:
        await _check_scoring(works, package, resources)
    saved = works.experiments.save(workspace.id, description, package, resources)
    return JSONResponse(_shown(works, saved))


def _shown(works: Works, experiment: Experiment) -> dict[str, Any]:
    return experiment_json(experiment, works.jobs.runs(experiment.workspace_id).get(experiment.id))


async def _models(works: Works, body: dict[str, Any], names: tuple[str, ...]) -> list[Resource]:
    given = {resource.name.casefold(): resource for resource in given_resources(body)}
    for name in names:
        if name.casefold() not in given:
            raise BadArgument("MissingModelPackage", f"Resources has no location for '{name}'", name)
    known = {name.casefold() for name in names}
    for folded, resource in given.items():
        if folded not in known:
            raise BadArgument(
                "BadParameterValue", f"the graph has no trained model '{resource.name}'", resource.name
            )
    fetched = [await fetch(works, given[name.casefold()], name) for name in names]
    for model in fetched:
        await asyncio.to_thread(check_model, works, model)
    return fetched


async def _check_scoring(works: Works, package: str, resources: list[Resource]) -> None:
    try:
        await prepare(works, package, resources)
    except IncompatibleModel as error:
        raise PackageError("ValidationError", str(error)) from None


async def get_definition(request: Request) -> Response:
    """GET an experiment as the definition of a New web service, to which account and plan are to be added."""
    works, experiment = works_of(request), open_experiment(request)

    def make() -> dict[str, Any]:
        parsed = works.graphs.experiment(experiment.package)
        scorer = None if parsed.trains else works.graphs.scorer(experiment.package, experiment.resources)
        package = works.services.package(experiment.package)
        return definition_of(package, parsed, experiment.resources, scorer)

    properties = await asyncio.to_thread(make)
    arm = next(iter(_declared(works, experiment.workspace_id)), None)
    if arm is not None:
        properties["machineLearningWorkspace"] = {"id": arm["id"]}
    location = region_name(arm["location"]) if arm is not None else _LOCATION
    return JSONResponse(pascal({"location": location, "properties": properties}))


def _declared(works: Works, workspace_id: str) -> Iterator[dict[str, Any]]:
    """The workspace as Resource Manager has it, if it was declared there."""
    for document in works.store.arm_list(f"/subscriptions/{works.cloud.subscription}/resourceGroups/"):
        if document.get("properties", {}).get("workspaceId") == workspace_id:
            yield document


async def delete_experiment(request: Request) -> Response:
    """DELETE an experiment; its web service stays."""
    experiment = open_experiment(request)
    works_of(request).experiments.delete(experiment.workspace_id, experiment.id)
    return Response(status_code=204)


async def publish(request: Request) -> Response:
    """POST webservice: publish an experiment, or with updateExistingWebService publish it again."""
    works, experiment = works_of(request), open_experiment(request)
    again = request.query_params.get("updateExistingWebService", "").lower() == "true"
    if works.services.service_of(experiment.id) is not None and not again:
        raise already_published(experiment.description)
    graph = works.services.package(experiment.package)
    endpoint = works.services.publish(
        experiment.workspace_id,
        experiment.id,
        experiment.description,
        str(graph.get("description") or ""),
        experiment.package,
        experiment.resources,
    )
    activity = works.experiments.record_activity(endpoint)
    return JSONResponse(activity_json(activity, "Pending"))


async def get_publishing(request: Request) -> Response:
    """GET how far a publishing is, by its ActivityId."""
    workspace, activity_id = open_workspace(request), request.path_params["experiment"]
    activity = works_of(request).experiments.activity(workspace.id, activity_id)
    if activity is None:
        raise no_activity(activity_id)
    return JSONResponse(activity_json(activity, "Completed"))


def routes() -> list[BaseRoute]:
    """All routes of this API."""
    one = "/api/workspaces/{workspace}"
    experiments = f"{one}/experiments"
    return [
        Route(one, get_workspace, methods=["GET"]),
        Route(experiments, list_experiments, methods=["GET"]),
        Route(experiments, save_experiment, methods=["POST"]),
        Route(f"{experiments}/{{experiment}}", get_experiment, methods=["GET"]),
        Route(f"{experiments}/{{experiment}}", delete_experiment, methods=["DELETE"]),
        Route(f"{experiments}/{{experiment}}/webservicedefinition", get_definition, methods=["GET"]),
        Route(f"{experiments}/{{experiment}}/webservice", publish, methods=["POST"]),
        Route(f"{experiments}/{{experiment}}/webservice", get_publishing, methods=["GET"]),
    ]
