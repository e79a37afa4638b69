"""What the operations on a web service do: fetch and check its models, then let it serve, all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from studio.context import Studio
from studio.errors import BadArgument, PackageError
from studio.faults.binding import carry_out
from studio.faults.rules import Rule
from studio.management.binding import check_model, compare, fetch_from, prepare
from studio.management.state import DEFAULT_CALLS, Endpoint, Resource
from studio.webservices import payload, state
from studio.webservices.definition import package_of, trained_models
from studio.webservices.operations import Commit, Operation, Work
from studio.webservices.places import place_of
from studio.webservices.state import Document, owner_of

UPDATE, DELETE, REGION = "update", "delete", "region"


def resume(studio: Studio) -> None:
    """Go on with the operations that a killed server left."""
    studio.operations.forget_old()
    for operation in studio.operations.unfinished():
        studio.operations.start(operation, work_of(studio, operation))


def work_of(studio: Studio, operation: Operation, rule: Rule | None = None) -> Work:
    """What an operation does; with a rule of faults, what happens instead."""

    async def update() -> Commit:
        document, fetched = operation.order["document"], operation.order["fetch"]
        return await _update(studio, document, fetched, rule)

    async def delete() -> Commit:
        return lambda: _delete(studio, operation.resource)

    async def region() -> Commit:
        return lambda: _add_region(studio, operation.resource, operation.order["region"])

    return {UPDATE: update, DELETE: delete, REGION: region}[operation.kind]


async def _update(studio: Studio, document: Document, fetched: list[str] | None, rule: Rule | None) -> Commit:
    """Make ready what `document` asks for; `fetched` are the assets whose models are fetched anew (None: all)."""
    owner, properties = owner_of(studio.cloud.subscription), document["properties"]
    old = studio.services.endpoint_by_id(owner, document["guid"])
    graph = package_of(properties, document["name"])
    same = old is not None and _same(graph, studio.services.package(old.package))
    package = old.package if old is not None and same else studio.services.keep_package(graph)
    try:
        experiment = await asyncio.to_thread(studio.graphs.experiment, package)
    except PackageError:
        # A graph of other modules than this studio's: kept and shown, and refused where it would have to run.
        resources: tuple[Resource, ...] = ()
    else:
        models = trained_models(properties)
        known = {one.name: one for one in old.resources} if old else {}
        before = (studio.store.arm_get(document["id"]) or {}).get("properties", {})
        found: dict[str, Resource] = {}
        for asset, name in models.items():
            if fetched is not None and asset not in fetched and name in known:
                found[name] = known[name]
                continue
            try:
                found[name] = await fetch_from(studio, place_of(studio.cloud, properties, asset), name)
            except BadArgument:
                # The blob of a model that stays where it is may be gone since it was copied.
                if name not in known or not _stays(asset, before, properties):
                    raise
                found[name] = known[name]
        resources = tuple(found[name] for name in experiment.resources)
        for resource in resources:
            await asyncio.to_thread(check_model, studio, resource)
            if same and resource.name in known:
                await compare(studio, known[resource.name], resource)
        if not experiment.trains:
            await prepare(studio, package, resources)
    if document.get("payload"):
        await asyncio.to_thread(payload.keep, studio.cloud, document)
    return lambda: _serve(studio, document, old, package, resources, rule)


def _same(graph: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two packages have the same graph, whatever their titles: then a model must have the same columns."""
    return all(graph[name] == other.get(name) for name in ("nodes", "edges", "parameters"))


def _stays(asset: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    old = (before.get("assets") or {}).get(asset)
    return bool(old and old["locationInfo"] == after["assets"][asset]["locationInfo"])


def _serve(
    studio: Studio,
    document: Document,
    old: Endpoint | None,
    package: str,
    resources: tuple[Resource, ...],
    rule: Rule | None,
) -> None:
    before = studio.store.arm_get(document["id"])

    def serve(shown: Document, package: str, resources: tuple[Resource, ...]) -> None:
        properties = shown["properties"]
        calls = (properties.get("realtimeConfiguration") or {}).get("maxConcurrentCalls")
        with studio.store.transaction():
            studio.store.arm_put(shown["id"], shown)
            studio.services.provide(
                owner_of(studio.cloud.subscription),
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
    carry_out(
        studio,
        rule,
        old,
        bound,
        lambda: serve(document, package, resources),
        lambda: serve(before, old.package, old.resources),
    )


def _delete(studio: Studio, resource_id: str) -> None:
    document = studio.store.arm_get(resource_id)
    if document is not None:
        state.remove(studio.store, document)


def _add_region(studio: Studio, resource_id: str, region: str) -> None:
    document = studio.store.arm_get(resource_id)
    if document is not None and region not in document["regions"]:
        document["regions"].append(region)
        studio.store.arm_put(resource_id, document)
