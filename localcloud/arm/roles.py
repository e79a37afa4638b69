"""Who may do what: each operation is an action such as `Microsoft.MachineLearning/webServices/write`.

A reader has the actions that end in `/read`; to list keys is not among them. The owner has all, as a Contributor has
of what is here. Source: https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations, built-in-roles.
"""

from __future__ import annotations

import re

from localcloud.arm.errors import ArmError
from localcloud.arm.operation import Operation
from localcloud.facilities.cloud import Principal

_VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
_KEYS = re.compile(r"list\w*keys", re.IGNORECASE)
_REGISTRATION = ("register", "unregister")
_RESOURCES = "Microsoft.Resources/subscriptions"


def action_of(operation: Operation, namespace: str = "") -> str:
    """The action that an operation is; `namespace` is the provider that one on providers is about."""
    subscription, in_provider, rest = operation.path.partition("/providers/")
    provider, *segments = rest.split("/") if in_provider else ("", *_below_subscription(subscription))
    if provider.startswith("{"):
        if segments and segments[0] in _REGISTRATION:
            return f"{namespace}/{segments[0]}/action"
        return f"{_RESOURCES}/providers/{_VERBS.get(operation.method, 'action')}"
    acting = _is_acting(operation)
    names = [segment for segment in segments if not segment.startswith("{")]
    kind = "/".join([provider or _RESOURCES, *names])
    return f"{kind}/action" if acting else f"{kind}/{_VERBS[operation.method]}"


def allowed(principal: Principal) -> list[str]:
    """The actions that a principal has, as patterns."""
    return ["*"] if principal.name == "owner" else ["*/read"]


def require(principal: Principal, operation: Operation, path: str, namespace: str = "") -> None:
    """Raise ARM's AuthorizationFailed unless the principal has the action of `operation` on `path`."""
    action = action_of(operation, namespace)
    if principal.name == "owner" or action.endswith("/read"):
        return
    scope = path.rstrip("/")
    if action.endswith("/action"):
        scope = scope.rpartition("/")[0]
    message = (
        f"The client '{principal.client_id}' with object id '{principal.object_id}' does not have authorization"
        f" to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently"
        " granted, please refresh your credentials."
    )
    raise ArmError(403, "AuthorizationFailed", message, gateway=True)


def _below_subscription(path: str) -> list[str]:
    return path.split("/")[3:]


def _is_acting(operation: Operation) -> bool:
    last = operation.path.rpartition("/")[2]
    return operation.method == "POST" or (operation.method == "GET" and bool(_KEYS.fullmatch(last)))
