"""A machine learning workspace with the resource group and the storage account it needs."""

from __future__ import annotations

import hashlib
from functools import cached_property

import pulumi
from pulumi_azure_native.machinelearning import Workspace as MachineLearningWorkspace
from pulumi_azure_native.resources import ResourceGroup
from pulumi_azure_native.storage import Kind, SkuArgs, SkuName, StorageAccount

from clients.errors import ConfigurationError
from clients.existing import resource_group
from components.commitment_plan import CommitmentPlan


class Workspace(pulumi.ComponentResource):
    """Resource group, storage account and ``Microsoft.MachineLearning/workspaces`` of one stack.

    *target* is the name of the place that holds its web services. ``reference`` is what web services take:
    ``{"resource": ARM id, "id": 32-hex workspace id}``. With *existing*, a workspace's resource id, it is read and
    nothing is created; where there are New web services only, that of their resource group will do.
    """

    def __init__(
        self,
        name: str,
        *,
        target: str,
        location: str | None = None,
        owner_email: pulumi.Input[str] | None = None,
        existing: str | None = None,
        tags: pulumi.Input[dict[str, str]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("retrain:index:Workspace", name, None, opts)
        self.target = target
        child = pulumi.ResourceOptions(parent=self)
        stem = self._stem = f"{pulumi.get_project()}-{pulumi.get_stack()}"
        if existing:
            self._adopt(existing, child)
            return
        if location is None or owner_email is None:
            raise pulumi.RunError(
                f"the workspace {name!r} has no location and owner_email\n"
                "remedy: give both, or with `existing` the workspace to adopt"
            )
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
        self._location: pulumi.Input[str] = location
        self._group: pulumi.Input[str] = self.group.id
        self.reference = pulumi.Output.all(resource=self.workspace.id, id=self.workspace.workspace_id)
        self.register_outputs({"reference": self.reference})

    def _adopt(self, existing: str, child: pulumi.ResourceOptions) -> None:
        """Read a workspace that is there already."""
        try:
            self._group = resource_group(existing)
        except ConfigurationError as error:
            raise pulumi.RunError(str(error)) from None
        if existing.casefold().rstrip("/") == self._group.casefold():
            self._location = ResourceGroup.get(f"{self._name}-group", existing, opts=child).location
            self.reference = pulumi.Output.from_input({"resource": existing.rstrip("/"), "id": ""})
        else:
            workspace = MachineLearningWorkspace.get(f"{self._name}-studio", existing, opts=child)
            self._location = workspace.location
            self.reference = workspace.workspace_id.apply(lambda found: {"resource": existing, "id": found})
        self.register_outputs({"reference": self.reference})

    @cached_property
    def commitment_plan(self) -> CommitmentPlan:
        """The plan that New web services are billed to; declared when the first of them asks for it."""
        return CommitmentPlan(
            f"{self._name}-plan",
            target=self.target,
            group=self._group,
            plan_name=f"plan-{self._stem}",
            location=self._location,
            opts=pulumi.ResourceOptions(parent=self),
        )


def _account_name(stem: str) -> str:
    """A storage account's name: 3 to 24 lower-case letters and digits, unique in all of Azure."""
    letters = "".join(character for character in stem.lower() if character.isascii() and character.isalnum())
    return letters[:14] + hashlib.sha256(stem.encode()).hexdigest()[:10]
