"""Operations of Azure ML that go on: where they are looked at, and what is said there, without a Retry-After as recorded."""

from __future__ import annotations

from datetime import datetime

from localcloud.arm.errors import ArmError
from localcloud.arm.operation import Answer, Call, Operation
from localcloud.azureml.assets.places import NAMESPACE, Document
from localcloud.facilities.long_operations import LongOperation

_LOCATION = f"/subscriptions/{{subscription}}/providers/{NAMESPACE}/locations/{{location}}"
# What goes on on a deployment says of itself, unlike all else, that it is being updated.
DEPLOYMENT = "onlineDeployment"
_NOT_YET = "0001-01-01T00:00:00+00:00"


def addresses(
    call: Call, operation: LongOperation, location: str, what: str, about: str = ""
) -> tuple[str, str]:
    """Where an operation's status is, and its result; `what` it is of."""
    place = f"{call.base_url}{_LOCATION.format(subscription=call.path['subscription'], location=location)}"
    name = f"{about}{operation.name}?api-version={call.query['api-version']}"
    return f"{place}/{what}OperationsStatus/{name}", f"{place}/{what}OperationResults/{name}"


def _look(call: Call) -> tuple[LongOperation, Document]:
    name = call.path["operation"].rpartition(":")[2]
    body = call.state.operations.look(call.path["location"], name)
    found = call.state.operations.find(call.path["location"], name)
    if found is None or body is None:
        raise ArmError(404, "NotFound", f"There is no operation {name}.", target=name)
    return found, body


def _status(call: Call) -> Answer:
    """Look at what goes on, until it Succeeded, or Failed with its error."""
    found, body = _look(call)
    shown = {
        **body,
        "id": call.request.url.path,
        "name": call.path["operation"],
        "startTime": datetime.fromisoformat(body["startTime"]).isoformat(),
        "endTime": datetime.fromisoformat(body["endTime"]).isoformat() if "endTime" in body else _NOT_YET,
    }
    if "endTime" not in body:
        shown["status"] = "Updating" if found.kind == DEPLOYMENT else "InProgress"
    return Answer(200, shown)


def _result(call: Call) -> Answer:
    """202 while something goes on, then 200; its error where it failed."""
    _, body = _look(call)
    if "endTime" not in body:
        return Answer(202, None, {"Location": str(call.request.url)})
    if error := body.get("error"):
        raise ArmError(400, error["code"], error["message"])
    return Answer(200)


OPERATIONS = tuple(
    Operation("GET", f"{_LOCATION}/{what}{place}/{{operation}}", handle)
    for what in ("mfe", "workspace", "compute")
    for place, handle in (("OperationsStatus", _status), ("OperationResults", _result))
)
