"""The commitment plan that pays for New web services."""

from __future__ import annotations

import pulumi
from pulumi.dynamic import Resource

from retrain_hooks.providers import CommitmentPlanProvider


class CommitmentPlan(Resource, module="retrain", name="CommitmentPlan"):
    """A ``Microsoft.MachineLearning/commitmentPlans`` in the resource group *group* (ARM id). ``plan`` is its ARM id."""

    plan: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        target: str,
        group: pulumi.Input[str],
        plan_name: str,
        location: pulumi.Input[str],
        sku: str = "S1",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {"target": target, "group": group, "name": plan_name, "location": location, "sku": sku}
        super().__init__(CommitmentPlanProvider(), name, props | {"plan": None}, opts)
