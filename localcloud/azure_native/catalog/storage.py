"""azure-native:storage, after pulumi_azure_native 3.29 (API 2024-01-01)."""

from __future__ import annotations

from localcloud.azure_native.spec import (
    IDENTITY,
    LOCATION,
    Function,
    NameRule,
    ResourceType,
    prop,
    props,
    top,
)

STORAGE_ACCOUNT = ResourceType(
    token="azure-native:storage:StorageAccount",  # noqa: S106 - a type's name
    path=(
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}"
        "/providers/Microsoft.Storage/storageAccounts/{accountName}"
    ),
    api_version="2024-01-01",
    name=NameRule("accountName", pattern="^[a-z0-9]+$", min_length=3, max_length=24),
    body=(
        LOCATION,
        top("kind", required=True),
        top("sku", required=True),
        top("tags"),
        IDENTITY,
        top("extendedLocation", create_only=True),
        prop("accessTier"),
        prop("allowBlobPublicAccess"),
        prop("allowCrossTenantReplication"),
        prop("allowSharedKeyAccess"),
        prop("allowedCopyScope"),
        prop("azureFilesIdentityBasedAuthentication"),
        prop("customDomain"),
        prop("defaultToOAuthAuthentication"),
        prop("dnsEndpointType"),
        prop("enableExtendedGroups"),
        prop("enableHttpsTrafficOnly", arm="supportsHttpsTrafficOnly"),
        prop("enableNfsV3", arm="isNfsV3Enabled"),
        prop("encryption"),
        prop("immutableStorageWithVersioning"),
        prop("isHnsEnabled", create_only=True),
        prop("isLocalUserEnabled"),
        prop("isSftpEnabled"),
        prop("keyPolicy"),
        prop("largeFileSharesState"),
        prop("minimumTlsVersion"),
        prop("networkRuleSet", arm="networkAcls"),
        prop("publicNetworkAccess"),
        prop("routingPreference"),
        prop("sasPolicy"),
    ),
    read_only=(
        top("name"),
        top("type"),
        prop("creationTime"),
        prop("keyCreationTime"),
        prop("primaryEndpoints"),
        prop("primaryLocation"),
        prop("privateEndpointConnections"),
        prop("provisioningState"),
        prop("statusOfPrimary"),
    ),
)

BLOB_CONTAINER = ResourceType(
    token="azure-native:storage:BlobContainer",  # noqa: S106 - a type's name
    path=f"{STORAGE_ACCOUNT.path}/blobServices/default/containers/{{containerName}}",
    api_version="2024-01-01",
    name=NameRule("containerName", min_length=3, max_length=63),
    body=props(
        "defaultEncryptionScope",
        "denyEncryptionScopeOverride",
        "enableNfsV3AllSquash",
        "enableNfsV3RootSquash",
        "immutableStorageWithVersioning",
        "metadata",
        "publicAccess",
    ),
    read_only=(
        top("etag"),
        top("name"),
        top("type"),
        *props(
            "deleted",
            "deletedTime",
            "hasImmutabilityPolicy",
            "hasLegalHold",
            "immutabilityPolicy",
            "lastModifiedTime",
            "leaseDuration",
            "leaseState",
            "leaseStatus",
            "legalHold",
            "remainingRetentionDays",
            "version",
        ),
    ),
)

TYPES = (STORAGE_ACCOUNT, BLOB_CONTAINER)

FUNCTIONS = (
    Function(
        "azure-native:storage:listStorageAccountKeys",
        STORAGE_ACCOUNT,
        method="POST",
        action="/listKeys",
        outputs=("keys",),
        secrets=frozenset({"keys"}),
    ),
)
