"""What a call is about: its endpoint, its deployment, and whether they are free to be changed."""

from __future__ import annotations

from localcloud.arm.errors import ArmError, resource_not_found
from localcloud.arm.operation import Call
from localcloud.azureml.assets.workspace import workspace_of
from localcloud.azureml.endpoints.state import DEPLOYMENTS, ENDPOINTS, Document, deployment_id, deployments


def endpoint_if_any(call: Call) -> Document | None:
    """The endpoint of a call, if there is one. Raises ResourceNotFound for its workspace."""
    return call.state.get(f"{workspace_of(call).id}/onlineEndpoints/{call.path['endpoint']}")


def endpoint_of(call: Call) -> Document:
    """The endpoint of a call. Raises ResourceNotFound."""
    found = endpoint_if_any(call)
    if found is None:
        raise resource_not_found(ENDPOINTS, call.path["endpoint"], call.path["group"])
    return found


def deployment_if_any(call: Call) -> Document | None:
    """The deployment of a call, if there is one. Raises ResourceNotFound for its endpoint."""
    return call.state.get(deployment_id(endpoint_of(call)["id"], call.path["deployment"]))


def deployment_of(call: Call) -> Document:
    """The deployment of a call. Raises ResourceNotFound."""
    found = deployment_if_any(call)
    if found is None:
        raise resource_not_found(DEPLOYMENTS, call.path["deployment"], call.path["group"])
    return found


def check_endpoint_free(call: Call, endpoint: Document) -> None:
    """Raise ArmError (409) while an operation runs on an endpoint or on one of its deployments."""
    _check(call, endpoint)
    for deployment in deployments(call.state.store, endpoint["id"]):
        _check(call, deployment)


def check_deployment_free(call: Call, endpoint: Document, deployment: Document | None) -> None:
    """Raise ArmError (409) while an operation runs on a deployment or on its endpoint."""
    _check(call, endpoint)
    if deployment is not None:
        _check(call, deployment)


def _check(call: Call, document: Document) -> None:
    if call.state.operations.running(document["id"]) is not None:
        message = f"An operation on '{document['name']}' is in progress: wait for its end."
        raise ArmError(409, "Conflict", message, target=document["name"])
