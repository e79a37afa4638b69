"""What Azure ML v2 stands on, by azure-native: a workspace with its neighbours and a compute, and online endpoints.

Jobs, models, deployments and traffic are not here: they follow the data, and a gate.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import pulumi
from pulumi_azure_native import (
    applicationinsights,
    authorization,
    containerregistry,
    keyvault,
    resources,
    storage,
)

from clients.azureml.jobs import CLUSTER
from retrain_hooks.ownership.names import default_name

# Built in: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage
_BLOB_DATA_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
_ENDPOINT_NAME = 32
_NAME = re.compile(r"(?=.{1,32}$)[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*")
_OWN_IDENTITY = {"type": "SystemAssigned"}


class MachineLearning(pulumi.CustomResource):
    """A resource of azure-native's ``machinelearningservices``, its *props* by the provider's own names.

    The package's class would say the same, but to import its 75,000 lines of types takes a quarter of a second of each preview.
    """

    def __init__(self, kind: str, name: str, props: Mapping[str, Any], opts: pulumi.ResourceOptions) -> None:
        own = pulumi.ResourceOptions(version=metadata.version("pulumi-azure-native"))
        given = {"name": None, **props}
        super().__init__(
            f"azure-native:machinelearningservices:{kind}",
            name,
            given,
            pulumi.ResourceOptions.merge(own, opts),
        )

    def output(self, name: str) -> pulumi.Output[Any]:
        """One of the *props*, or ``name``, as the provider says it."""
        found: pulumi.Output[Any] = pulumi.get(self, name)
        return found


@dataclass(frozen=True)
class WorkspaceParts:
    """A workspace as endpoints and schedules are declared in it: its *id*, *group*, *name*, *location*, *tags* and *provider*, and
    the *compute* that came with it.
    """

    id: pulumi.Output[str]
    group: pulumi.Input[str]
    name: pulumi.Input[str]
    location: pulumi.Input[str]
    tags: Mapping[str, str]
    provider: pulumi.ProviderResource | None
    compute: pulumi.Output[str] | None = None


def tags_of(given: Mapping[str, str] | None, owner_email: str) -> dict[str, str]:
    """The tags of all parts of a stack: whose they are, and those that were *given*."""
    own = {"project": pulumi.get_project(), "stack": pulumi.get_stack(), "owner": owner_email}
    return {**own, **(given or {})}


def workspace(
    name: str,
    *,
    location: str,
    tags: Mapping[str, str],
    vm_size: str,
    nodes: int,
    child: pulumi.ResourceOptions,
) -> WorkspaceParts:
    """Declare the workspace *name* with resource group, storage account without keys, vault, insights, registry and compute."""
    parts = (pulumi.get_project(), pulumi.get_stack(), name)

    def named(*ignored: str) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(ignore_changes=[*ignored]))

    group = resources.ResourceGroup(
        f"{name}-group",
        resource_group_name=default_name("rg", *parts),
        location=location,
        tags=tags,
        opts=named("resourceGroupName"),
    )
    account = storage.StorageAccount(
        f"{name}-storage",
        account_name=default_name(*parts, limit=24, separator=""),
        resource_group_name=group.name,
        location=location,
        kind=storage.Kind.STORAGE_V2,
        sku=storage.SkuArgs(name=storage.SkuName.STANDARD_LRS),
        allow_shared_key_access=False,
        allow_blob_public_access=False,
        minimum_tls_version=storage.MinimumTlsVersion.TLS1_2,
        tags=tags,
        opts=named("accountName"),
    )
    vault = keyvault.Vault(
        f"{name}-vault",
        vault_name=default_name("kv", *parts, limit=24),
        resource_group_name=group.name,
        location=location,
        properties=keyvault.VaultPropertiesArgs(
            tenant_id=authorization.get_client_config_output(
                opts=pulumi.InvokeOptions(parent=child.parent)
            ).tenant_id,
            sku=keyvault.SkuArgs(family=keyvault.SkuFamily.A, name=keyvault.SkuName.STANDARD),
            enable_rbac_authorization=True,
        ),
        tags=tags,
        opts=named("vaultName"),
    )
    insights = applicationinsights.Component(
        f"{name}-insights",
        resource_name_=default_name("insights", *parts),
        resource_group_name=group.name,
        location=location,
        kind="web",
        application_type=applicationinsights.ApplicationType.WEB,
        tags=tags,
        opts=pulumi.ResourceOptions.merge(
            named("resourceName"),
            pulumi.ResourceOptions(additional_secret_outputs=["instrumentationKey", "connectionString"]),
        ),
    )
    registry = containerregistry.Registry(
        f"{name}-registry",
        registry_name=default_name("cr", *parts, limit=50, separator=""),
        resource_group_name=group.name,
        location=location,
        sku=containerregistry.SkuArgs(name=containerregistry.SkuName.BASIC),
        admin_user_enabled=False,
        tags=tags,
        opts=named("registryName"),
    )
    made = MachineLearning(
        "Workspace",
        f"{name}-studio",
        {
            "workspaceName": default_name("mlw", *parts, limit=33),
            "resourceGroupName": group.name,
            "location": location,
            "identity": _OWN_IDENTITY,
            "storageAccount": account.id,
            "keyVault": vault.id,
            "applicationInsights": insights.id,
            "containerRegistry": registry.id,
            "systemDatastoresAuthMode": "Identity",
            "tags": tags,
        },
        named("workspaceName"),
    )
    compute = MachineLearning(
        "Compute",
        f"{name}-compute",
        {
            "computeName": CLUSTER,
            "workspaceName": made.output("name"),
            "resourceGroupName": group.name,
            "location": location,
            "identity": _OWN_IDENTITY,
            "properties": {
                "computeType": "AmlCompute",
                "disableLocalAuth": True,
                "properties": {
                    "vmSize": vm_size,
                    "scaleSettings": {
                        "minNodeCount": 0,
                        "maxNodeCount": nodes,
                        "nodeIdleTimeBeforeScaleDown": "PT2M",
                    },
                    # What the service takes where nothing is said.
                    "osType": "Linux",
                    "enableNodePublicIp": True,
                    "remoteLoginPortPublicAccess": "NotSpecified",
                },
            },
            "tags": tags,
        },
        # Another tag would leave its identity, and so what that may do, unknown in the preview.
        named("tags"),
    )
    _let_read_and_write(f"{name}-compute-blobs", compute, account, child)
    return WorkspaceParts(
        made.id, group.name, made.output("name"), location, tags, _provider(child), compute.id
    )


def _let_read_and_write(
    name: str,
    compute: MachineLearning,
    account: storage.StorageAccount,
    child: pulumi.ResourceOptions,
) -> None:
    """Give jobs, which run as the *compute*, the blobs of the workspace's account, which has no keys."""
    subscription = account.id.apply(lambda id_: "/".join(id_.split("/")[:3]))
    authorization.RoleAssignment(
        name,
        scope=account.id,
        principal_id=compute.output("identity").apply(lambda own: (own or {}).get("principalId", "")),
        principal_type=authorization.PrincipalType.SERVICE_PRINCIPAL,
        role_definition_id=pulumi.Output.concat(
            subscription, "/providers/Microsoft.Authorization/roleDefinitions/", _BLOB_DATA_CONTRIBUTOR
        ),
        opts=child,
    )


def adopted(name: str, id_: str, child: pulumi.ResourceOptions) -> WorkspaceParts:
    """A workspace that is there already, by its ARM *id_*."""
    there = pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(id=id_))
    found = MachineLearning("Workspace", f"{name}-studio", {"location": None}, there)
    _, _, _, _, group, *_, called = id_.split("/")
    location = found.output("location").apply(lambda place: place or "")
    own = pulumi.Output.from_input(id_)
    return WorkspaceParts(own, group, called, location, tags_of(None, ""), _provider(child))


def _provider(child: pulumi.ResourceOptions) -> pulumi.ProviderResource | None:
    """The provider of azure-native that the workspace was given; None for the default one."""
    return child.parent.get_provider("azure-native:index:any") if child.parent else None


def endpoint_name(name: str) -> str:
    """The online endpoint's own name: it is part of an address in its region, and so carries project and stack.

    Raises RunError, which Pulumi shows without a traceback, for one that the service would refuse.
    """
    if not _NAME.fullmatch(name):
        raise pulumi.RunError(
            f"{name!r} is not a name for an online endpoint\n"
            "remedy: use letters, digits and single dashes, 32 at most, with a letter first"
        )
    return default_name(name, pulumi.get_project(), pulumi.get_stack(), limit=_ENDPOINT_NAME)


def online_endpoint(
    resource: str, parts: WorkspaceParts, name: str, description: str, child: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """Declare the online endpoint *name*; its ARM id. Nothing of it is changed later on: a PUT would take its traffic away."""
    made = MachineLearning(
        "OnlineEndpoint",
        resource,
        {
            "endpointName": name,
            "workspaceName": parts.name,
            "resourceGroupName": parts.group,
            "location": parts.location,
            "identity": _OWN_IDENTITY,
            "properties": {"authMode": "Key", "description": description, "publicNetworkAccess": "Enabled"},
            "tags": parts.tags,
        },
        pulumi.ResourceOptions.merge(
            child,
            pulumi.ResourceOptions(
                ignore_changes=["properties", "tags", "identity", "location", "sku", "kind"],
                provider=parts.provider,
            ),
        ),
    )
    id_: pulumi.Output[str] = made.id
    return id_
