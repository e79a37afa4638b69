"""Commitment plans: which one pays for a web service. A service does not say; its plan's associations do.

Source: Microsoft.MachineLearning/commitmentPlans 2016-05-01-preview.
"""

from __future__ import annotations

from clients.arm.resource_manager import ResourceManager
from clients.clock import Clock
from clients.http.answers import text
from clients.http.transport import Transport

_API_VERSION = "2016-05-01-preview"
_TYPE = "Microsoft.MachineLearning/commitmentPlans"


def plan_of(transport: Transport, service: str, clock: Clock) -> str | None:
    """The ARM id of the plan that pays for the web service with the ARM id *service*; None where none says so."""
    return associations(transport, service.split("/")[2], clock).get(service.casefold())


def associations(transport: Transport, subscription: str, clock: Clock) -> dict[str, str]:
    """The plans of a subscription by what they pay for: ARM ids, those of the services in lower case."""
    arm = ResourceManager(transport, _API_VERSION, clock)
    return {
        text(one, "properties", "associatedResourceId").casefold(): text(plan, "id")
        for plan in arm.list(f"/subscriptions/{subscription}/providers/{_TYPE}")
        for one in arm.list(f"{text(plan, 'id')}/commitmentAssociations")
    }
