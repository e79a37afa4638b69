"""The commitment plan that pays for New web services."""

from __future__ import annotations

import pulumi

from components.shared.ownership import owner
from components.shared.plain import PlainResource
from retrain_hooks.providers import CommitmentPlanProvider


class CommitmentPlan(PlainResource, module="retrain", name="CommitmentPlan"):
    """A ``Microsoft.MachineLearning/commitmentPlans`` in the resource group *group* (ARM id). ``plan`` is its ARM id."""

    ignorable = ("sku",)
    plan: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        target: str,
        group: pulumi.Input[str],
        default_name: str,
        location: pulumi.Input[str],
        sku: str = "S1",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "target": target,
            "group": group,
            "defaultName": default_name,
            "location": location,
            "sku": sku,
            "owner": owner(target, name),
        }
        super().__init__(CommitmentPlanProvider(), name, props | {"name": None, "plan": None}, opts)
