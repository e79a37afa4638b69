"""Creations and deletions of workspaces and computes, which are answered at once and go on for a while.

What is declared is kept when it is answered: until the operation is over it says `Creating`. What is deleted is gone
at once, and its operation goes on. Sources: issues 8028 of azure-rest-api-specs and 155 of AML-Kubernetes, with the
headers of the service.
"""

from __future__ import annotations

from localcloud.arm.errors import ArmError
from localcloud.arm.operation import Answer, Call, Operation
from localcloud.arm.state import Document
from localcloud.azureml.assets.places import NAMESPACE
from localcloud.facilities.long_operations import Commit, LongOperation, LongOperations

_LOCATION = f"/subscriptions/{{subscription}}/providers/{NAMESPACE}/locations/{{location}}"
_CREATES, _GOES = "mlCreates", "mlGoes"


def creates(call: Call, document: Document, what: str, status: int) -> Answer:
    """The answer to a creation: it goes on."""
    headers = _begun(call, document, what, _CREATES)
    return Answer(status, shown(call, document), headers)


def goes(call: Call, document: Document, what: str) -> Answer:
    """The answer to a deletion: it goes on."""
    call.state.operations.abandon(document["id"])
    return Answer(202, None, _begun(call, document, what, _GOES))


def shown(call: Call, document: Document) -> Document:
    """A workspace or a compute as it is now."""
    running = call.state.operations.running(document["id"])
    if running is None or running.kind != _CREATES:
        return document
    return {**document, "properties": {**document["properties"], "provisioningState": "Creating"}}


def resume(operations: LongOperations) -> None:
    """Go on with what a killed server left."""
    for operation in operations.unfinished():
        if operation.kind in (_CREATES, _GOES):
            operations.start(operation, _nothing_more)


async def _nothing_more() -> Commit:
    return lambda: None


def _begun(call: Call, document: Document, what: str, kind: str) -> dict[str, str]:
    operations, location = call.state.operations, document["location"]
    operation = operations.running(document["id"])
    if operation is None:
        operation = operations.begin(document["id"], location, kind, {})
        operations.start(operation, _nothing_more)
    place = f"{call.base_url}{_LOCATION.format(subscription=call.path['subscription'], location=location)}"
    query = f"{operation.name}?api-version={call.query['api-version']}"
    return {
        "Azure-AsyncOperation": f"{place}/{what}OperationsStatus/{query}",
        "Location": f"{place}/{what}OperationResults/{query}",
    }


def _found(call: Call) -> LongOperation:
    name = call.path["operation"]
    found = call.state.operations.find(call.path["location"], name)
    if found is None or found.kind not in (_CREATES, _GOES):
        raise ArmError(404, "NotFound", f"There is no operation {name}.", target=name)
    return found


def _status(call: Call) -> Answer:
    """Look at a creation or a deletion, until it Succeeded."""
    found = _found(call)
    body = call.state.operations.look(call.path["location"], found.name) or {}
    going = "endTime" not in body
    return Answer(
        200,
        {**body, "id": call.request.url.path, "status": "InProgress" if going else body["status"]},
    )


def _result(call: Call) -> Answer:
    """202 while a creation or a deletion goes on, then 200."""
    found = _found(call)
    body = call.state.operations.look(call.path["location"], found.name) or {}
    if "endTime" not in body:
        return Answer(202, None, {"Location": str(call.request.url)})
    return Answer(200)


OPERATIONS = tuple(
    Operation("GET", f"{_LOCATION}/{what}{place}/{{operation}}", handle)
    for what in ("workspace", "compute")
    for place, handle in (("OperationsStatus", _status), ("OperationResults", _result))
)
