"""Microsoft.MachineLearningServices/workspaces/onlineEndpoints: the operations on endpoints."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from localcloud.arm.errors import ArmError, invalid_content
from localcloud.arm.operation import Answer, Call, Operation, created_by, location_of, section, tags_of, text
from localcloud.arm.state import ArmState
from localcloud.arm.tracked import ResourceType, moved
from localcloud.azureml.assets.workspace import PATH, page, system_data, workspace_of
from localcloud.azureml.endpoints.access import AAD_TOKEN, AML_TOKEN, KEY, issue_token
from localcloud.azureml.endpoints.answers import begun, check_unchanged_since, etag, gone, shown
from localcloud.azureml.endpoints.finding import (
    check_endpoint_free,
    endpoint_if_any,
    endpoint_of,
)
from localcloud.azureml.endpoints.provisioning import ENDPOINT, ENDPOINT_GOES, SUCCEEDED
from localcloud.azureml.endpoints.rules import MOST_ENDPOINTS, check_name, check_traffic, refused
from localcloud.azureml.endpoints.state import (
    ENDPOINTS,
    LOCAL,
    Document,
    deployments,
    forget_endpoint,
    holder,
    keep_endpoint,
    new_key,
)
from localcloud.azureml.endpoints.wire import endpoint_properties
from localcloud.azureml.workspaces.identity import identity_of
from localcloud.works.context import works_of

_ALL = f"{PATH}/onlineEndpoints"
_ONE = f"{_ALL}/{{endpoint}}"
_WHICH = {"primary": "primaryKey", "secondary": "secondaryKey"}


class OnlineEndpoints(ResourceType):
    """Online endpoints. What changes one answers at once and goes on in the background."""

    type = ENDPOINTS

    def operations(self) -> tuple[Operation, ...]:
        """All operations of the type."""
        return (
            Operation("PUT", _ONE, _put),
            Operation("GET", _ONE, _get),
            Operation("PATCH", _ONE, _patch),
            Operation("DELETE", _ONE, _delete),
            Operation("GET", _ALL, _list),
            Operation("POST", f"{_ONE}/listKeys", _list_keys),
            Operation("POST", f"{_ONE}/regenerateKeys", _regenerate_keys),
            Operation("POST", f"{_ONE}/token", _token),
        )

    def remove(self, state: ArmState, document: Document) -> None:
        """The endpoint goes with what goes on on it; its deployments end as their documents are gone."""
        state.operations.abandon(document["id"])
        forget_endpoint(state.store, document)


def _put(call: Call) -> Answer:
    """Create an endpoint, or replace what is declared of it, its traffic included."""
    sent, name = call.document(), call.path["endpoint"]
    workspace, old = workspace_of(call), endpoint_if_any(call)
    location = location_of(sent)
    if old is not None:
        check_endpoint_free(call, old)
    check_unchanged_since(call, old)
    if old is None:
        check_name("endpoint", name)
        _check_place(call, location, name)
    else:
        if old["location"] != location:
            raise moved(old, call.state.group(call.path["group"]), location)
    properties = endpoint_properties(sent)
    there = deployments(call.state.store, old["id"]) if old else []
    check_traffic(properties["traffic"], properties["mirrorTraffic"], [one["name"] for one in there])
    document: Document = {
        "id": old["id"] if old else f"{workspace.id}/onlineEndpoints/{name}",
        "name": old["name"] if old else name,
        "type": ENDPOINTS,
        "location": location,
        "tags": tags_of(sent),
        "kind": text(sent, "kind") or "Managed",
        "identity": identity_of(call, sent, old, "SystemAssigned"),
        "systemData": system_data(created_by(call), old),
        "properties": {**properties, "provisioningState": SUCCEEDED},
        LOCAL: old[LOCAL] if old else {"guid": uuid4().hex, "keys": _first_keys(sent)},
    }
    if old is None:
        creating = {**document, "properties": {**document["properties"], "provisioningState": "Creating"}}
        keep_endpoint(call.state.store, creating)
    moves = old is not None and old["properties"]["traffic"] != properties["traffic"]
    rule = works_of(call.request).bindings.drawn(call.request) if moves else None
    return begun(call, ENDPOINT, document, 200 if old else 201, rule)


def _check_place(call: Call, location: str, name: str) -> None:
    if holder(call.state.store, location, name) is not None:
        message = f"There is an endpoint '{name}' in the region '{location}' already: its name is part of its address."
        raise ArmError(409, "EndpointAlreadyExists", message, target="name")
    there = [one for one in call.state.resources(ENDPOINTS) if one["location"] == location]
    if len(there) >= MOST_ENDPOINTS:
        message = f"The subscription has {len(there)} endpoints in the region '{location}', which is the most it can have."
        raise refused(message, code="OutOfQuota")


def _first_keys(sent: dict[str, Any]) -> dict[str, str]:
    given = section(section(sent, "properties"), "keys")
    return {name: text(given, name, "properties.keys") or new_key() for name in _WHICH.values()}


def _get(call: Call) -> Answer:
    """Get an endpoint; never its keys."""
    found = endpoint_of(call)
    return Answer(200, shown(call, found), {"ETag": etag(found)})


def _list(call: Call) -> Answer:
    """List the endpoints of a workspace."""
    below = call.state.store.arm_list(f"{workspace_of(call).id}/onlineEndpoints/")
    return page(call, [shown(call, one) for one in below if one["type"] == ENDPOINTS])


def _patch(call: Call) -> Answer:
    """Change tags and identity; traffic is changed by a PUT only."""
    sent, old = call.document(), endpoint_of(call)
    check_endpoint_free(call, old)
    check_unchanged_since(call, old)
    if more := sorted(set(sent) - {"tags", "identity"}):
        raise invalid_content(f"a PATCH of an endpoint has tags and identity, not '{more[0]}'", more[0])
    document = {**old, "systemData": system_data(created_by(call), old)}
    if sent.get("tags") is not None:
        document["tags"] = tags_of(sent)
    document["identity"] = identity_of(call, sent, old)
    return begun(call, ENDPOINT, document, 202)


def _delete(call: Call) -> Answer:
    """Delete an endpoint with its deployments, also when they have traffic; 204 where there is none."""
    document = endpoint_if_any(call)
    if document is None:
        return Answer(204)
    check_endpoint_free(call, document)
    check_unchanged_since(call, document)
    return gone(call, ENDPOINT_GOES, document)


def _list_keys(call: Call) -> Answer:
    """List the two keys of an endpoint whose mode is Key."""
    document = endpoint_of(call)
    _check_mode(document, KEY, "listKeys")
    return Answer(200, document[LOCAL]["keys"])


def _regenerate_keys(call: Call) -> Answer:
    """Make one of the keys anew, or set it; the old one opens nothing from here on."""
    sent, document = call.document(), endpoint_of(call)
    _check_mode(document, KEY, "regenerateKeys")
    check_endpoint_free(call, document)
    which = _WHICH.get((text(sent, "keyType") or "").lower())
    if which is None:
        raise refused("keyType is Primary or Secondary.", "keyType")
    document[LOCAL]["keys"][which] = text(sent, "keyValue") or new_key()
    keep_endpoint(call.state.store, document)
    return Answer(200)


def _token(call: Call) -> Answer:
    """Give a token that opens an endpoint whose mode is AMLToken."""
    document = endpoint_of(call)
    _check_mode(document, AML_TOKEN, "token")
    return Answer(200, issue_token(document, works_of(call.request).directory))


def _check_mode(document: Document, wanted: str, action: str) -> None:
    mode = document["properties"]["authMode"]
    if mode != wanted:
        how = "tokens of Microsoft Entra" if mode == AAD_TOKEN else f"authMode {mode}"
        message = f"The endpoint '{document['name']}' is opened by {how}: {action} is for authMode {wanted}."
        raise refused(message, "authMode")
