"""A machine learning workspace with the resource group and the storage account it needs."""

from __future__ import annotations

from functools import cached_property

import pulumi
from pulumi_azure_native.machinelearning import Workspace as MachineLearningWorkspace
from pulumi_azure_native.resources import ResourceGroup
from pulumi_azure_native.storage import Kind, SkuArgs, SkuName, StorageAccount

from clients.errors import ConfigurationError
from clients.existing import ExistingWorkspace
from clients.protocols import AZUREML, CLASSIC
from components.services.commitment_plan import CommitmentPlan
from components.shared.options import Component
from components.shared.ownership import stack_claim
from retrain_hooks.ownership.names import default_name


class Workspace(Component):
    """Resource group, storage account and ``Microsoft.MachineLearning/workspaces`` of one stack; of *kind* ``azureml`` the workspace
    of Azure ML v2 with all that it needs, and a compute of up to *compute_nodes* machines of *compute_size*.

    *target* is the name of the place that holds its web services. ``reference`` is what web services take:
    ``{"resource": ARM id}``. With *existing*, a workspace's resource id, it is read and nothing is created; where there are
    New web services only, that of their resource group will do. Default names carry project, stack and *name*; a name
    that was once given stays.
    """

    packages = frozenset({"azure-native"})

    def __init__(
        self,
        name: str,
        *,
        target: str,
        kind: str = CLASSIC,
        location: str | None = None,
        owner_email: str | None = None,
        existing: str | None = None,
        tags: dict[str, str] | None = None,
        compute_size: str = "Standard_DS3_v2",
        compute_nodes: int = 2,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Workspace", name, opts)
        self.target, self.kind, self.existing = target, kind, existing
        self.location = location if not existing else None
        child = pulumi.ResourceOptions(parent=self, depends_on=[stack_claim(target)])
        parts = self._parts = (pulumi.get_project(), pulumi.get_stack(), name)

        def named(input_name: str) -> pulumi.ResourceOptions:
            return pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(ignore_changes=[input_name]))

        if existing:
            self._adopt(existing, child)
            return
        if location is None or owner_email is None:
            raise pulumi.RunError(
                f"the workspace {name!r} has no location and owner_email\n"
                "remedy: give both, or with `existing` the workspace to adopt"
            )
        if kind == AZUREML:
            from components.services import azureml  # brings four more packages of azure-native

            tagged = azureml.tags_of(tags, str(owner_email))
            self.parts = azureml.workspace(
                name, location=location, tags=tagged, vm_size=compute_size, nodes=compute_nodes, child=child
            )
            self._refer(self.parts.id)
            return
        self.group = ResourceGroup(
            f"{name}-group",
            resource_group_name=default_name("rg", *parts),
            location=location,
            tags=tags,
            opts=named("resourceGroupName"),
        )
        self.storage = StorageAccount(
            f"{name}-storage",
            account_name=default_name(*parts, limit=24, separator=""),
            resource_group_name=self.group.name,
            location=location,
            kind=Kind.STORAGE_V2,
            sku=SkuArgs(name=SkuName.STANDARD_LRS),
            tags=tags,
            opts=named("accountName"),
        )
        self.workspace = MachineLearningWorkspace(
            f"{name}-studio",
            workspace_name=default_name("mlw", *parts, limit=33),
            resource_group_name=self.group.name,
            location=location,
            owner_email=owner_email,
            user_storage_account_id=self.storage.id,
            tags=tags,
            opts=named("workspaceName"),
        )
        self._location: pulumi.Input[str] = location
        self._group: pulumi.Input[str] = self.group.id
        self._refer(self.workspace.id)

    def _refer(self, id_: pulumi.Input[str]) -> None:
        self.reference: pulumi.Output[dict[str, str]] = pulumi.Output.all(resource=id_)
        self.register_outputs({"reference": self.reference})

    def _adopt(self, existing: str, child: pulumi.ResourceOptions) -> None:
        """Read a workspace that is there already."""
        try:
            found = ExistingWorkspace.parse(existing)
        except ConfigurationError as error:
            raise pulumi.RunError(str(error)) from None
        self._group = found.group
        if self.kind == AZUREML:
            from components.services import azureml

            self.parts = azureml.adopted(self._name, found.id, child)
            self._refer(found.id)
            return
        if found.id == found.group:
            self._location = ResourceGroup.get(f"{self._name}-group", found.id, opts=child).location
        else:
            workspace = MachineLearningWorkspace.get(f"{self._name}-studio", found.id, opts=child)
            self._location = workspace.location
        self._refer(found.id)

    @cached_property
    def commitment_plan(self) -> CommitmentPlan:
        """The plan that New web services are billed to; declared when the first of them asks for it."""
        return CommitmentPlan(
            f"{self._name}-plan",
            target=self.target,
            group=self._group,
            default_name=default_name("plan", *self._parts),
            location=self._location,
            opts=pulumi.ResourceOptions(parent=self),
        )
