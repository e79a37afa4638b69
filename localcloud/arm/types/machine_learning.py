"""What the provider Microsoft.MachineLearning has beside its types: its operations, and those that go on."""

from __future__ import annotations

from typing import Any

from localcloud.arm.errors import ArmError
from localcloud.arm.operation import Answer, Call, Operation
from localcloud.facilities.long_operations import LongOperation

_PROVIDER = "Microsoft.MachineLearning"
_LOCATION = f"/subscriptions/{{subscription}}/providers/{_PROVIDER}/locations/{{location}}"
_OPERATIONS = (
    ("webServices/read", "Machine Learning Web Service", "Read any Machine Learning Web Service"),
    ("webServices/write", "Machine Learning Web Service", "Create or update any Machine Learning Web Service"),
    ("webServices/delete", "Machine Learning Web Service", "Delete any Machine Learning Web Service"),
    ("webServices/listkeys/read", "Machine Learning Web Service", "Get the keys of a Machine Learning Web Service"),
    ("commitmentPlans/read", "Machine Learning Commitment Plan", "Read any Machine Learning Commitment Plan"),
    ("commitmentPlans/write", "Machine Learning Commitment Plan", "Create or update any Machine Learning Commitment Plan"),
    ("commitmentPlans/delete", "Machine Learning Commitment Plan", "Delete any Machine Learning Commitment Plan"),
    ("commitmentPlans/join/action", "Machine Learning Commitment Plan", "Join any Machine Learning Commitment Plan"),
    ("Workspaces/read", "Machine Learning Workspace", "Read any Machine Learning Workspace"),
    ("Workspaces/write", "Machine Learning Workspace", "Create or update any Machine Learning Workspace"),
    ("Workspaces/delete", "Machine Learning Workspace", "Delete any Machine Learning Workspace"),
)  # fmt: skip


def _list(_call: Call) -> Answer:
    """List what roles can allow."""
    value: list[dict[str, Any]] = [
        {
            "name": f"{_PROVIDER}/{name}",
            "display": {
                "provider": "Microsoft Azure Machine Learning",
                "resource": resource,
                "operation": says,
                "description": says,
            },
        }
        for name, resource, says in _OPERATIONS
    ]
    return Answer(200, {"value": value})


def _status(call: Call) -> Answer:
    """Look at an operation: Provisioning, then Succeeded, or Failed with its error."""
    body = call.state.operations.look(call.path["location"], call.path["operation"])
    if body is None:
        raise _no_operation(call.path["operation"])
    return Answer(200, body)


def _result(call: Call) -> Answer:
    """202 while an operation goes on, then 204."""
    found: LongOperation | None = call.state.operations.find(call.path["location"], call.path["operation"])
    if found is None:
        raise _no_operation(call.path["operation"])
    call.state.operations.look(call.path["location"], call.path["operation"])
    return Answer(202 if found.running or not found.looked_at else 204)


def _no_operation(name: str) -> ArmError:
    return ArmError(404, "NotFound", f"There is no operation {name}.", target=name)


OPERATIONS = (
    Operation("GET", f"/providers/{_PROVIDER}/operations", _list),
    Operation("GET", f"{_LOCATION}/operationsStatus/{{operation}}", _status),
    Operation("GET", f"{_LOCATION}/operationresults/{{operation}}", _result),
)
