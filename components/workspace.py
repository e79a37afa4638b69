"""A machine learning workspace with the resource group and the storage account it needs."""

from __future__ import annotations

import hashlib
from functools import cached_property

import pulumi
from pulumi_azure_native.machinelearning import Workspace as MachineLearningWorkspace
from pulumi_azure_native.resources import ResourceGroup
from pulumi_azure_native.storage import Kind, SkuArgs, SkuName, StorageAccount

from components.commitment_plan import CommitmentPlan


class Workspace(pulumi.ComponentResource):
    """Resource group, storage account and ``Microsoft.MachineLearning/workspaces`` of one stack.

    *target* is the name of the place that holds its web services. ``reference`` is what web services take:
    ``{"resource": ARM id, "id": 32-hex workspace id}``.
    """

    def __init__(
        self,
        name: str,
        *,
        target: str,
        location: str,
        owner_email: pulumi.Input[str],
        tags: pulumi.Input[dict[str, str]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("retrain:index:Workspace", name, None, opts)
        self.target = target
        child = pulumi.ResourceOptions(parent=self)
        stem = f"{pulumi.get_project()}-{pulumi.get_stack()}"
        self.group = ResourceGroup(
            f"{name}-group", resource_group_name=f"rg-{stem}", location=location, tags=tags, opts=child
        )
        self.storage = StorageAccount(
            f"{name}-storage",
            account_name=_account_name(stem),
            resource_group_name=self.group.name,
            location=location,
            kind=Kind.STORAGE_V2,
            sku=SkuArgs(name=SkuName.STANDARD_LRS),
            tags=tags,
            opts=child,
        )
        self.workspace = MachineLearningWorkspace(
            f"{name}-studio",
            workspace_name=f"mlw-{stem}",
            resource_group_name=self.group.name,
            location=location,
            owner_email=owner_email,
            user_storage_account_id=self.storage.id,
            tags=tags,
            opts=child,
        )
        self._location, self._stem = location, stem
        self.reference = pulumi.Output.all(resource=self.workspace.id, id=self.workspace.workspace_id)
        self.register_outputs({"reference": self.reference})

    @cached_property
    def commitment_plan(self) -> CommitmentPlan:
        """The plan that New web services are billed to; declared when the first of them asks for it."""
        return CommitmentPlan(
            f"{self._name}-plan",
            target=self.target,
            group=self.group.id,
            plan_name=f"plan-{self._stem}",
            location=self._location,
            opts=pulumi.ResourceOptions(parent=self),
        )


def _account_name(stem: str) -> str:
    """A storage account's name: 3 to 24 lower-case letters and digits, unique in all of Azure."""
    letters = "".join(character for character in stem.lower() if character.isascii() and character.isalnum())
    return letters[:14] + hashlib.sha256(stem.encode()).hexdigest()[:10]
