"""What goes on behind the operations on endpoints and deployments, and again after a restart of the server."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from localcloud.azureml.endpoints.binding import bind
from localcloud.azureml.endpoints.state import (
    DEPLOYMENTS,
    LOCAL,
    Document,
    deployments,
    forget_endpoint,
)
from localcloud.azureml.environments.making import Environments
from localcloud.azureml.operations import DEPLOYMENT
from localcloud.azureml.serving.errors import NotServing
from localcloud.azureml.serving.materials import prepare
from localcloud.azureml.serving.plan import Plan
from localcloud.azureml.serving.state import Serving
from localcloud.facilities.errors import InvalidOperation
from localcloud.facilities.long_operations import Commit, LongOperation, Work
from localcloud.faults.rules import FaultRule
from localcloud.works.context import Works

_log = logging.getLogger("localcloud.azureml.endpoints")

ENDPOINT, ENDPOINT_GOES = "onlineEndpoint", "onlineEndpointDelete"
SCALING, DEPLOYMENT_GOES = "onlineDeploymentScale", "onlineDeploymentDelete"
KINDS = (ENDPOINT, ENDPOINT_GOES, DEPLOYMENT, SCALING, DEPLOYMENT_GOES)
SUCCEEDED, FAILED = "Succeeded", "Failed"


class ProvisioningFailed(InvalidOperation):
    """An operation ends as failed, with Azure's code of the kind of fault."""


def work_of(
    works: Works,
    serving: Serving,
    environments: Environments,
    operation: LongOperation,
    rule: FaultRule | None = None,
) -> Work:
    """What an operation does; with a rule of faults, what happens to an endpoint instead."""

    async def endpoint() -> Commit:
        return lambda: bind(works, serving, operation.order["document"], rule)

    async def endpoint_goes() -> Commit:
        return lambda: _remove_endpoint(works, serving, operation.resource)

    async def deployment() -> Commit:
        return await _deploy(works, serving, environments, operation.order["document"])

    async def scaling() -> Commit:
        return await _scale(works, serving, operation.order["document"])

    async def deployment_goes() -> Commit:
        return lambda: _remove_deployment(works, serving, operation.resource)

    by_kind = (endpoint, endpoint_goes, deployment, scaling, deployment_goes)
    return dict(zip(KINDS, by_kind, strict=True))[operation.kind]


def resume(works: Works, serving: Serving, environments: Environments) -> None:
    """Serve again what served before the server ended, and go on with what went on; what else is left behind goes."""
    kept = [one for one in works.store.arm_list("/subscriptions/") if one.get("type") == DEPLOYMENTS]
    serving.keep_only({one[LOCAL]["guid"]: (one[LOCAL]["plan"] or {}).get("home", "") for one in kept})
    for document in kept:
        if (plan := document[LOCAL]["plan"]) is not None:
            serving.resume(document["id"], document[LOCAL]["guid"], Plan.from_json(plan))
    for operation in works.operations.unfinished():
        if operation.kind in KINDS:
            works.operations.start(operation, work_of(works, serving, environments, operation))


async def _deploy(works: Works, serving: Serving, environments: Environments, document: Document) -> Commit:
    """Bring files, environment and processes; the deployment serves from the commit on."""
    guid = document[LOCAL]["guid"]
    home = serving.home(guid, uuid4().hex)
    try:
        plan = await prepare(
            works.store, works.cloud, environments, document, home, serving.storage_log(guid)
        )
        await serving.start(document["id"], guid, plan)
    except NotServing as error:
        await serving.discard(home)
        raise _failed(works, document, error) from None

    def commit() -> None:
        _keep(works, document, SUCCEEDED, plan.to_json())
        serving.serve(document["id"])

    return commit


async def _scale(works: Works, serving: Serving, document: Document) -> Commit:
    """Start or end instances of what serves."""
    deployed, plan = serving.find(document["id"]), Plan.from_json(document[LOCAL]["plan"])
    try:
        if deployed is not None:
            await deployed.resize(plan)
    except NotServing as error:
        raise _failed(works, document, error) from None
    return lambda: _keep(works, document, SUCCEEDED, document[LOCAL]["plan"])


def _failed(works: Works, document: Document, error: NotServing) -> ProvisioningFailed:
    """Keep a deployment as failed; what it served before, it goes on serving."""
    before = works.store.arm_get(document["id"])
    if before is not None:
        _keep(works, document, FAILED, before[LOCAL]["plan"])
    _log.info("the deployment %s failed: %s", document["name"], str(error).partition("\n")[0])
    return ProvisioningFailed(error.code, str(error))


def _keep(works: Works, document: Document, state: str, plan: Mapping[str, Any] | None) -> None:
    kept = {
        **document,
        "properties": {**document["properties"], "provisioningState": state},
        LOCAL: {**document[LOCAL], "plan": plan},
    }
    works.store.arm_put(kept["id"], kept)


def _remove_deployment(works: Works, serving: Serving, resource_id: str) -> None:
    works.store.arm_delete(resource_id)
    serving.end_gone()


def _remove_endpoint(works: Works, serving: Serving, resource_id: str) -> None:
    document = works.store.arm_get(resource_id)
    if document is not None:
        for deployment in deployments(works.store, document["id"]):
            works.store.arm_delete(deployment["id"])
        forget_endpoint(works.store, document)
        serving.end_gone()
