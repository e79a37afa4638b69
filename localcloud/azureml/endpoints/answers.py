"""Answers of operations that go on: where to look at them, and what documents say meanwhile.

As recorded from the service, `Location` of a PUT is the resource itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from localcloud.arm.errors import ArmError
from localcloud.arm.operation import Answer, Call
from localcloud.azureml.assets.workspace import workspace_of
from localcloud.azureml.endpoints import provisioning
from localcloud.azureml.endpoints.state import DEPLOYMENTS, LOCAL, Document
from localcloud.azureml.endpoints.wire import shown_deployment, shown_endpoint
from localcloud.azureml.operations import addresses
from localcloud.azureml.serving.state import Serving
from localcloud.facilities.long_operations import LongOperation
from localcloud.faults.rules import FaultRule
from localcloud.works.context import works_of

_TIMEOUT = "PT30M"


def serving_of(call: Call) -> Serving:
    """What runs deployments in this server."""
    serving: Serving = call.request.app.state.azureml.serving
    return serving


def begun(call: Call, kind: str, document: Document, status: int, rule: FaultRule | None = None) -> Answer:
    """Begin what makes a document true, or what a rule of faults says, and answer with it as it is meanwhile."""
    at, result = _begin(call, kind, document, {"document": document}, rule)
    if status == 202:  # of a PATCH
        return Answer(202, None, {"Location": result})
    body = shown(call, document)
    inner = {**body["properties"]["properties"], "AzureAsyncOperationUri": at}
    body = {**body, "properties": {**body["properties"], "properties": inner}}
    headers = {
        "Azure-AsyncOperation": at,
        "Location": f"{call.base_url}{document['id']}{_version(call)}",
        "x-ms-async-operation-timeout": _TIMEOUT,
        "ETag": etag(document),
    }
    return Answer(status, body, headers)


def gone(call: Call, kind: str, document: Document) -> Answer:
    """Begin to delete it."""
    _, result = _begin(call, kind, document, {})
    return Answer(202, None, {"Location": result, "x-ms-async-operation-timeout": _TIMEOUT})


def _begin(
    call: Call,
    kind: str,
    document: Document,
    order: Mapping[str, Document],
    rule: FaultRule | None = None,
) -> tuple[str, str]:
    """Begin an operation; the addresses at which it is looked at."""
    works, azureml = works_of(call.request), call.request.app.state.azureml
    operation = works.operations.begin(document["id"], document["location"], kind, order)
    work = provisioning.work_of(works, azureml.serving, azureml.environments, operation, rule)
    works.operations.start(operation, work)
    about = "odidp" if document["type"] == DEPLOYMENTS else "oeidp"
    return addresses(call, operation, document["location"], "mfe", f"{about}:{workspace_of(call).guid}:")


def _version(call: Call) -> str:
    return f"?api-version={call.query['api-version']}"


def etag(document: Document) -> str:
    """What changes with what is shown of the document, and with nothing else."""
    properties = {**document["properties"], "provisioningState": None}
    said = json.dumps({**document, "properties": properties, LOCAL: None}, sort_keys=True)
    return f'"{hashlib.sha256(said.encode()).hexdigest()[:32]}"'


def check_unchanged_since(call: Call, old: Document | None) -> None:
    """Raise ArmError (412) where the caller asked for another version than there is: If-Match, If-None-Match."""
    wanted, unwanted = (call.request.headers.get(name) for name in ("if-match", "if-none-match"))
    held = () if old is None else ("*", etag(old))
    if (wanted is not None and wanted not in held) or (unwanted is not None and unwanted in held):
        raise ArmError(412, "PreconditionFailed", "The endpoint is not as the caller's condition says.")


def shown(call: Call, document: Document) -> Document:
    """An endpoint or a deployment as it is now: while an operation runs on it, its state says which."""
    running = call.state.operations.running(document["id"])
    if running is not None:
        state = _state(running, call.state.get(document["id"]))
        document = {**document, "properties": {**document["properties"], "provisioningState": state}}
    if document["type"] == DEPLOYMENTS:
        return shown_deployment(document)
    return shown_endpoint(document, call.base_url)


def _state(running: LongOperation, kept: Document | None) -> str:
    if running.kind in (provisioning.ENDPOINT_GOES, provisioning.DEPLOYMENT_GOES):
        return "Deleting"
    if running.kind == provisioning.SCALING:
        return "Scaling"
    creating = kept is not None and kept["properties"]["provisioningState"] == "Creating"
    return "Creating" if creating else "Updating"
