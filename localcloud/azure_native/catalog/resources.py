"""azure-native:resources, after pulumi_azure_native 3.29 (API 2024-03-01)."""

from __future__ import annotations

from localcloud.azure_native.spec import LOCATION, NameRule, ResourceType, top

RESOURCE_GROUP = ResourceType(
    token="azure-native:resources:ResourceGroup",  # noqa: S106 - a type's name
    path="/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}",
    api_version="2024-03-01",
    name=NameRule("resourceGroupName", max_length=90),
    body=(LOCATION, top("managedBy"), top("tags")),
    read_only=(top("name"), top("type"), top("properties")),
)

TYPES = (RESOURCE_GROUP,)
