"""azure-native:machinelearningservices (Azure ML v2), after pulumi_azure_native 3.29 (API 2025-12-01)."""

from __future__ import annotations

from localcloud.azure_native.spec import (
    IDENTITY,
    LOCATION,
    Function,
    NameRule,
    ResourceType,
    props,
    top,
)

_API = "2025-12-01"
_WORKSPACE = (
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}"
    "/providers/Microsoft.MachineLearningServices/workspaces/{workspaceName}"
)
_MADE = (top("name"), top("type"), top("systemData"))

WORKSPACE = ResourceType(
    token="azure-native:machinelearningservices:Workspace",  # noqa: S106 - a type's name
    path=_WORKSPACE,
    api_version=_API,
    name=NameRule("workspaceName", pattern="^[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}$"),
    body=(
        LOCATION,
        IDENTITY,
        top("kind"),
        top("sku"),
        top("tags"),
        *props(
            "allowPublicAccessWhenBehindVnet",
            "applicationInsights",
            "associatedWorkspaces",
            "containerRegistry",
            "description",
            "discoveryUrl",
            "enableDataIsolation",
            "enableServiceSideCMKEncryption",
            "encryption",
            "featureStoreSettings",
            "friendlyName",
            "hbiWorkspace",
            "hubResourceId",
            "imageBuildCompute",
            "keyVault",
            "managedNetwork",
            "primaryUserAssignedIdentity",
            "provisionNetworkNow",
            "publicNetworkAccess",
            "serverlessComputeSettings",
            "serviceManagedResourcesSettings",
            "sharedPrivateLinkResources",
            "storageAccount",
            "systemDatastoresAuthMode",
            "v1LegacyMode",
            "workspaceHubConfig",
        ),
    ),
    read_only=(
        *_MADE,
        *props(
            "mlFlowTrackingUri",
            "notebookInfo",
            "privateEndpointConnections",
            "privateLinkCount",
            "provisioningState",
            "serviceProvisionedResourceGroup",
            "storageHnsEnabled",
            "tenantId",
            "workspaceId",
        ),
    ),
)

COMPUTE = ResourceType(
    token="azure-native:machinelearningservices:Compute",  # noqa: S106 - a type's name
    path=f"{_WORKSPACE}/computes/{{computeName}}",
    api_version=_API,
    name=NameRule("computeName"),
    body=(
        LOCATION,
        IDENTITY,
        top("sku"),
        top("tags"),
        top(
            "properties",
            read_only=(
                "createdOn",
                "modifiedOn",
                "provisioningErrors",
                "provisioningState",
                "isAttachedCompute",
                "properties.allocationState",
                "properties.allocationStateTransitionTime",
                "properties.currentNodeCount",
                "properties.errors",
                "properties.nodeStateCounts",
                "properties.targetNodeCount",
            ),
        ),
    ),
    read_only=_MADE,
    delete_query={"underlyingResourceAction": "Delete"},
)

ONLINE_ENDPOINT = ResourceType(
    token="azure-native:machinelearningservices:OnlineEndpoint",  # noqa: S106 - a type's name
    path=f"{_WORKSPACE}/onlineEndpoints/{{endpointName}}",
    api_version=_API,
    name=NameRule("endpointName", pattern=r"^[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}$"),
    body=(
        LOCATION,
        IDENTITY,
        top("kind"),
        top("sku"),
        top("tags"),
        top("properties", required=True, read_only=("provisioningState", "scoringUri", "swaggerUri")),
    ),
    read_only=_MADE,
)

ENVIRONMENT_VERSION = ResourceType(
    token="azure-native:machinelearningservices:EnvironmentVersion",  # noqa: S106 - a type's name
    path=f"{_WORKSPACE}/environments/{{name}}/versions/{{version}}",
    api_version=_API,
    name=NameRule("version"),
    body=(top("properties", required=True, read_only=("environmentType", "provisioningState")),),
    read_only=_MADE,
)

SCHEDULE = ResourceType(
    token="azure-native:machinelearningservices:Schedule",  # noqa: S106 - a type's name
    path=f"{_WORKSPACE}/schedules/{{name}}",
    api_version=_API,
    name=NameRule("name", pattern=r"^[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}$"),
    body=(top("properties", required=True, read_only=("provisioningState",)),),
    read_only=_MADE,
)

TYPES = (WORKSPACE, COMPUTE, ONLINE_ENDPOINT, ENVIRONMENT_VERSION, SCHEDULE)

FUNCTIONS = (
    Function(
        "azure-native:machinelearningservices:listWorkspaceKeys",
        WORKSPACE,
        method="POST",
        action="/listKeys",
        outputs=(
            "appInsightsInstrumentationKey",
            "containerRegistryCredentials",
            "notebookAccessKeys",
            "userStorageArmId",
            "userStorageKey",
        ),
        secrets=frozenset(
            {
                "appInsightsInstrumentationKey",
                "containerRegistryCredentials",
                "notebookAccessKeys",
                "userStorageKey",
            }
        ),
    ),
    Function(
        "azure-native:machinelearningservices:listOnlineEndpointKeys",
        ONLINE_ENDPOINT,
        method="POST",
        action="/listKeys",
        outputs=("primaryKey", "secondaryKey"),
        secrets=frozenset({"primaryKey", "secondaryKey"}),
    ),
    Function(
        "azure-native:machinelearningservices:getOnlineEndpointToken",
        ONLINE_ENDPOINT,
        method="POST",
        action="/token",
        outputs=("accessToken", "expiryTimeUtc", "refreshAfterTimeUtc", "tokenType"),
        secrets=frozenset({"accessToken"}),
    ),
)
