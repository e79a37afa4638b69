"""Microsoft.Authorization: who has which role where (2022-04-01), and what the caller may do there.

Assignments are kept and shown; what a call may do is said by `roles`, whatever is assigned here.
Source: https://learn.microsoft.com/rest/api/authorization, built-in roles by their published ids.
"""

from __future__ import annotations

import re
from typing import Any

from localcloud.arm.errors import ArmError, resource_not_found
from localcloud.arm.operation import Answer, Call, Operation, created_by, section, text
from localcloud.arm.roles import allowed
from localcloud.arm.state import Document
from localcloud.arm.tracked import ResourceType
from localcloud.facilities.store import now

_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = f"{_SUBSCRIPTION}/resourceGroups/{{group}}"
_RESOURCE = f"{_GROUP}/providers/{{namespace}}/{{kind}}/{{resource}}"
_SCOPES = (_SUBSCRIPTION, _GROUP, _RESOURCE)
_PROVIDER = "/providers/Microsoft.Authorization"
ROLES = {
    "Owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Blob Data Reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "AcrPush": "8311e382-0749-4cb8-b61a-304f252e45ec",
    "Key Vault Administrator": "00482a5a-887f-4fb3-b363-3b7fe8e74483",
    "AzureML Data Scientist": "f6c7c914-8db3-469d-8ca1-694a8f32e121",
    "AzureML Compute Operator": "e503ece1-11d0-4e8e-8e2c-7a6c3bf38815",
    "AzureML Metrics Writer (preview)": "635dd51f-9968-44d3-b7fb-6d9a6bd613ae",
}


class RoleAssignments(ResourceType):
    """Role assignments at a subscription, a resource group, or a resource in one."""

    type = "Microsoft.Authorization/roleAssignments"

    def operations(self) -> tuple[Operation, ...]:
        """All operations, at each kind of scope."""
        made = []
        for scope in _SCOPES:
            everyone = f"{scope}{_PROVIDER}/roleAssignments"
            one = f"{everyone}/{{name}}"
            made += [
                Operation("PUT", one, self._put),
                Operation("GET", one, self._get),
                Operation("DELETE", one, self._delete),
                Operation("GET", everyone, self._list),
                Operation("GET", f"{scope}{_PROVIDER}/roleDefinitions", _definitions),
                Operation("GET", f"{scope}{_PROVIDER}/roleDefinitions/{{name}}", _definition),
                Operation("GET", f"{scope}{_PROVIDER}/permissions", self._permissions),
            ]
        return tuple(made)

    def _put(self, call: Call) -> Answer:
        """Give a role; it can't be given twice, nor changed."""
        properties, name = section(call.document(), "properties"), call.path["name"]
        role, principal = (text(properties, key) for key in ("roleDefinitionId", "principalId"))
        if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", name):
            message = f"The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID."
            raise ArmError(400, "InvalidRoleAssignmentId", message)
        if not role or not principal:
            raise ArmError(400, "BadRequestFormat", "'roleDefinitionId' and 'principalId' are required.")
        if role.rpartition("/")[2].lower() not in ROLES.values():
            message = f"The specified role definition with ID '{role.rpartition('/')[2]}' does not exist."
            raise ArmError(400, "RoleDefinitionDoesNotExist", message)
        scope = self._scope(call)
        old = call.state.get(self._id(call, scope))
        same = (role.casefold(), principal.casefold())
        for other in self._at(call, scope):
            there = other["properties"]
            if other["name"] != name and same == _given(there):
                message = f"The role assignment already exists. The ID of the conflicting role assignment is {other['name']}."
                raise ArmError(409, "RoleAssignmentExists", message)
        if old is not None and same != _given(old["properties"]):
            message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
            raise ArmError(400, "RoleAssignmentUpdateNotPermitted", message)
        document: Document = {
            "id": self._id(call, scope),
            "name": name,
            "type": self.type,
            "systemData": old["systemData"] if old else created_by(call),
            "properties": {
                "principalType": "ServicePrincipal",
                **properties,
                "createdOn": old["properties"]["createdOn"] if old else now(),
                "scope": scope,
            },
        }
        call.state.put(document)
        return Answer(200 if old else 201, document)

    def _get(self, call: Call) -> Answer:
        """Get one."""
        found = call.state.get(self._id(call, self._scope(call)))
        if found is None:
            raise resource_not_found(self.type, call.path["name"], call.path.get("group", ""))
        return Answer(200, found)

    def _delete(self, call: Call) -> Answer:
        """Take a role back; 204 where it was not given."""
        found = call.state.get(self._id(call, self._scope(call)))
        if found is None:
            return Answer(204)
        call.state.remove(found)
        return Answer(200, found)

    def _list(self, call: Call) -> Answer:
        """List those at a scope, and below it."""
        return Answer(200, {"value": self._at(call, self._scope(call))})

    def _permissions(self, call: Call) -> Answer:
        """List what the caller may do there."""
        self._scope(call)
        owner, *others = call.state.cloud.principals
        caller = next((one for one in others if one.client_id == call.client_id), owner)
        granted = {"actions": allowed(caller), "notActions": [], "dataActions": [], "notDataActions": []}
        return Answer(200, {"value": [granted]})

    def _at(self, call: Call, scope: str) -> list[Document]:
        inside = call.state.store.arm_list(f"{scope}/")
        return [one for one in inside if one.get("type") == self.type]

    def _id(self, call: Call, scope: str) -> str:
        return f"{scope}{_PROVIDER}/roleAssignments/{call.path['name']}"

    def _scope(self, call: Call) -> str:
        """The id of what the call is about, which is there. Raises ArmError."""
        path = call.path
        if "group" not in path:
            return call.state.subscription_id
        group = call.state.group(path["group"])["id"]
        if "kind" not in path:
            return str(group)
        kind = f"{path['namespace']}/{path['kind']}"
        found = call.state.get(f"{group}/providers/{kind}/{path['resource']}")
        if found is None:
            raise resource_not_found(kind, path["resource"], path["group"])
        return str(found["id"])


def _given(properties: dict[str, Any]) -> tuple[str, str]:
    return str(properties["roleDefinitionId"]).casefold(), str(properties["principalId"]).casefold()


def _shown(call: Call, name: str, role: str) -> dict[str, Any]:
    return {
        "id": f"{call.state.subscription_id}{_PROVIDER}/roleDefinitions/{role}",
        "name": role,
        "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {"roleName": name, "type": "BuiltInRole", "assignableScopes": ["/"]},
    }


def _definitions(call: Call) -> Answer:
    """List the roles; with the filter ``roleName eq '…'`` the one of that name."""
    wanted = re.fullmatch(r"roleName eq '(.*)'", call.query.get("$filter", ""), re.IGNORECASE)
    return Answer(
        200,
        {"value": [_shown(call, *role) for role in ROLES.items() if not wanted or role[0] == wanted[1]]},
    )


def _definition(call: Call) -> Answer:
    """Get one role."""
    for name, role in ROLES.items():
        if role == call.path["name"].lower():
            return Answer(200, _shown(call, name, role))
    message = f"The specified role definition with ID '{call.path['name']}' does not exist."
    raise ArmError(404, "RoleDefinitionDoesNotExist", message)
