"""What an update of a classic endpoint takes: models that a request names, or what was published since."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from starlette.requests import Request

from localcloud.blobs.locations import locate_blob
from localcloud.facilities.errors import BadArgument, InvalidOperation
from localcloud.studio.management.wire import GivenResource
from localcloud.works.context import Works
from localcloud.works.new_models import compare, fetch_from, prepare
from localcloud.works.services import Endpoint, Resource


async def fetch(works: Works, given: GivenResource, name: str) -> Resource:
    """Copy the model that a request names. Raises `BadArgument` where it cannot be read."""
    return await fetch_from(works, locate_blob(given.location, works.cloud, name), name)


async def update(works: Works, request: Request, endpoint: Endpoint, given: Sequence[GivenResource]) -> None:
    """Replace models of an endpoint: all of those given, or none.

    Raises InvalidOperation for the default endpoint, one that prevents updates, or a graph without models;
    BadArgument for a name or an address that is wrong, or bytes that are not a model;
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
    fetched = [await fetch(works, entry, known[entry.name.casefold()].name) for entry in given]
    works.bindings.refuse_on_request(request, fetched[0].name)
    for resource in fetched:
        await compare(works, known[resource.name.casefold()], resource)
    new = {resource.name: resource for resource in fetched}
    resources = tuple(new.get(resource.name, resource) for resource in endpoint.resources)
    await prepare(works, endpoint.package, resources)
    works.bindings.bind(request, endpoint, resources)


def refresh(works: Works, endpoint: Endpoint, default: Endpoint, *, overwrite: bool) -> bool:
    """Take the default endpoint's graph, and with `overwrite` its models; False when nothing changed."""
    _refuse_fixed(endpoint)
    kept = {} if overwrite else {resource.name: resource for resource in endpoint.resources}
    resources = tuple(kept.get(resource.name, resource) for resource in default.resources)
    if (endpoint.package, endpoint.resources) == (default.package, resources):
        return False
    works.services.serve(endpoint.id, default.package, resources)
    return True


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
