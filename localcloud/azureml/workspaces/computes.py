"""Microsoft.MachineLearningServices/workspaces/computes: clusters that jobs name (AmlCompute).

A cluster is a declaration here: jobs run on this machine, whichever they name.
"""

from __future__ import annotations

import re
from typing import Any

from localcloud.arm.errors import ArmError, resource_not_found
from localcloud.arm.operation import Answer, Call, Operation, created_by, location_of, section, tags_of, text
from localcloud.arm.state import Document
from localcloud.arm.tracked import ResourceType
from localcloud.azureml.assets.workspace import PATH, TYPE, workspace_of
from localcloud.azureml.workspaces import going
from localcloud.azureml.workspaces.identity import identity_of

_ALL, _ONE = f"{PATH}/computes", f"{PATH}/computes/{{name}}"
_KIND = "AmlCompute"
_ACTIONS = ("Delete", "Detach")
_IDLE: dict[str, Any] = {
    "allocationState": "Steady",
    "currentNodeCount": 0,
    "targetNodeCount": 0,
    "errors": None,
    "nodeStateCounts": dict.fromkeys(
        (
            "idleNodeCount",
            "leavingNodeCount",
            "preemptedNodeCount",
            "preparingNodeCount",
            "runningNodeCount",
            "unusableNodeCount",
        ),
        0,
    ),
}


class Computes(ResourceType):
    """Computes of workspaces."""

    type = f"{TYPE}/computes"

    def operations(self) -> tuple[Operation, ...]:
        """All operations of the type."""
        return (
            Operation("PUT", _ONE, self._put),
            Operation("GET", _ONE, self._get),
            Operation("PATCH", _ONE, self._patch),
            Operation("DELETE", _ONE, self._delete),
            Operation("GET", _ALL, self._list),
        )

    def _put(self, call: Call) -> Answer:
        """Create it, or change how it scales."""
        sent, name, workspace = call.document(), call.path["name"], workspace_of(call)
        if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9-]{0,22}[a-zA-Z0-9]", name):
            message = (
                f"The compute name '{name}' is not valid: 2 to 24 letters, digits and '-', a letter first."
            )
            raise ArmError(400, "ValidationError", message, target="computeName")
        location, properties = location_of(sent), section(sent, "properties")
        own, before = _checked(properties), self._found(call)
        if before and _fixed(before) != (own["vmSize"], location):
            message = f"The size and the location of the compute '{name}' cannot be changed."
            raise ArmError(400, "ComputeUpdateNotSupported", message, target="properties")
        document: Document = {
            "id": before["id"] if before else f"{workspace.id}/computes/{name}",
            "name": before["name"] if before else name,
            "type": self.type,
            "location": location,
            "tags": tags_of(sent),
            "systemData": before["systemData"] if before else created_by(call),
            "properties": {**properties, "provisioningState": "Succeeded", "isAttachedCompute": False},
        }
        document["properties"]["properties"] = {**own, **_IDLE}
        if identity := identity_of(call, sent, before):
            document["identity"] = identity
        call.state.put(document)
        return Answer(200, document) if before else going.creates(call, document, "compute", 201)

    def _get(self, call: Call) -> Answer:
        """Get it."""
        return Answer(200, going.shown(call, self._find(call)))

    def _patch(self, call: Call) -> Answer:
        """Change how it scales, and its tags."""
        sent, document = call.document(), self._find(call)
        scale = section(section(section(sent, "properties"), "properties"), "scaleSettings")
        own = document["properties"]["properties"]
        own["scaleSettings"] = _scale({**own["scaleSettings"], **scale})
        if sent.get("tags") is not None:
            document["tags"] = tags_of(sent)
        call.state.put(document)
        return Answer(200, document)

    def _delete(self, call: Call) -> Answer:
        """Delete it; 204 where there is none."""
        given = {name.lower(): value for name, value in call.query.items()}.get(
            "underlyingresourceaction", ""
        )
        if given not in _ACTIONS:
            message = f"The query parameter 'underlyingResourceAction' is one of {', '.join(_ACTIONS)}."
            raise ArmError(400, "ValidationError", message, target="underlyingResourceAction")
        found = self._found(call)
        if found is None:
            return Answer(204)
        call.state.remove(found)
        return going.goes(call, found, "compute")

    def _list(self, call: Call) -> Answer:
        """List those of a workspace."""
        inside = call.state.store.arm_list(f"{workspace_of(call).id}/computes/")
        return Answer(200, {"value": [going.shown(call, one) for one in inside]})

    def _found(self, call: Call) -> Document | None:
        return call.state.get(f"{workspace_of(call).id}/computes/{call.path['name']}")

    def _find(self, call: Call) -> Document:
        found = self._found(call)
        if found is None:
            raise resource_not_found(self.type, call.path["name"], call.path["group"])
        return found


def _checked(properties: dict[str, Any]) -> dict[str, Any]:
    """What is declared of a cluster. Raises ArmError."""
    kind = text(properties, "computeType", "properties.computeType")
    if kind != _KIND:
        message = f"The local cloud has no compute of type '{kind}': it has {_KIND}."
        raise ArmError(400, "ValidationError", message, target="properties.computeType")
    own = section(properties, "properties")
    if not text(own, "vmSize", "properties.properties.vmSize"):
        raise ArmError(
            400, "ValidationError", "A compute needs a 'vmSize'.", target="properties.properties.vmSize"
        )
    return {
        "vmPriority": "Dedicated",
        "osType": "Linux",
        "remoteLoginPortPublicAccess": "NotSpecified",
        **own,
        "scaleSettings": _scale(section(own, "scaleSettings")),
    }


def _scale(settings: dict[str, Any]) -> dict[str, Any]:
    """How it scales. Raises ArmError where that cannot be."""
    least, most = settings.get("minNodeCount") or 0, settings.get("maxNodeCount")
    if not isinstance(most, int) or not isinstance(least, int) or not 0 <= least <= most:
        message = "'scaleSettings' needs a 'maxNodeCount' that is no less than 'minNodeCount'."
        raise ArmError(400, "ValidationError", message, target="properties.properties.scaleSettings")
    return {"nodeIdleTimeBeforeScaleDown": "PT2M", **settings, "minNodeCount": least}


def _fixed(document: Document) -> tuple[str, str]:
    return document["properties"]["properties"]["vmSize"], document["location"]
