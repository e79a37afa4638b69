"""Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments: the operations on deployments."""

from __future__ import annotations

from uuid import uuid4

from localcloud.arm.errors import invalid_content
from localcloud.arm.operation import Answer, Call, Operation, created_by, location_of, section, tags_of, text
from localcloud.arm.state import ArmState
from localcloud.arm.tracked import ResourceType, moved
from localcloud.azureml.assets.workspace import PATH, page, system_data
from localcloud.azureml.endpoints.answers import begun, gone, serving_of, shown
from localcloud.azureml.endpoints.finding import (
    check_deployment_free,
    deployment_if_any,
    deployment_of,
    endpoint_of,
)
from localcloud.azureml.endpoints.provisioning import DEPLOYMENT_GOES, SCALING, SUCCEEDED
from localcloud.azureml.endpoints.rules import (
    MOST_DEPLOYMENTS,
    MOST_INSTANCES,
    check_deployment,
    check_name,
    check_no_traffic,
    check_unchanged,
    refused,
)
from localcloud.azureml.endpoints.state import DEPLOYMENTS, LOCAL, Document, deployment_id, deployments
from localcloud.azureml.endpoints.wire import deployment_properties
from localcloud.azureml.operations import DEPLOYMENT
from localcloud.azureml.serving.logs import tail
from localcloud.azureml.serving.materials import check_materials

_ALL = f"{PATH}/onlineEndpoints/{{endpoint}}/deployments"
_ONE = f"{_ALL}/{{deployment}}"
_LINES = 500
_MOST_LINES = 5000
_CONTAINERS = ("InferenceServer", "StorageInitializer")
# What may change without another process: the rest of the properties makes what runs.
_SHOWN_ONLY = (
    "description",
    "properties",
    "appInsightsEnabled",
    "egressPublicNetworkAccess",
    "scaleSettings",
)


class OnlineDeployments(ResourceType):
    """Deployments of online endpoints. What changes one answers at once and goes on in the background."""

    type = DEPLOYMENTS

    def operations(self) -> tuple[Operation, ...]:
        """All operations of the type."""
        return (
            Operation("PUT", _ONE, _put),
            Operation("GET", _ONE, _get),
            Operation("PATCH", _ONE, _patch),
            Operation("DELETE", _ONE, _delete),
            Operation("GET", _ALL, _list),
            Operation("POST", f"{_ONE}/getLogs", _get_logs),
            Operation("GET", f"{_ONE}/skus", _skus),
        )

    def remove(self, state: ArmState, document: Document) -> None:
        """The deployment goes with what goes on on it; its processes end as its document is gone."""
        state.operations.abandon(document["id"])
        super().remove(state, document)


def _put(call: Call) -> Answer:
    """Create a deployment, which gets no traffic, or replace what is declared of it."""
    sent, name = call.document(), call.path["deployment"]
    endpoint, old = endpoint_of(call), deployment_if_any(call)
    check_deployment_free(call, endpoint, old)
    location = location_of(sent)
    if location != endpoint["location"]:
        raise moved(old or endpoint, call.state.group(call.path["group"]), location)
    if old is None:
        check_name("deployment", name)
        there = deployments(call.state.store, endpoint["id"])
        if len(there) >= MOST_DEPLOYMENTS:
            message = f"The endpoint '{endpoint['name']}' has {len(there)} deployments, the most it can have."
            raise refused(message, code="OutOfQuota")
    document: Document = {
        "id": old["id"] if old else deployment_id(endpoint["id"], name),
        "name": old["name"] if old else name,
        "type": DEPLOYMENTS,
        "location": location,
        "tags": tags_of(sent),
        "kind": text(sent, "kind") or "Managed",
        "sku": {"name": "Default", "capacity": 1, **section(sent, "sku")},
        "systemData": system_data(created_by(call), old),
        "properties": deployment_properties(sent),
        LOCAL: old[LOCAL] if old else {"guid": uuid4().hex, "plan": None},
    }
    check_deployment(document)
    if old is not None and old[LOCAL]["plan"] is not None:
        check_unchanged(old, document)
        if _runs_alike(old, document):
            return _scaled(call, document, 200)
    check_materials(call.state.store, document)
    document["properties"]["provisioningState"] = "Updating" if old else "Creating"
    if old is None:
        call.state.put(document)
    return begun(call, DEPLOYMENT, document, 200 if old else 201)


def _runs_alike(old: Document, new: Document) -> bool:
    """Whether the same processes can serve both; of one that failed they cannot."""
    before, now = (
        {name: value for name, value in one["properties"].items() if name not in _SHOWN_ONLY}
        for one in (old, new)
    )
    return before.pop("provisioningState") == SUCCEEDED and before == now


def _scaled(call: Call, document: Document, status: int) -> Answer:
    plan = {**document[LOCAL]["plan"], "instances": document["sku"]["capacity"]}
    return begun(call, SCALING, {**document, LOCAL: {**document[LOCAL], "plan": plan}}, status)


def _get(call: Call) -> Answer:
    """Get a deployment."""
    return Answer(200, shown(call, deployment_of(call)))


def _list(call: Call) -> Answer:
    """List the deployments of an endpoint."""
    there = deployments(call.state.store, endpoint_of(call)["id"])
    return page(call, [shown(call, one) for one in there])


def _patch(call: Call) -> Answer:
    """Change tags, and how many instances there are (sku)."""
    sent, endpoint, old = call.document(), endpoint_of(call), deployment_of(call)
    check_deployment_free(call, endpoint, old)
    if more := sorted(set(sent) - {"tags", "sku"}):
        raise invalid_content(f"a PATCH of a deployment has tags and sku, not '{more[0]}'", more[0])
    document = {
        **old,
        "sku": {**old["sku"], **section(sent, "sku")},
        "systemData": system_data(created_by(call), old),
    }
    if sent.get("tags") is not None:
        document["tags"] = tags_of(sent)
    check_deployment(document)
    if old[LOCAL]["plan"] is None:
        raise refused(f"The deployment '{old['name']}' failed and has no instances: create it again.", "sku")
    return _scaled(call, document, 202)


def _delete(call: Call) -> Answer:
    """Delete a deployment, unless it has traffic; 204 where there is none."""
    endpoint, document = endpoint_of(call), deployment_if_any(call)
    if document is None:
        return Answer(204)
    check_deployment_free(call, endpoint, document)
    check_no_traffic(endpoint, document["name"])
    return gone(call, DEPLOYMENT_GOES, document)


def _get_logs(call: Call) -> Answer:
    """Give the last lines that its instances printed, or that were said of bringing its files."""
    sent, document = call.document() if call.body is not None else {}, deployment_of(call)
    wanted, lines = text(sent, "containerType") or _CONTAINERS[0], sent.get("tail")
    lines = _LINES if lines is None else lines
    if wanted not in _CONTAINERS:
        raise refused(f"containerType is {wanted!r}; it is one of {', '.join(_CONTAINERS)}.", "containerType")
    if not isinstance(lines, int) or isinstance(lines, bool) or lines < 0:
        raise refused(f"tail is {lines!r}; it is a number of lines.", "tail")
    serving, guid = serving_of(call), document[LOCAL]["guid"]
    log = serving.log(guid) if wanted == _CONTAINERS[0] else serving.storage_log(guid)
    return Answer(200, {"content": tail(log, min(lines, _MOST_LINES))})


def _skus(call: Call) -> Answer:
    """List how many instances a deployment may have."""
    deployment_of(call)
    capacity = {"default": 1, "minimum": 1, "maximum": MOST_INSTANCES, "scaleType": "Manual"}
    sku = {"name": "Default", "tier": "Standard"}
    return Answer(200, {"value": [{"resourceType": DEPLOYMENTS, "sku": sku, "capacity": capacity}]})
