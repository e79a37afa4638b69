"""What the operations on a web service do: fetch and check its models, then let it serve, all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from localcloud.facilities.errors import BadArgument, PackageError
from localcloud.facilities.long_operations import Commit, LongOperation, Work
from localcloud.faults.rules import FaultRule
from localcloud.studio.web_services import payload, state
from localcloud.studio.web_services.definition import package_of, trained_models
from localcloud.studio.web_services.places import place_of
from localcloud.studio.web_services.state import Document, owner_of
from localcloud.works.context import Works
from localcloud.works.new_models import check_model, compare, fetch_from, prepare
from localcloud.works.services import DEFAULT_CALLS, Endpoint, Resource

UPDATE, DELETE, REGION = "update", "delete", "region"


def resume(works: Works) -> None:
    """Go on with the operations that a killed server left."""
    for operation in works.operations.unfinished():
        if operation.kind in (UPDATE, DELETE, REGION):
            works.operations.start(operation, work_of(works, operation))


def work_of(works: Works, operation: LongOperation, rule: FaultRule | None = None) -> Work:
    """What an operation does; with a rule of faults, what happens instead."""

    async def update() -> Commit:
        document, fetched = operation.order["document"], operation.order["fetch"]
        return await _update(works, document, fetched, rule)

    async def delete() -> Commit:
        return lambda: _delete(works, operation.resource)

    async def region() -> Commit:
        return lambda: _add_region(works, operation.resource, operation.order["region"])

    return {UPDATE: update, DELETE: delete, REGION: region}[operation.kind]


async def _update(
    works: Works, document: Document, fetched: list[str] | None, rule: FaultRule | None
) -> Commit:
    """Make ready what `document` asks for; `fetched` are the assets whose models are fetched anew (None: all)."""
    owner, properties = owner_of(works.cloud.subscription), document["properties"]
    old = works.services.endpoint_by_id(owner, document["guid"])
    graph = package_of(properties, document["name"])
    same = old is not None and _same(graph, works.services.package(old.package))
    package = old.package if old is not None and same else works.services.keep_package(graph)
    try:
        experiment = await asyncio.to_thread(works.graphs.experiment, package)
    except PackageError:
        # A graph of other modules than this local cloud's: kept and shown, and refused where it would have to run.
        resources: tuple[Resource, ...] = ()
    else:
        models = trained_models(properties)
        known = {one.name: one for one in old.resources} if old else {}
        before = (works.store.arm_get(document["id"]) or {}).get("properties", {})
        found: dict[str, Resource] = {}
        for asset, name in models.items():
            if fetched is not None and asset not in fetched and name in known:
                found[name] = known[name]
                continue
            try:
                found[name] = await fetch_from(works, place_of(works.cloud, properties, asset), name)
            except BadArgument:
                # The blob of a model that stays where it is may be gone since it was copied.
                if name not in known or not _stays(asset, before, properties):
                    raise
                found[name] = known[name]
        resources = tuple(found[name] for name in experiment.resources)
        for resource in resources:
            await asyncio.to_thread(check_model, works, resource)
            if same and resource.name in known:
                await compare(works, known[resource.name], resource)
        if not experiment.trains:
            await prepare(works, package, resources)
    if document.get("payload"):
        await asyncio.to_thread(payload.keep, works.cloud, document)
    return lambda: _serve(works, document, old, package, resources, rule)


def _same(graph: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two packages have the same graph, whatever their titles: then a model must have the same columns."""
    return all(graph[name] == other.get(name) for name in ("nodes", "edges", "parameters"))


def _stays(asset: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    old = (before.get("assets") or {}).get(asset)
    return bool(old and old["locationInfo"] == after["assets"][asset]["locationInfo"])


def _serve(
    works: Works,
    document: Document,
    old: Endpoint | None,
    package: str,
    resources: tuple[Resource, ...],
    rule: FaultRule | None,
) -> None:
    before = works.store.arm_get(document["id"])

    def serve(shown: Document, package: str, resources: tuple[Resource, ...]) -> None:
        properties = shown["properties"]
        calls = (properties.get("realtimeConfiguration") or {}).get("maxConcurrentCalls")
        with works.store.transaction():
            works.store.arm_put(shown["id"], shown)
            works.services.provide(
                owner_of(works.cloud.subscription),
                shown["guid"],
                str(properties.get("title") or shown["name"]),
                str(properties.get("description") or ""),
                package,
                resources,
                (properties["keys"]["primary"], properties["keys"]["secondary"]),
                calls or DEFAULT_CALLS,
            )

    stays = old is not None and rule is None and (package, resources) == (old.package, old.resources)
    if old is None or before is None or stays:
        serve(document, package, resources)
        return
    bound = Endpoint(**{**vars(old), "package": package, "resources": resources})
    works.bindings.carry_out(
        rule,
        old,
        bound,
        lambda: serve(document, package, resources),
        lambda: serve(before, old.package, old.resources),
    )


def _delete(works: Works, resource_id: str) -> None:
    document = works.store.arm_get(resource_id)
    if document is not None:
        state.remove(works.store, document)


def _add_region(works: Works, resource_id: str, region: str) -> None:
    document = works.store.arm_get(resource_id)
    if document is not None and region not in document["regions"]:
        document["regions"].append(region)
        works.store.arm_put(resource_id, document)
