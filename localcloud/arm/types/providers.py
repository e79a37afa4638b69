"""Resource providers of the subscription, and whether it is registered to use them (ARM, 2021-04-01).

All are registered from the start. Unregistering one lets you see what your program does where it is not; unlike
Azure, it is allowed while there are resources. A provider that is not registered refuses all but reading.
"""

from __future__ import annotations

from typing import Any

from localcloud.arm.errors import ArmError, unknown_namespace
from localcloud.arm.operation import Answer, Call, Operation
from localcloud.arm.state import ArmState
from localcloud.facilities.regions import regions_of

_ONE = "/subscriptions/{subscription}/providers/{namespace}"
_ALWAYS = "microsoft.resources"


def _shown(state: ArmState, namespace: str) -> dict[str, Any]:
    kinds = [kind for kind in state.resource_types if kind.startswith(f"{namespace}/")]
    return {
        "id": f"{state.subscription_id}/providers/{namespace}",
        "namespace": namespace,
        "registrationState": "Registered" if state.is_registered(namespace) else "NotRegistered",
        "registrationPolicy": "RegistrationFree" if namespace.lower() == _ALWAYS else "RegistrationRequired",
        "resourceTypes": [
            {
                "resourceType": kind.partition("/")[2],
                "locations": list(regions_of(kind)),
                "apiVersions": [],
            }
            for kind in kinds
        ],
    }


def _namespaces(state: ArmState) -> list[str]:
    return sorted({kind.partition("/")[0] for kind in state.resource_types} | {"Microsoft.Resources"})


def _namespace(call: Call) -> str:
    given = call.path["namespace"]
    for known in _namespaces(call.state):
        if known.lower() == given.lower():
            return known
    raise unknown_namespace(given)


def _get(call: Call) -> Answer:
    """Get a resource provider and its types."""
    return Answer(200, _shown(call.state, _namespace(call)))


def _list(call: Call) -> Answer:
    """List the resource providers."""
    return Answer(200, {"value": [_shown(call.state, one) for one in _namespaces(call.state)]})


def _register(call: Call) -> Answer:
    """Register one; nothing of it can be created before."""
    namespace = _namespace(call)
    call.state.set_registered(namespace, True)
    return Answer(200, _shown(call.state, namespace))


def _unregister(call: Call) -> Answer:
    """Take its registration back."""
    namespace = _namespace(call)
    if namespace.lower() == _ALWAYS:
        message = f"The resource provider '{namespace}' cannot be unregistered."
        raise ArmError(409, "CannotUnregisterProvider", message, gateway=True)
    call.state.set_registered(namespace, False)
    return Answer(200, _shown(call.state, namespace))


OPERATIONS = (
    Operation("GET", "/subscriptions/{subscription}/providers", _list),
    Operation("GET", _ONE, _get),
    Operation("GET", "/providers/{namespace}", _get),
    Operation("POST", f"{_ONE}/register", _register),
    Operation("POST", f"{_ONE}/unregister", _unregister),
)
