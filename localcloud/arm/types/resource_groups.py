"""Resource groups (ARM, 2024-03-01).

Deleting one answers when all in it is gone, where ARM says 202 and takes minutes; clients accept both.
"""

from __future__ import annotations

import re

from localcloud.arm.errors import ArmError, invalid_content
from localcloud.arm.operation import (
    Answer,
    Call,
    Operation,
    check_available,
    created_by,
    location_of,
    tags_of,
    text,
)
from localcloud.arm.state import GROUP_TYPE, Document

_ONE = "/subscriptions/{subscription}/resourceGroups/{group}"


def _put(call: Call) -> Answer:
    """Create it, or change its tags."""
    sent, name = call.document(), call.path["group"]
    _check_name(name)
    location, tags = location_of(sent), tags_of(sent)
    with call.state.transaction():
        old = call.state.get(call.state.group_id(name))
        if old is not None and old["location"] != location:
            message = (
                f"Invalid resource group location '{location}'. The Resource group already exists in location"
                f" '{old['location']}'."
            )
            raise ArmError(409, "InvalidResourceGroupLocation", message, target="location", gateway=True)
        if old is None:
            check_available(GROUP_TYPE, location)
        group: Document = {
            "id": old["id"] if old else call.state.group_id(name),
            "name": old["name"] if old else name,
            "type": GROUP_TYPE,
            "location": location,
            "tags": tags,
            "systemData": old["systemData"] if old else created_by(call),
            "properties": {"provisioningState": "Succeeded"},
        }
        if managed_by := text(sent, "managedBy"):
            group["managedBy"] = managed_by
        call.state.put(group)
    return Answer(200 if old else 201, group)


def _patch(call: Call) -> Answer:
    """Change its tags."""
    sent = call.document()
    with call.state.transaction():
        group = call.state.group(call.path["group"])
        if text(sent, "name") not in (None, group["name"]):
            raise invalid_content("a resource group cannot be renamed", "name")
        if sent.get("tags") is not None:
            group["tags"] = tags_of(sent)
        if managed_by := text(sent, "managedBy"):
            group["managedBy"] = managed_by
        call.state.put(group)
    return Answer(200, group)


def _get(call: Call) -> Answer:
    """Get it."""
    return Answer(200, call.state.group(call.path["group"]))


def _list(call: Call) -> Answer:
    """List them."""
    return Answer(200, {"value": call.state.groups()})


def _exists(call: Call) -> Answer:
    """Ask whether it is there: 204 or 404."""
    return Answer(404 if call.state.get(call.state.group_id(call.path["group"])) is None else 204)


def _delete(call: Call) -> Answer:
    """Delete it with all that is in it."""
    call.state.remove_group(call.state.group(call.path["group"]))
    return Answer(200)


def _check_name(name: str) -> None:
    if len(name) > 90 or not re.fullmatch(r"[-\w._()]*[-\w_()]", name):
        message = (
            f"The provided resource group name '{name}' is not valid. It has up to 90 letters, digits, underscores,"
            " parentheses, hyphens and periods, and does not end in a period."
        )
        raise ArmError(400, "InvalidResourceGroupName", message, target="resourceGroupName", gateway=True)


OPERATIONS = (
    Operation("PUT", _ONE, _put),
    Operation("GET", _ONE, _get),
    Operation("HEAD", _ONE, _exists),
    Operation("PATCH", _ONE, _patch),
    Operation("DELETE", _ONE, _delete),
    Operation(
        "GET",
        "/subscriptions/{subscription}/resourceGroups",
        _list,
    ),
)
