"""azure-native:machinelearning (Studio's workspace), after pulumi_azure_native 3.29 (API 2019-10-01).

Web services and commitment plans are not in azure-native 3.x; they are declared by dynamic providers.
"""

from __future__ import annotations

from localcloud.azure_native.spec import LOCATION, Function, NameRule, ResourceType, prop, top

WORKSPACE = ResourceType(
    token="azure-native:machinelearning:Workspace",  # noqa: S106 - a type's name
    path=(
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}"
        "/providers/Microsoft.MachineLearning/workspaces/{workspaceName}"
    ),
    api_version="2019-10-01",
    name=NameRule("workspaceName"),
    body=(
        LOCATION,
        top("sku"),
        top("tags"),
        prop("ownerEmail", required=True),
        prop("userStorageAccountId", required=True),
        prop("keyVaultIdentifierId"),
    ),
    read_only=(
        top("name"),
        top("type"),
        prop("creationTime"),
        prop("studioEndpoint"),
        prop("workspaceId"),
        prop("workspaceState"),
        prop("workspaceType"),
    ),
)

TYPES = (WORKSPACE,)

FUNCTIONS = (
    Function(
        "azure-native:machinelearning:listWorkspaceKeys",
        WORKSPACE,
        method="POST",
        action="/listWorkspaceKeys",
        outputs=("primaryToken", "secondaryToken"),
        secrets=frozenset({"primaryToken", "secondaryToken"}),
    ),
)
