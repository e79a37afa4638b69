"""Creations and deletions of workspaces and computes, which are answered at once and go on for a while.

What is declared is kept when it is answered: until the operation is over it says `Creating`. What is deleted is gone
at once, and its operation goes on. Sources: issues 8028 of azure-rest-api-specs and 155 of AML-Kubernetes, with the
headers of the service.
"""

from __future__ import annotations

from localcloud.arm.operation import Answer, Call
from localcloud.arm.state import Document
from localcloud.azureml.operations import addresses
from localcloud.facilities.long_operations import Commit, LongOperations

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
    status, result = addresses(call, operation, location, what)
    return {"Azure-AsyncOperation": status, "Location": result}
