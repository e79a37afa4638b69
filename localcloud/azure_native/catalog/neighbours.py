"""What an Azure ML workspace stands on beside storage, after pulumi_azure_native 3.29.

azure-native:keyvault (API 2024-11-01), :applicationinsights (2020-02-02), :containerregistry (2023-01-01-preview),
:managedidentity (2023-01-31), :authorization (2022-04-01).
"""

from __future__ import annotations

from localcloud.azure_native.spec import IDENTITY, LOCATION, NameRule, ResourceType, prop, props, top

_GROUP = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers"

VAULT = ResourceType(
    token="azure-native:keyvault:Vault",  # noqa: S106 - a type's name
    path=f"{_GROUP}/Microsoft.KeyVault/vaults/{{vaultName}}",
    api_version="2024-11-01",
    name=NameRule("vaultName", pattern="^[a-zA-Z0-9-]{3,24}$"),
    body=(
        LOCATION,
        top("tags"),
        top(
            "properties",
            required=True,
            read_only=("hsmPoolResourceId", "privateEndpointConnections", "provisioningState", "vaultUri"),
        ),
    ),
    read_only=(top("name"), top("type"), top("systemData")),
)

COMPONENT = ResourceType(
    token="azure-native:applicationinsights:Component",  # noqa: S106 - a type's name
    path=f"{_GROUP}/Microsoft.Insights/components/{{resourceName}}",
    api_version="2020-02-02",
    name=NameRule("resourceName"),
    body=(
        LOCATION,
        top("kind", required=True),
        top("tags"),
        prop("applicationType", arm="Application_Type", required=True),
        prop("disableIpMasking", arm="DisableIpMasking"),
        prop("disableLocalAuth", arm="DisableLocalAuth"),
        prop("flowType", arm="Flow_Type"),
        prop("forceCustomerStorageForProfiler", arm="ForceCustomerStorageForProfiler"),
        prop("hockeyAppId", arm="HockeyAppId"),
        prop("immediatePurgeDataOn30Days", arm="ImmediatePurgeDataOn30Days"),
        prop("ingestionMode", arm="IngestionMode"),
        prop("publicNetworkAccessForIngestion"),
        prop("publicNetworkAccessForQuery"),
        prop("requestSource", arm="Request_Source"),
        prop("retentionInDays", arm="RetentionInDays"),
        prop("samplingPercentage", arm="SamplingPercentage"),
        prop("workspaceResourceId", arm="WorkspaceResourceId"),
    ),
    read_only=(
        top("etag"),
        top("name"),
        top("type"),
        prop("appId", arm="AppId"),
        prop("applicationId", arm="ApplicationId"),
        prop("connectionString", arm="ConnectionString", secret=True),
        prop("creationDate", arm="CreationDate"),
        prop("hockeyAppToken", arm="HockeyAppToken", secret=True),
        prop("instrumentationKey", arm="InstrumentationKey", secret=True),
        prop("laMigrationDate", arm="LaMigrationDate"),
        prop("privateLinkScopedResources", arm="PrivateLinkScopedResources"),
        prop("provisioningState"),
        prop("tenantId", arm="TenantId"),
    ),
)

REGISTRY = ResourceType(
    token="azure-native:containerregistry:Registry",  # noqa: S106 - a type's name
    path=f"{_GROUP}/Microsoft.ContainerRegistry/registries/{{registryName}}",
    api_version="2023-01-01-preview",
    name=NameRule("registryName", pattern="^[a-zA-Z0-9]*$", min_length=5, max_length=50),
    body=(
        LOCATION,
        IDENTITY,
        top("sku", required=True, read_only=("tier",)),
        top("tags"),
        *props(
            "adminUserEnabled",
            "anonymousPullEnabled",
            "dataEndpointEnabled",
            "encryption",
            "networkRuleBypassOptions",
            "networkRuleSet",
            "policies",
            "publicNetworkAccess",
            "zoneRedundancy",
        ),
    ),
    read_only=(
        top("name"),
        top("type"),
        top("systemData"),
        *props(
            "creationDate",
            "dataEndpointHostNames",
            "loginServer",
            "privateEndpointConnections",
            "provisioningState",
            "status",
        ),
    ),
)

USER_ASSIGNED_IDENTITY = ResourceType(
    token="azure-native:managedidentity:UserAssignedIdentity",  # noqa: S106 - a type's name
    path=f"{_GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/{{resourceName}}",
    api_version="2023-01-31",
    name=NameRule("resourceName"),
    body=(LOCATION, top("tags")),
    read_only=(
        top("name"),
        top("type"),
        top("systemData"),
        *props("clientId", "principalId", "tenantId"),
    ),
)

ROLE_ASSIGNMENT = ResourceType(
    token="azure-native:authorization:RoleAssignment",  # noqa: S106 - a type's name
    path="{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
    api_version="2022-04-01",
    name=NameRule("roleAssignmentName", guid=True),
    body=(
        prop("principalId", required=True, create_only=True),
        prop("roleDefinitionId", required=True),
        *props(
            "condition",
            "conditionVersion",
            "delegatedManagedIdentityResourceId",
            "description",
            "principalType",
        ),
    ),
    read_only=(
        top("name"),
        top("type"),
        top("systemData"),
        *props("createdBy", "createdOn", "scope", "updatedBy", "updatedOn"),
    ),
)

TYPES = (VAULT, COMPONENT, REGISTRY, USER_ASSIGNED_IDENTITY, ROLE_ASSIGNMENT)
