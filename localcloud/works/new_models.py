"""Models that a graph is to be given: fetched at once and checked, before anything serves them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from graph import GraphError, InvalidModel, ModuleError, model_schema
from localcloud.blobs.locations import Location
from localcloud.facilities.errors import ApiError, BadArgument, InvalidOperation
from localcloud.works.bindings import model_mismatch
from localcloud.works.context import Works
from localcloud.works.services import Resource


async def fetch_from(works: Works, location: Location, name: str) -> Resource:
    """Copy the model at a place. Raises `BadArgument` where it cannot be read."""
    try:
        url = location.read_url()
    except ValueError:
        raise BadArgument(
            "InvalidBlobConnectionString", f"the account key for '{name}' is not base64", name
        ) from None
    sha256 = await works.models.fetch(url, name)
    return Resource(name, location.base, location.path, sha256)


class IncompatibleModel(InvalidOperation):
    """A valid model that this graph cannot score with."""

    def __init__(self, reason: str) -> None:
        super().__init__("IncompatibleModel", reason)


async def prepare(works: Works, package: str, resources: Sequence[Resource]) -> None:
    """Load graph and models, so that the next call is answered at once. Raises `IncompatibleModel`."""
    try:
        with works.calls.patient():
            await asyncio.to_thread(works.graphs.scorer, package, resources)
    except (GraphError, ModuleError, InvalidModel) as error:
        raise IncompatibleModel(str(error)) from None


def check_model(works: Works, resource: Resource) -> object:
    """What a model's columns are. Raises BadArgument for bytes that are not a model."""
    try:
        return model_schema(works.models.read(resource.sha256))
    except InvalidModel as error:
        raise _not_a_model(resource, error) from None


def _not_a_model(resource: Resource, error: Exception) -> ApiError:
    return BadArgument(
        "InvalidBlob", f"what '{resource.name}' names is not a trained model: {error}", resource.name
    )


async def compare(works: Works, current: Resource, new: Resource) -> None:
    """Refuse a model whose columns are others than the current one's: Conflict (ModelOutputMetadataMismatch)."""

    def same() -> bool:
        return check_model(works, new) == check_model(works, current)

    with works.calls.patient():
        if not await asyncio.to_thread(same):
            raise model_mismatch(new.name)
