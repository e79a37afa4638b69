"""Creations and deletions of workspaces, computes and schedules, which are answered at once and go on for a while.

What is declared is kept when it is answered: until the operation is over it says `Creating`, or `Updating` where it was
there. What is deleted is gone at once, and its operation goes on. Sources: issues 8028 of azure-rest-api-specs and 155 of AML-Kubernetes, with the
headers of the service.
"""

from __future__ import annotations

from localcloud.arm.operation import Answer, Call
from localcloud.arm.state import Document
from localcloud.azureml.assets.workspace import workspace_of
from localcloud.azureml.operations import addresses
from localcloud.facilities.long_operations import Commit, LongOperations

_CREATES, _UPDATES, _GOES = "mlCreates", "mlUpdates", "mlGoes"
_STATES = {_CREATES: "Creating", _UPDATES: "Updating"}


def creates(call: Call, document: Document, what: str, status: int) -> Answer:
    """The answer to a creation: it goes on."""
    headers = _begun(call, document, what, _CREATES)
    return Answer(status, shown(call, document), headers)


def updates(call: Call, document: Document, what: str) -> Answer:
    """The answer to a change that goes on."""
    headers = _begun(call, document, what, _UPDATES)
    return Answer(200, shown(call, document), headers)


def goes(call: Call, document: Document, what: str) -> Answer:
    """The answer to a deletion: it goes on."""
    call.state.operations.abandon(document["id"])
    return Answer(202, None, _begun(call, document, what, _GOES))


def shown(call: Call, document: Document) -> Document:
    """A document as it is now."""
    running = call.state.operations.running(document["id"])
    if running is None or running.kind not in _STATES:
        return document
    properties = {**document["properties"], "provisioningState": _STATES[running.kind]}
    return {**document, "properties": properties}


def resume(operations: LongOperations) -> None:
    """Go on with what a killed server left."""
    for operation in operations.unfinished():
        if operation.kind in (*_STATES, _GOES):
            operations.start(operation, _nothing_more)


async def _nothing_more() -> Commit:
    return lambda: None


def _begun(call: Call, document: Document, what: str, kind: str) -> dict[str, str]:
    operations = call.state.operations
    location = document.get("location") or workspace_of(call).document["location"]
    operation = operations.running(document["id"])
    if operation is None:
        operation = operations.begin(document["id"], location, kind, {})
        operations.start(operation, _nothing_more)
    status, result = addresses(call, operation, location, what)
    return {"Azure-AsyncOperation": status, "Location": result}
