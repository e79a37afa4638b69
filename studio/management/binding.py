"""Giving graphs their models: fetch at once, check, and only then let an endpoint serve them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from starlette.requests import Request

from studio.blob.reference import Location, resolve
from studio.context import Studio
from studio.errors import ApiError, BadArgument, InvalidOperation
from studio.faults.binding import bind, refuse_on_request
from studio.management.errors import model_mismatch
from studio.management.state import Endpoint, Resource
from studio.management.wire import GivenResource


async def fetch(studio: Studio, given: GivenResource, name: str) -> Resource:
    """Copy the model that a request names. Raises `BadArgument` where it cannot be read."""
    return await fetch_from(studio, resolve(given.location, studio.cloud, name), name)


async def fetch_from(studio: Studio, location: Location, name: str) -> Resource:
    """Copy the model at a place. Raises `BadArgument` where it cannot be read."""
    try:
        url = location.read_url()
    except ValueError:
        raise BadArgument(
            "InvalidBlobConnectionString", f"the account key for '{name}' is not base64", name
        ) from None
    sha256 = await studio.models.fetch(url, name)
    return Resource(name, location.base, location.relative, sha256)


async def update(
    studio: Studio, request: Request, endpoint: Endpoint, given: Sequence[GivenResource]
) -> None:
    """Replace models of an endpoint: all of those given, or none.

    Raises InvalidOperation for the default endpoint, one that prevents updates, or a graph without models;
    BadArgument for a name or an address that is wrong, or bytes that are no model;
    Conflict (ModelOutputMetadataMismatch) for a model whose columns are others than the current one's.
    """
    _refuse_fixed(endpoint)
    known = {resource.name.casefold(): resource for resource in endpoint.resources}
    if not known:
        raise InvalidOperation(
            "NoUpdatableResource",
            "this web service has no trained model that could be replaced; PATCH an endpoint of the"
            " predictive web service",
        )
    if not given:
        raise BadArgument("RequestBodyInvalid", "Resources names no model", "Resources")
    for entry in given:
        if entry.name.casefold() not in known:
            raise BadArgument(
                "BadParameterValue",
                f"the endpoint has no resource '{entry.name}'; it has: {_names(endpoint.resources)}",
                entry.name,
            )
    fetched = [await fetch(studio, entry, known[entry.name.casefold()].name) for entry in given]
    refuse_on_request(studio, request, fetched[0].name)
    for resource in fetched:
        await compare(studio, known[resource.name.casefold()], resource)
    new = {resource.name: resource for resource in fetched}
    resources = tuple(new.get(resource.name, resource) for resource in endpoint.resources)
    await prepare(studio, endpoint.package, resources)
    bind(studio, request, endpoint, resources)


class IncompatibleModel(InvalidOperation):
    """A valid model that this graph cannot score with."""

    def __init__(self, reason: str) -> None:
        super().__init__("IncompatibleModel", reason)


async def prepare(studio: Studio, package: str, resources: Sequence[Resource]) -> None:
    """Load graph and models, so that the next call is answered at once. Raises `IncompatibleModel`."""
    from studio.graph import GraphError, InvalidModel, ModuleError

    try:
        await asyncio.to_thread(studio.graphs.scorer, package, resources)
    except (GraphError, ModuleError, InvalidModel) as error:
        raise IncompatibleModel(str(error)) from None


def refresh(studio: Studio, endpoint: Endpoint, default: Endpoint, *, overwrite: bool) -> bool:
    """Take the default endpoint's graph, and with `overwrite` its models; False when nothing changed."""
    _refuse_fixed(endpoint)
    kept = {} if overwrite else {resource.name: resource for resource in endpoint.resources}
    resources = tuple(kept.get(resource.name, resource) for resource in default.resources)
    if (endpoint.package, endpoint.resources) == (default.package, resources):
        return False
    studio.services.serve(endpoint.id, default.package, resources)
    return True


def check_model(studio: Studio, resource: Resource) -> object:
    """What a model's columns are. Raises BadArgument for bytes that are no model."""
    from studio.graph import InvalidModel, model_schema

    try:
        return model_schema(studio.models.read(resource.sha256))
    except InvalidModel as error:
        raise _not_a_model(resource, error) from None


def _not_a_model(resource: Resource, error: Exception) -> ApiError:
    return BadArgument(
        "InvalidBlob", f"what '{resource.name}' names is no trained model: {error}", resource.name
    )


async def compare(studio: Studio, current: Resource, new: Resource) -> None:
    """Refuse a model whose columns are others than the current one's: Conflict (ModelOutputMetadataMismatch)."""

    def same() -> bool:
        return check_model(studio, new) == check_model(studio, current)

    if not await asyncio.to_thread(same):
        raise model_mismatch(new.name)


def _refuse_fixed(endpoint: Endpoint) -> None:
    if endpoint.is_default:
        raise InvalidOperation(
            "DefaultEndpointNotUpdatable",
            "the default endpoint cannot be updated: only publishing the experiment again changes it;"
            " add an endpoint and update that",
            endpoint.name,
        )
    if endpoint.prevent_update:
        raise InvalidOperation(
            "EndpointPreventsUpdate",
            f"endpoint '{endpoint.name}' was created with PreventUpdate",
            endpoint.name,
        )


def _names(resources: Iterable[Resource]) -> str:
    return ", ".join(f"'{resource.name}'" for resource in resources)
