"""A resource group, a storage account and a classic workspace, as any azure-native program has them."""

import pulumi
import pulumi_azure_native as azure_native

config = pulumi.Config()
tags = {"owner": config.get("owner") or "team"}

group = azure_native.resources.ResourceGroup(
    "group", resource_group_name=config.get("groupName"), location=config.get("location"), tags=tags
)
account = azure_native.storage.StorageAccount(
    "store",
    resource_group_name=group.name,
    kind=azure_native.storage.Kind.STORAGE_V2,
    sku={"name": azure_native.storage.SkuName.STANDARD_LRS},
    enable_https_traffic_only=True,
)
workspace = azure_native.machinelearning.Workspace(
    "workspace",
    resource_group_name=group.name,
    owner_email="owner@example.org",
    user_storage_account_id=account.id,
    tags={**tags, "secret": config.require_secret("secretTag")} if config.get("secretTag") else tags,
)

pulumi.export("groupName", group.name)
pulumi.export("location", workspace.location)
pulumi.export("blob", account.primary_endpoints.blob)
pulumi.export("workspaceId", workspace.workspace_id)
pulumi.export(
    "token",
    azure_native.machinelearning.list_workspace_keys_output(
        resource_group_name=group.name, workspace_name=workspace.name
    ).primary_token,
)
